/**
 * Definitions of queries: questions with a typed answer, asked of a projection and never stored.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expectOptions } from './expect.ts'
import { checkName } from './name.ts'
import type { Schema } from './schema.ts'
import { expectSchema } from './schema.ts'

/** A question as it is asked. */
export interface QueryMessage<Type extends string = string, Input = unknown, Answer = unknown> {
  readonly kind: 'query'
  readonly type: Type
  readonly data: Input
  /** Carries the type of the answer; never set. */
  readonly answer?: Answer
}

/** A query that can be asked. */
export interface QueryDefinition<
  Type extends string = string,
  Input = never,
  Parsed = unknown,
  Answer = unknown,
  AnswerInput = Answer,
> {
  (input: Input): QueryMessage<Type, Input, Answer>
  readonly kind: 'query'
  readonly type: Type
  readonly input: Schema<never, Parsed>
  readonly output: Schema<AnswerInput, Answer>
}

/**
 * Defines a query by the schemas of its input and of its answer; both are checked when it is asked.
 * @throws NAME_INVALID
 */
export function query<
  const Type extends string,
  I extends StandardSchemaV1,
  O extends StandardSchemaV1,
>(
  type: Type,
  schemas: { readonly input: I; readonly output: O },
): QueryDefinition<
  Type,
  StandardSchemaV1.InferInput<I>,
  StandardSchemaV1.InferOutput<I>,
  StandardSchemaV1.InferOutput<O>,
  StandardSchemaV1.InferInput<O>
> {
  checkName('The query type', type)
  expectOptions(`query ${type}`, schemas, { input: true, output: true })
  expectSchema(`input of query ${type}`, schemas.input)
  expectSchema(`output of query ${type}`, schemas.output)
  const ask = (data: unknown): QueryMessage => ({ kind: 'query', type, data })
  Object.defineProperty(ask, 'name', { value: type })
  return Object.freeze(Object.assign(ask, { kind: 'query', type, ...schemas })) as never
}
