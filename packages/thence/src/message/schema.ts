/**
 * The seam to schema libraries: any Standard Schema, or `plain<T>()` where a type is enough. Validation is
 * synchronous, because what was recorded must not depend on anything but the data itself.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ThenceError } from '../errors.ts'

/** A schema that takes `Input` from the writer and gives `Output` to be stored. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** A schema that checks nothing at run time: the type is the promise. */
export function plain<T>(): Schema<T> {
  return {
    '~standard': { version: 1, vendor: 'thence', validate: (value) => ({ value: value as T }) },
  }
}

/** @throws CONFIG_INVALID unless `schema` follows the Standard Schema. */
export function expectSchema(what: string, schema: unknown): void {
  const has = (typeof schema === 'object' || typeof schema === 'function') && schema !== null
  if (has && '~standard' in schema) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what} needs a schema: one of zod, valibot, arktype or any other Standard Schema, or plain<T>().`,
  )
}

const pathOf = (issue: StandardSchemaV1.Issue): string =>
  (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')

/**
 * Runs `schema` over `value` and gives what it made of it.
 * @param what the message type, for the error message.
 * @throws SCHEMA_INVALID with the paths and reasons; SCHEMA_ASYNC if the schema answers with a promise.
 */
export function parse<Output>(what: string, schema: Schema<never, Output>, value: unknown): Output {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    result.catch(() => undefined)
    throw new ThenceError(
      'SCHEMA_ASYNC',
      `${what}: its schema validates asynchronously. Check the outside world in a handler or before sending.`,
    )
  }
  if (result.issues === undefined) return result.value
  const issues = result.issues.map((issue) => ({ path: pathOf(issue), problem: issue.message }))
  const told = issues.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`))
  throw new ThenceError('SCHEMA_INVALID', `${what} does not fit its schema: ${told.join('; ')}`, {
    details: { type: what, issues },
  })
}
