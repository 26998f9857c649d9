/**
 * What a handler is given besides its message: the means to say what should happen next. Nothing of it happens unless
 * the handler succeeds; then all of it commits together with the subscription's checkpoint.
 */
import { ThenceError } from '../errors.ts'
import type { Due, When } from '../internal/when.ts'
import { dueOf } from '../internal/when.ts'
import type { CommandMessage, EventMessage } from '../message/message.ts'
import { expectMessage } from '../message/expect.ts'
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
  /**
   * Keeps commands for later, when the handler has succeeded; `in` counts from that commit. A command with an id of its own
   * that was sent before is not kept again. @throws CONFIG_INVALID
   */
  readonly later: (when: When, ...commands: readonly CommandMessage[]) => void
  /** Runs `work` in the transaction that moves the checkpoint: your own rows change exactly once. */
  readonly within: (work: Within) => void
  /**
   * The same at every attempt, after every restart, for this message and this handler, and for no other: the handler's name and the
   * message's id, joined by `:`. Hand it to services that take an idempotency key.
   */
  readonly idempotencyKey: string
  /** Whether this message was done before and is given to the handler again on purpose, by a replay. */
  readonly replaying: boolean
  /** Runs `work` and gives what it gives; in a replay it does nothing and gives `undefined`. */
  readonly skipOnReplay: <T>(work: () => T) => T | undefined
}

/** What a handler asked for, in order. */
export type Effect =
  | { readonly stream: string; readonly messages: readonly EventMessage[] }
  | { readonly commands: readonly CommandMessage[]; readonly due?: Due }
  | { readonly within: Within }

/** A context that collects, until it is closed. */
export interface Collecting {
  readonly context: HandlerContext
  /** The handler has ended: gives what it asked for, and refuses whatever it asks for later. */
  readonly close: () => readonly Effect[]
}

/** What a handler is told of the message that it is given. */
export interface Given {
  readonly idempotencyKey: string
  /** Whether it has done the message before. */
  readonly replaying: boolean
}

export function collecting(signal: AbortSignal, { idempotencyKey, replaying }: Given): Collecting {
  const effects: Effect[] = []
  let open = true
  const add = (effect: Effect): void => {
    if (!open)
      throw new ThenceError(
        'STATE_INVALID',
        'The handler has ended; nothing more can be asked for. Await everything that it begins.',
      )
    effects.push(effect)
  }
  const context: HandlerContext = {
    signal,
    append(stream, ...messages) {
      checkName('The stream', stream)
      for (const message of messages) expectMessage('append', message, 'event')
      add({ stream, messages })
    },
    send(...commands) {
      for (const command of commands) expectMessage('send', command, 'command')
      add({ commands })
    },
    later(when, ...commands) {
      for (const command of commands) expectMessage('later', command, 'command')
      add({ commands, due: dueOf('later', when) })
    },
    within: (work) => add({ within: work }),
    idempotencyKey,
    replaying,
    skipOnReplay: (work) => (replaying ? undefined : work()),
  }
  const close = (): readonly Effect[] => {
    open = false
    return effects
  }
  return { context, close }
}
