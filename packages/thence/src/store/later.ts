/**
 * A command for later: validated and encoded now, kept as a timer, and appended when it is due. Nothing invalid is
 * stored, and the same id is never kept twice.
 */
import { ThenceError } from '../errors.ts'
import type { Due } from '../internal/when.ts'
import type { CommandMessage, Metadata } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import type { NewMessage } from '../ports/events.ts'
import type { NewTimer } from '../ports/timers.ts'
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
  return { timer, mayRepeat: command.id !== undefined, consumer }
}

/**
 * Keeps the command until it is due.
 * @param lost whether an earlier try got no answer: what it may have stored is this one's own.
 * @throws MESSAGE_ID_REUSED
 */
export async function keepLater(
  transaction: Transaction,
  { timer, mayRepeat, consumer }: PreparedLater,
  lost = false,
): Promise<Scheduled> {
  const { id } = timer
  if (mayRepeat || lost) {
    const before = await sentBefore(transaction, timer, consumer)
    if (before !== undefined) {
      const isOwn = lost && before.time === timer.message.time
      return { id, due: before.due, duplicate: !isOwn }
    }
  }
  return { id, due: await transaction.timers.set(timer), duplicate: false }
}

const sentBefore = async (
  { timers, events, inbox }: Transaction,
  { id, stream, message }: NewTimer,
  consumer: string | undefined,
): Promise<{ readonly due: number; readonly time?: number } | undefined> => {
  const waiting = await timers.find(id)
  if (waiting !== undefined) {
    refuseOther(waiting.stream, waiting.message, { stream, message })
    return { due: waiting.due, time: waiting.message.time }
  }
  const [recorded] = await events.find({ id: message.id })
  if (recorded !== undefined) {
    refuseOther(recorded.stream, recorded, { stream, message })
    return { due: recorded.time }
  }
  const decided = consumer && (await inbox.recall(consumer, message.id))
  return decided ? { due: decided.time } : undefined
}

const refuseOther = (
  stream: string,
  { type, data }: NewMessage,
  wanted: Pick<NewTimer, 'stream' | 'message'>,
): void => {
  const { id, ...message } = wanted.message
  if (stream === wanted.stream && type === message.type && data === message.data) return
  throw new ThenceError(
    'MESSAGE_ID_REUSED',
    `The message id ${id} is already taken by another message. ` +
      'Use the same id only to send the very same message again.',
    { details: { stream, id } },
  )
}
