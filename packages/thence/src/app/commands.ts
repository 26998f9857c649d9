/**
 * The door for commands: to the aggregate that decides them, or into the log for the handler that does them.
 */
import type { Aggregate } from '../decide/aggregate.ts'
import { execute } from '../decide/execute.ts'
import type { Snapshots } from '../decide/snapshot.ts'
import type { When } from '../internal/when.ts'
import { dueOf } from '../internal/when.ts'
import { issue } from '../message/codec.ts'
import { expectMessage } from '../message/expect.ts'
import type { CommandMessage } from '../message/message.ts'
import type { Signals } from '../observe/signals.ts'
import { untilKnown } from '../store/again.ts'
import type { Scheduled } from '../store/later.ts'
import { keepLater, prepareLater } from '../store/later.ts'
import { onceOf, refuseWaiting } from '../store/sent.ts'
import type { Store } from '../store/store.ts'
import type { AppendResult } from '../store/writer.ts'
import { commandStream } from '../store/writer.ts'

export interface CommandDoor {
  readonly store: Store
  readonly deciders: ReadonlyMap<string, Aggregate>
  readonly snapshots: Snapshots
  readonly signals: Signals
}

/** See `App.send`. */
export async function commandDoor(
  message: CommandMessage,
  { store, deciders, snapshots, signals }: CommandDoor,
): Promise<AppendResult> {
  expectMessage('send', message, 'command')
  const { registry, runtime } = store.tools
  const definition = registry.require(message.type)
  const aggregate = deciders.get(message.type)
  if (aggregate === undefined) {
    if (message.id !== undefined)
      await store.read((transaction) => refuseWaiting(transaction, message, definition))
    const result = await store.append({ stream: commandStream(message.type), messages: [message] })
    return { ...result, events: [] }
  }
  const command = issue(definition, message, { id: message.id ?? runtime.id() })
  const once = onceOf(aggregate.name, { message, command })
  const executed = await execute(store, { aggregate, command, once }, signals)
  snapshots.consider(aggregate, executed)
  return executed.result
}

/** The door for commands that have time; see `App.send`. */
export async function laterDoor(
  command: CommandMessage,
  when: When,
  { store, deciders }: CommandDoor,
): Promise<Scheduled> {
  expectMessage('send', command, 'command')
  const due = dueOf(command.type, when)
  const consumer = deciders.get(command.type)?.name
  const prepared = prepareLater({ command, due, consumer }, store.tools)
  return untilKnown(store.tools.runtime, (lost) =>
    store.transact(({ transaction }) => keepLater(transaction, prepared, lost)),
  )
}
