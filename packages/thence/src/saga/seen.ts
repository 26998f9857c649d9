/**
 * What a saga remembers of the messages that it has seen, and its state, as they are read back: data of an older
 * schema version is brought up to date when it is used, as the log does; what is remembered is never changed.
 */
import { ThenceError } from '../errors.ts'
import { upcastData } from '../message/codec.ts'
import type { AnyDefinition } from '../message/define.ts'
import { deepFreeze, encodeJson } from '../message/json.ts'
import type { JsonValue } from '../message/json.ts'
import type { Recorded } from '../message/message.ts'

/** A message that reached the saga. */
export interface Seen {
  readonly id: string
  readonly type: string
  /** Which version of the schema `data` follows; left out: 1. */
  readonly schemaVersion?: number
  readonly data: JsonValue
}

export const seenOf = ({ id, type, schemaVersion, data }: Recorded): Seen => ({
  id,
  type,
  ...(schemaVersion > 1 ? { schemaVersion } : {}),
  data: data as JsonValue,
})

/**
 * The data of a message that was seen, in the shape of the definition.
 * @throws MESSAGE_FROM_FUTURE, MESSAGE_UNREADABLE
 */
export function dataOf(definition: AnyDefinition, { schemaVersion = 1, data }: Seen): unknown {
  const { type, schemaVersion: known } = definition
  if (schemaVersion === known) return data
  if (schemaVersion > known)
    throw new ThenceError(
      'MESSAGE_FROM_FUTURE',
      `The saga has seen ${type} with schema version ${schemaVersion}; this program knows version ${known}. ` +
        'Deploy the newer definition here too.',
      { details: { type } },
    )
  try {
    // An upcast may change what it is given.
    return upcastData(definition, structuredClone(data), schemaVersion)
  } catch (cause) {
    throw new ThenceError(
      'MESSAGE_UNREADABLE',
      `${type} (schema version ${schemaVersion}), as the saga has seen it, cannot be read: ` +
        `${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, details: { type } },
    )
  }
}

/**
 * A state as it will be read back: a copy, frozen, so that a reaction cannot change what is remembered.
 * @throws VALUE_NOT_STORABLE
 */
export const kept = (saga: string, state: unknown): unknown =>
  state === undefined
    ? undefined
    : deepFreeze(JSON.parse(encodeJson(`The state of saga ${saga}`, state)) as unknown)
