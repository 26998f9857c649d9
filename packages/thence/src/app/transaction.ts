/**
 * What a user does in one transaction of their own: append, send, keep commands for later, write rows, all or nothing.
 */
import type { Aggregate } from '../decide/aggregate.ts'
import type { Executed } from '../decide/execute.ts'
import { executeIn } from '../decide/execute.ts'
import type { When } from '../internal/when.ts'
import { dueOf } from '../internal/when.ts'
import { issue } from '../message/codec.ts'
import { expectMessage } from '../message/expect.ts'
import type { CommandMessage, Recorded } from '../message/message.ts'
import type { Documents } from '../ports/documents.ts'
import type { Sql } from '../ports/sql.ts'
import type { Scheduled } from '../store/later.ts'
import { keepLater, prepareLater } from '../store/later.ts'
import { onceOf, refuseWaiting } from '../store/sent.ts'
import type { ReadStreamOptions } from '../store/stream-pages.ts'
import { streamPages } from '../store/stream-pages.ts'
import type { AppendResult, Tools, Writer } from '../store/writer.ts'
import { commandStream } from '../store/writer.ts'
import type { AppendOptions } from './append.ts'
import { checkedAppend } from './append.ts'
import { checkStreamRead } from './reading.ts'
import { inTurns, type Turns } from '../store/turns.ts'

/**
 * An open transaction. What it does is seen by what it does later, and by nobody else before the commit. Of its calls one
 * is done after the other. One that throws has left nothing behind; if you catch the error, the rest goes on. After the
 * end everything throws STATE_INVALID. `C` names the commands that can be sent.
 */
export interface AppTransaction<C extends string = string> {
  /**
   * Appends events; inline projections follow at once.
   * @throws VERSION_CONFLICT, CONDITION_FAILED, MESSAGE_ID_REUSED, MESSAGE_UNKNOWN, SCHEMA_INVALID, CONFIG_INVALID
   */
  append(options: AppendOptions): Promise<AppendResult>
  /**
   * Sends a command. If an aggregate decides it, it is decided here and now, and its events are part of the transaction;
   * if a handler does it, it is recorded, and done after the commit. With an `id` of your own, as `App.send`.
   * @throws MESSAGE_ID_REUSED, SCHEMA_INVALID, VALUE_NOT_STORABLE, REJECTED, and whatever else the decision throws
   */
  send<Type extends C>(command: CommandMessage<Type>): Promise<AppendResult>
  /** Keeps a command for later, as `App.send` does; `in` counts from now. */
  send<Type extends C>(command: CommandMessage<Type>, when: When): Promise<Scheduled>
  /** The messages of one stream by version, with those that this transaction has appended. */
  stream(name: string, options?: ReadStreamOptions): AsyncIterable<Recorded>
  /** Documents of your own, in collections that no projection uses. */
  readonly documents: Documents
  /** Your own tables, where the adapter has SQL; else its calls throw CAPABILITY_MISSING. */
  readonly sql: Sql
}

/** What an open transaction works with. */
export interface Opened {
  readonly writer: Writer
  readonly tools: Tools
  readonly turns: Turns
  readonly deciders: ReadonlyMap<string, Aggregate>
  /** Told what was decided; it counts only if the transaction commits. */
  readonly decided: (aggregate: Aggregate, executed: Executed) => void
  /** Told that a timer was set; the same holds. */
  readonly timerSet: () => void
}

const sendNow = async (
  { writer, tools, deciders, decided }: Opened,
  message: CommandMessage,
): Promise<AppendResult> => {
  const definition = tools.registry.require(message.type)
  const aggregate = deciders.get(message.type)
  if (aggregate === undefined) {
    const stream = commandStream(message.type)
    await refuseWaiting(writer.transaction, message, definition)
    return { ...(await writer.append({ stream, messages: [message] })), events: [] }
  }
  const command = issue(definition, message, { id: message.id ?? tools.runtime.id() })
  const once = onceOf(aggregate.name, { message, command })
  const executed = await executeIn(writer, { aggregate, command, once }, tools)
  decided(aggregate, executed)
  return executed.result
}

const sendLater = async (
  { writer, tools, deciders, timerSet }: Opened,
  command: CommandMessage,
  when: When,
): Promise<Scheduled> => {
  const due = dueOf(command.type, when)
  const consumer = deciders.get(command.type)?.name
  const prepared = prepareLater({ command, due, consumer }, tools)
  const scheduled = await keepLater(writer.transaction, prepared)
  timerSet()
  return scheduled
}

/** What the work of a transaction is given. */
export function appTransaction(opened: Opened): AppTransaction {
  const { writer, tools, turns } = opened
  const { transaction } = writer
  /** With a savepoint: what fails takes back what it has done, and only that. */
  const undoable = <T>(work: () => Promise<T>): Promise<T> =>
    turns.take(() => writer.savepoint(work))
  function send(command: CommandMessage): Promise<AppendResult>
  function send(command: CommandMessage, when: When): Promise<Scheduled>
  function send(command: CommandMessage, when?: When): Promise<AppendResult | Scheduled> {
    return undoable<AppendResult | Scheduled>(async () => {
      expectMessage('send', command, 'command')
      return when === undefined ? sendNow(opened, command) : sendLater(opened, command, when)
    })
  }
  return {
    append: (options) => undoable(async () => writer.append(checkedAppend(options))),
    send,
    stream: (name, options = {}) => {
      checkStreamRead(name, options)
      return streamPages(options, {
        read: (page) => turns.take(() => transaction.events.readStream(name, page)),
        decode: (message) => tools.codec.decode(message),
      })
    },
    ...inTurns(transaction, turns),
  }
}
