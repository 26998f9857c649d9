/**
 * Messages ⇄ their stored form. Encoding validates and refuses; decoding upcasts older versions and, in development,
 * freezes. Both are synchronous and know nothing of where the text is kept.
 */
import { isThenceError, ThenceError } from '../errors.ts'
import type { AnyDefinition } from './define.ts'
import { expectList } from './expect.ts'
import { deepFreeze, encodeExactly, encodeJson } from './json.ts'
import type { Issued, Message, Metadata, Recorded, RecordedKind } from './message.ts'
import { checkName } from './name.ts'
import type { Registry } from './registry.ts'
import { parse } from './schema.ts'
import type { NewMessage, StoredMessage } from './stored.ts'
import { metadataOf } from './trace.ts'

/** What an issued message needs beside itself. */
export interface Issue {
  readonly id: string
  readonly parent?: Metadata | undefined
}

/** A text would be taken for a list of its letters. */
const requireList = ({ type }: Message, tags: unknown): void => {
  if (!Array.isArray(tags)) expectList(`tags of ${type}`, tags)
}

/**
 * Gives a written message its identity and validates its data by the schema of its definition.
 * @throws SCHEMA_INVALID, SCHEMA_ASYNC, NAME_INVALID, CONFIG_INVALID
 */
export function issue(definition: AnyDefinition, message: Message, by: Issue): Issued {
  const id = message.id ?? by.id
  if (message.id !== undefined) checkName(`The id of ${message.type}`, id)
  const data = parse(message.type, definition.schema, message.data)
  const own = definition.tags(data)
  const { tags: more } = message
  requireList(message, own)
  if (more !== undefined) requireList(message, more)
  const tags = more === undefined ? own : [...new Set([...own, ...more])]
  for (const tag of tags) checkName(`A tag of ${message.type}`, tag)
  const metadata = metadataOf(id, message, by.parent)
  const { kind, type } = message
  return { kind, type, schemaVersion: definition.schemaVersion, id, data, tags, metadata }
}

const encodeMetadata = (message: Issued): string | null => {
  const { correlationId: _, causationId: __, ...rest } = message.metadata
  for (const key in rest) if (key !== '') return encodeJson(`${message.type} metadata`, rest)
  return null
}

/** @throws VALUE_NOT_STORABLE */
export function encode(message: Issued, time: number): NewMessage {
  return encodeWith(message, encodeJson(message.type, message.data), time)
}

const encodeWith = (message: Issued, data: string, time: number): NewMessage => {
  const { correlationId, causationId } = message.metadata
  return {
    id: message.id,
    kind: message.kind as RecordedKind,
    type: message.type,
    schemaVersion: message.schemaVersion,
    data,
    correlationId: correlationId === message.id ? null : correlationId,
    causationId: causationId ?? null,
    metadata: encodeMetadata(message),
    tags: message.tags,
    time,
  }
}

const decodeMetadata = (stored: StoredMessage): Metadata => {
  const base =
    stored.causationId === null
      ? { correlationId: stored.correlationId ?? stored.id }
      : { correlationId: stored.correlationId ?? stored.id, causationId: stored.causationId }
  if (stored.metadata === null) return base
  return { ...base, ...(JSON.parse(stored.metadata) as object) }
}

/**
 * Brings data that was stored under schema version `from` up to date; it may be changed on the way.
 * @throws SCHEMA_INVALID, or what the upcast throws
 */
export function upcastData(definition: AnyDefinition, stored: unknown, from: number): unknown {
  let data = stored
  for (const step of definition.upcasts.slice(from - 1))
    data = parse(`${definition.type} v${step.from + 1}`, step.schema, step.apply(data as never))
  return data
}

const decodeData = (definition: AnyDefinition | undefined, stored: StoredMessage): unknown => {
  if (definition === undefined || definition.schemaVersion === stored.schemaVersion)
    return JSON.parse(stored.data)
  if (stored.schemaVersion > definition.schemaVersion)
    throw new ThenceError(
      'MESSAGE_FROM_FUTURE',
      `${stored.type} at position ${stored.position} has schema version ${stored.schemaVersion}; this program ` +
        `knows version ${definition.schemaVersion}. Deploy the newer definition here too.`,
      { details: { type: stored.type, position: stored.position } },
    )
  return upcastData(definition, JSON.parse(stored.data), stored.schemaVersion)
}

/** Nobody's definition has seen what an operator wrote: its data is validated when it is read. */
const checkEdited = (
  definition: AnyDefinition | undefined,
  stored: StoredMessage,
  data: unknown,
): unknown => {
  // An older version was validated on its way up.
  if (definition?.schemaVersion !== stored.schemaVersion) return data
  if (stored.metadata?.includes('"edits"') !== true) return data
  const isEdited = decodeMetadata(stored).edits !== undefined
  return isEdited ? parse(stored.type, definition.schema, data) : data
}

const unreadable = (stored: StoredMessage, cause: unknown): ThenceError =>
  new ThenceError(
    'MESSAGE_UNREADABLE',
    `${stored.type} at position ${stored.position} (schema version ${stored.schemaVersion}) cannot be read: ` +
      `${cause instanceof Error ? cause.message : String(cause)}`,
    { cause, details: { type: stored.type, position: stored.position, id: stored.id } },
  )

export class Codec {
  readonly #registry: Registry
  readonly #freeze: boolean

  constructor(registry: Registry, freeze: boolean) {
    this.#registry = registry
    this.#freeze = freeze
  }

  /**
   * Encodes a message, and gives its data as a reader will see it: never an object of the sender's that is then frozen,
   * never with properties that are not stored.
   * @throws VALUE_NOT_STORABLE
   */
  encode(message: Issued, time: number): { readonly stored: NewMessage; readonly data: unknown } {
    const { text, exact } = encodeExactly(message.type, message.data)
    const data: unknown = exact && !this.#freeze ? message.data : JSON.parse(text)
    return { stored: encodeWith(message, text, time), data }
  }

  /**
   * Reads a stored message back; an unknown type is given as it was stored.
   * @throws MESSAGE_FROM_FUTURE, MESSAGE_UNREADABLE
   */
  decode(stored: StoredMessage): Recorded {
    const definition = this.#registry.get(stored.type)
    try {
      const data = checkEdited(definition, stored, decodeData(definition, stored))
      return this.recorded(stored, data, definition?.schemaVersion)
    } catch (error) {
      if (isThenceError(error, 'MESSAGE_FROM_FUTURE')) throw error
      throw unreadable(stored, error)
    }
  }

  /** The recorded form of a message whose data is at hand already. */
  recorded(
    stored: StoredMessage,
    data: unknown,
    schemaVersion: number = stored.schemaVersion,
  ): Recorded {
    const message = {
      kind: stored.kind,
      type: stored.type,
      schemaVersion,
      id: stored.id,
      data,
      tags: stored.tags,
      metadata: decodeMetadata(stored),
      stream: stored.stream,
      version: stored.version,
      position: stored.position,
      time: stored.time,
    }
    return this.#freeze ? deepFreeze(message) : message
  }
}
