/**
 * A corrected message in the place of one that failed: a message of its own, with its own id, linked to the old one. Only
 * the subscription that failed is given it; the log keeps a note of it, so that what follows from it has its cause there.
 */
import { encodeJson } from '../message/json.ts'
import type { JsonValue } from '../message/json.ts'
import type { AnyDefinition } from '../message/define.ts'
import { parse } from '../message/schema.ts'
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { StoredMessage } from '../ports/events.ts'

/** Where the notes stand, and their type: kept for Thence itself, so that no subscription reads them. */
export const editsStream = '$edits'
export const editedType = '$edited'

export interface Edit {
  /** The corrected data, whole. */
  readonly data: unknown
  /** Checks the data by its schema at once; else the app does, when it takes the message. */
  readonly definition?: AnyDefinition | undefined
}

/** Data as it is to be stored, and under which version. @throws VALUE_NOT_STORABLE, SCHEMA_INVALID, CONFIG_INVALID */
function encode(
  { message: { type, schemaVersion } }: DeadLetter,
  { data, definition }: Edit,
): { readonly data: string; readonly schemaVersion: number } {
  if (definition === undefined) return { data: encodeJson(type, data), schemaVersion }
  if (definition.type !== type)
    throw new ThenceError(
      'CONFIG_INVALID',
      `The message is of type ${type}; it cannot be edited by the definition of ${definition.type}.`,
    )
  const parsed = parse(type, definition.schema, data)
  return { data: encodeJson(type, parsed), schemaVersion: definition.schemaVersion }
}

/** The corrected message under `id`, in the place of the old one. */
export function editedMessage(
  letter: DeadLetter,
  edit: Edit,
  { id, now }: { readonly id: string; readonly now: number },
): StoredMessage {
  const { message } = letter
  const metadata = message.metadata === null ? {} : (JSON.parse(message.metadata) as object)
  return {
    ...message,
    ...encode(letter, edit),
    id,
    correlationId: message.correlationId ?? message.id,
    causationId: message.id,
    metadata: JSON.stringify({ ...metadata, edits: message.id }),
    time: now,
  }
}

/** Notes an edit in the log, under the id of the corrected message. */
export async function noteEdit(
  { events }: Transaction,
  { id, subscription, message }: DeadLetter,
  edited: StoredMessage,
): Promise<void> {
  const note: Readonly<Record<string, JsonValue>> = {
    letter: id,
    subscription,
    position: message.position,
    type: edited.type,
    schemaVersion: edited.schemaVersion,
    data: JSON.parse(edited.data) as JsonValue,
  }
  const { correlationId, causationId, time } = edited
  await events.append({
    stream: editsStream,
    messages: [
      {
        id: edited.id,
        kind: 'event',
        type: editedType,
        schemaVersion: 1,
        data: JSON.stringify(note),
        correlationId,
        causationId,
        metadata: null,
        tags: [],
        time,
      },
    ],
  })
}
