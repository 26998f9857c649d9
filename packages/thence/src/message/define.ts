/**
 * Definitions of events and commands: callable, so that `OrderPlaced({ … })` writes a message down. They carry the
 * schema, its version and the typed chain that brings older versions up to date; they know no store.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ThenceError } from '../errors.ts'
import { isDevelopment } from '../internal/environment.ts'
import type { OptionNames } from './expect.ts'
import { expectFunction, expectOptions } from './expect.ts'
import type { Message, MessageOptions, Metadata, RecordedKind } from './message.ts'
import { checkName } from './name.ts'
import type { Schema } from './schema.ts'
import { expectSchema } from './schema.ts'

/** One link of the chain: what version `from` must become. The result goes through the schema of the next version. */
export interface Upcast {
  readonly from: number
  readonly apply: (data: never) => unknown
  readonly schema: Schema<never, unknown>
}

/** An event or a command that can be written, stored and read back. */
export interface Definition<
  K extends RecordedKind = RecordedKind,
  Type extends string = string,
  Input = never,
  Output = unknown,
> {
  /** Writes the message down. Nothing is checked yet: that happens at the door, when it is sent or appended. */
  (data: Input, options?: MessageOptions): Message<K, Type, Input>
  readonly kind: K
  readonly type: Type
  /** Which version of the schema is written; 1 plus the number of upcasts. */
  readonly schemaVersion: number
  readonly schema: Schema<never, Output>
  readonly upcasts: readonly Upcast[]
  /** Carries the type of what a writer gives; never set. */
  readonly takes?: (data: Input) => void
  /** Names that append conditions and reads can ask for. */
  tags(data: Output): readonly string[]
  /**
   * The next version of this message. Stored messages of the version before go through `up` and then through
   * `schema` when they are read; what is stored stays as it is.
   * @throws CONFIG_INVALID if this version has tags and no new ones are given: they are made from the new data.
   */
  upcast<S extends StandardSchemaV1>(
    schema: S,
    up: (old: Output) => StandardSchemaV1.InferInput<S>,
    options?: DefinitionOptions<StandardSchemaV1.InferOutput<S>>,
  ): Definition<K, Type, StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>
}

export type EventDefinition<
  Type extends string = string,
  Input = never,
  Output = unknown,
> = Definition<'event', Type, Input, Output>
export type CommandDefinition<
  Type extends string = string,
  Input = never,
  Output = unknown,
> = Definition<'command', Type, Input, Output>

/** A definition as a reader sees it: what writing takes does not matter. */
export type Readable<K extends RecordedKind, Type extends string, Output> = Pick<
  Definition<K, Type, never, Output>,
  'kind' | 'type' | 'schemaVersion' | 'schema' | 'upcasts' | 'tags'
>
/** Any definition of kind `K`, whatever its data. */
export type AnyOf<K extends RecordedKind> = Readable<K, string, unknown>
export type AnyEvent = AnyOf<'event'>
export type AnyCommand = AnyOf<'command'>
/** Any event or command. */
export type AnyDefinition = AnyEvent | AnyCommand

/** What a reader of messages of definition `D` is given as `data`. */
export type DataOf<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

/** What a writer of messages of definition `D` gives. */
export type InputOf<D> = D extends (data: infer Input, options?: MessageOptions) => unknown
  ? Input
  : never

/** How a definition may be told more than its schema. */
export interface DefinitionOptions<Output> {
  /** Names that append conditions and reads can ask for, for example `seat:12`. Default: none. */
  readonly tags?: (data: Output) => readonly string[]
}

const messageNames: OptionNames<MessageOptions> = { id: true, metadata: true, tags: true }
const metadataNames: OptionNames<Metadata> = {
  correlationId: true,
  causationId: true,
  traceparent: true,
  tracestate: true,
  user: true,
  // Not for senders to say: left out of what is handed on as it came.
  saga: true,
  edits: true,
}

const checkOptions = (type: string, options: MessageOptions): void => {
  expectOptions(type, options, messageNames)
  const { metadata } = options
  if (metadata !== undefined) expectOptions(`metadata of ${type}`, metadata, metadataNames)
}

const definitionNames: OptionNames<DefinitionOptions<never>> = { tags: true }

const checkDefinition = (what: string, options: DefinitionOptions<never>): void => {
  expectOptions(what, options, definitionNames)
  if (options.tags !== undefined) expectFunction(`tags of ${what}`, options.tags)
}

interface Parts<K, Type> {
  readonly kind: K
  readonly type: Type
  readonly schema: Schema<never, unknown>
  readonly upcasts: readonly Upcast[]
  readonly tags: (data: never) => readonly string[]
}

const noTags = (): readonly string[] => []

const define = (parts: Parts<RecordedKind, string>): Definition<RecordedKind, string, unknown> => {
  const schemaVersion = parts.upcasts.length + 1
  const write = (
    data: unknown,
    options?: MessageOptions,
  ): Message<RecordedKind, string, unknown> => {
    if (isDevelopment && options !== undefined) checkOptions(parts.type, options)
    return { kind: parts.kind, type: parts.type, schemaVersion, data, ...options }
  }
  const upcast = (
    schema: Schema<never, unknown>,
    apply: (data: never) => unknown,
    options: DefinitionOptions<never> = {},
  ) => {
    expectSchema(`upcast of ${parts.type}`, schema)
    expectFunction(`What upcast of ${parts.type} does`, apply)
    checkDefinition(`upcast of ${parts.type}`, options)
    if (parts.tags !== noTags && options.tags === undefined)
      throw new ThenceError(
        'CONFIG_INVALID',
        `${parts.type} has tags made from the data of version ${schemaVersion}. Give upcast the tags of the next one: upcast(schema, up, { tags }).`,
      )
    const step = { from: schemaVersion, apply, schema }
    const tags = options.tags ?? noTags
    return define({ ...parts, schema, tags, upcasts: [...parts.upcasts, step] })
  }
  Object.defineProperty(write, 'name', { value: parts.type })
  const definition = Object.assign(write, { ...parts, schemaVersion, upcast })
  return Object.freeze(definition) as never
}

/**
 * Defines an event: something that happened, named in the past tense.
 * @param schema any Standard Schema (zod, valibot, arktype …), or `plain<T>()`.
 * @throws NAME_INVALID
 */
export function event<const Type extends string, S extends StandardSchemaV1>(
  type: Type,
  schema: S,
  options: DefinitionOptions<StandardSchemaV1.InferOutput<S>> = {},
): EventDefinition<Type, StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>> {
  checkName('The event type', type)
  expectSchema(type, schema)
  checkDefinition(`event ${type}`, options)
  const parts = { kind: 'event', type, schema, upcasts: [], tags: options.tags ?? noTags } as const
  return define(parts as never) as never
}

/**
 * Defines a command: a request for a change, named in the imperative.
 * @param schema any Standard Schema (zod, valibot, arktype …), or `plain<T>()`.
 * @throws NAME_INVALID
 */
export function command<const Type extends string, S extends StandardSchemaV1>(
  type: Type,
  schema: S,
  options: DefinitionOptions<StandardSchemaV1.InferOutput<S>> = {},
): CommandDefinition<Type, StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>> {
  checkName('The command type', type)
  expectSchema(type, schema)
  checkDefinition(`command ${type}`, options)
  const parts = {
    kind: 'command',
    type,
    schema,
    upcasts: [],
    tags: options.tags ?? noTags,
  } as const
  return define(parts as never) as never
}
