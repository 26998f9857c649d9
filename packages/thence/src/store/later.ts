/**
 * A command for later: validated and encoded now, kept as a timer, and appended when it is due. Nothing invalid is
 * stored, and the same id is never kept twice.
 */
import type { Due } from '../internal/when.ts'
import type { CommandMessage, Metadata } from '../message/message.ts'
import { isSameMessage } from '../message/same.ts'
import type { Transaction } from '../ports/database.ts'
import type { NewMessage } from '../ports/events.ts'
import type { NewTimer } from '../ports/timers.ts'
import { digestOf, requireSame } from './said.ts'
import { idReused } from './verdict.ts'
import type { Tools } from './writer.ts'
import { commandStream, prepare } from './writer.ts'

/** Where a command waits that was sent for later. */
export interface Scheduled {
  /** Names it, to cancel it or to fire it now: `send:` and the id of the command. */
  readonly id: string
  /** When it is due, in Unix milliseconds by the database's clock; if it was sent before, when that was. */
  readonly due: number
  /** True if the same id was sent before, for later or at once, and nothing was stored now. */
  readonly duplicate: boolean
}

/** The owner of the timers of commands that were sent for later; `$` keeps it apart from streams. */
export const laterOwner = '$send'
export const laterId = (messageId: string): string => `send:${messageId}`

export interface Later {
  readonly command: CommandMessage
  readonly due: Due
  readonly parent?: Metadata | undefined
  /** The aggregate that decides it, whose inbox may know its id. */
  readonly consumer?: string | undefined
}

/** A command that is ready to be kept. */
export interface PreparedLater {
  readonly timer: NewTimer
  /** Only an id of the sender's own can come twice. */
  readonly mayRepeat: boolean
  readonly consumer: string | undefined
  /** The data as the sender gave it. */
  readonly given: unknown
}

/**
 * Validates and encodes; everything that can be refused is refused here, before anything is stored.
 * @throws SCHEMA_INVALID, VALUE_NOT_STORABLE, MESSAGE_UNKNOWN, CONFIG_INVALID, NAME_INVALID
 */
export function prepareLater(
  { command, due, parent, consumer }: Later,
  tools: Tools,
): PreparedLater {
  const stream = commandStream(command.type)
  const { request } = prepare({ stream, messages: [command], parent }, tools)
  const [message] = request.messages as [NewMessage]
  const timer = { id: laterId(message.id), owner: laterOwner, due, stream, message }
  return { timer, mayRepeat: command.id !== undefined, consumer, given: command.data }
}

/**
 * Keeps the command until it is due.
 * @param lost whether an earlier try got no answer: what it may have stored is this one's own.
 * @throws MESSAGE_ID_REUSED
 */
export async function keepLater(
  transaction: Transaction,
  prepared: PreparedLater,
  lost = false,
): Promise<Scheduled> {
  const { timer, mayRepeat } = prepared
  const { id } = timer
  if (mayRepeat || lost) {
    const before = await sentBefore(transaction, prepared)
    if (before !== undefined) {
      const isOwn = lost && before.time === timer.message.time
      return { id, due: before.due, duplicate: !isOwn }
    }
  }
  return { id, due: await transaction.timers.set(timer), duplicate: false }
}

const sentBefore = async (
  { timers, events, inbox }: Transaction,
  { timer: { id, stream, message }, consumer, given }: PreparedLater,
): Promise<{ readonly due: number; readonly time?: number } | undefined> => {
  const refuseOther = (place: string, known: NewMessage): void => {
    if (place !== stream || !isSameMessage(known, message))
      throw idReused({ stream: place, id: message.id })
  }
  const waiting = await timers.find(id)
  if (waiting !== undefined) {
    refuseOther(waiting.stream, waiting.message)
    return { due: waiting.due, time: waiting.message.time }
  }
  const [recorded] = await events.find({ id: message.id })
  if (recorded !== undefined) {
    refuseOther(recorded.stream, recorded)
    return { due: recorded.time }
  }
  const decided = consumer === undefined ? undefined : await inbox.recall(consumer, message.id)
  if (decided === undefined) return undefined
  const { type, schemaVersion } = message
  const wanted = digestOf({ type, schemaVersion, data: JSON.parse(message.data), given })
  requireSame({ stream: decided.stream, id: message.id }, decided.digest, wanted)
  return { due: decided.time }
}
