/**
 * What a handler is given besides its message: the means to say what should happen next. Nothing of it happens unless
 * the handler succeeds; then all of it commits together with the subscription's checkpoint.
 */
import type { CommandMessage, EventMessage } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import type { Transaction } from '../ports/database.ts'

/** Work for the transaction that also moves the checkpoint. It must not wait for anything but that transaction. */
export type Within = (transaction: Pick<Transaction, 'documents' | 'sql'>) => Promise<void> | void

/** Its functions need no `this`: take them out as you like (`(message, { append }) => …`). */
export interface HandlerContext {
  /** Aborted when the handler's time is up or the app stops. */
  readonly signal: AbortSignal
  /** Appends events to `stream` when the handler has succeeded. @throws NAME_INVALID */
  readonly append: (stream: string, ...events: readonly EventMessage[]) => void
  /** Records a command for whoever handles it, when the handler has succeeded. */
  readonly send: (...commands: readonly CommandMessage[]) => void
  /** Runs `work` in the transaction that moves the checkpoint: your own rows change exactly once. */
  readonly within: (work: Within) => void
}

/** What a handler asked for, in order. */
export type Effect =
  | { readonly stream: string; readonly messages: readonly EventMessage[] }
  | { readonly commands: readonly CommandMessage[] }
  | { readonly within: Within }

export function handlerContext(signal: AbortSignal, effects: Effect[]): HandlerContext {
  return {
    signal,
    append(stream, ...messages) {
      checkName('The stream', stream)
      effects.push({ stream, messages })
    },
    send: (...commands) => void effects.push({ commands }),
    within: (work) => void effects.push({ within: work }),
  }
}
