/**
 * The loop that everyone must trust: load, decide, append, and on a conflict load again.
 */
import { isThenceError, ThenceError } from '../errors.ts'
import { fullJitter } from '../internal/backoff.ts'
import { expectMessage } from '../message/expect.ts'
import type { EventMessage, Issued } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import { causedBy } from '../message/trace.ts'
import type { Signals } from '../observe/signals.ts'
import type { Transaction } from '../ports/database.ts'
import type { Once } from '../ports/events.ts'
import { wait } from '../ports/wait.ts'
import { recallSame } from '../store/sent.ts'
import type { Store } from '../store/store.ts'
import type { Append, AppendResult, Tools, Writer } from '../store/writer.ts'
import { readBack } from '../store/writer.ts'
import type { Aggregate } from './aggregate.ts'
import type { Folded } from './state.ts'
import { fold } from './state.ts'

/** How often a command is decided again after conflicts before the conflict is given to the caller. */
export const conflictAttempts = 10
const backoff = { base: 2, cap: 250 }

/** A command and who decides it. */
export interface Execution {
  readonly aggregate: Aggregate
  readonly command: Issued
  /** Makes it idempotent: a second execution gives the first one's result. With a digest if its sender named it. */
  readonly once?: Once | undefined
}

/** @throws MESSAGE_UNKNOWN if the aggregate does not decide such commands. */
const decide = ({ aggregate, command }: Execution, state: unknown): readonly EventMessage[] => {
  const entry = aggregate.decide.get(command.type)
  if (entry === undefined)
    throw new ThenceError('MESSAGE_UNKNOWN', `${aggregate.name} does not decide ${command.type}.`)
  const decision = entry.run(state, command)
  const events = (Array.isArray(decision) ? decision : [decision]) as readonly EventMessage[]
  for (const event of events)
    expectMessage(`The decision of ${aggregate.name} on ${command.type}`, event, 'event')
  return events
}

/** @throws NAME_INVALID before anything is read: two ids that are stored alike must not share a stream. */
export const streamOf = (aggregate: Aggregate, command: Issued): string => {
  const id: unknown = aggregate.id(command)
  if (typeof id !== 'string' || id === '')
    throw new ThenceError(
      'NAME_INVALID',
      `stream of aggregate ${aggregate.name} gave ${id === '' ? 'an empty text' : typeof id} for ${command.type}; ` +
        'it must give the id of the one that is meant, as text.',
    )
  const stream = `${aggregate.name}-${id}`
  checkName(`The stream of ${command.type}`, stream)
  return stream
}

const nothing = (
  stream: string,
  { version, position }: Folded,
  { tokens }: Pick<Tools, 'tokens'>,
): AppendResult => ({
  stream,
  version,
  position,
  events: [],
  duplicate: false,
  token: tokens.make({ position, count: 0 }),
})

const toAppend = (
  execution: Execution,
  folded: Folded,
  messages: readonly EventMessage[],
): Append => ({
  stream: streamOf(execution.aggregate, execution.command),
  messages,
  expected: folded.version === 0 ? 'none' : folded.version,
  once: execution.once,
  parent: causedBy(execution.command),
})

/**
 * Decides a command inside an open transaction: one of the log in the transaction that also moves the checkpoint past it,
 * or one that is sent in a transaction of the user's. With `once`, once per id, however it comes: the same command may
 * have been sent to the aggregate directly, or be sent later.
 * @throws MESSAGE_ID_REUSED if its id was that of another command
 */
export async function executeIn(
  writer: Writer,
  execution: Execution,
  tools: Pick<Tools, 'codec' | 'tokens'>,
): Promise<Executed> {
  const { aggregate, command, once } = execution
  const { transaction } = writer
  const stream = streamOf(aggregate, command)
  const done = once && (await recallSame(transaction, once, command))
  if (done !== undefined) return { result: await readBack(transaction, done, tools) }
  const before = await fold(transaction, tools.codec, { aggregate, stream })
  const messages = decide(execution, before.state)
  if (messages.length === 0 && once === undefined) return { result: nothing(stream, before, tools) }
  return { result: await writer.append(toAppend(execution, before, messages)), before }
}

const load = async (store: Store, { aggregate, command, once }: Execution): Promise<Loaded> => {
  const stream = streamOf(aggregate, command)
  const { codec } = store.tools
  const folded = async (transaction: Transaction): Promise<Loaded> => ({
    folded: await fold(transaction, codec, { aggregate, stream }),
  })
  // The append asks for the version that was read.
  if (once === undefined) return store.readTogether(folded)
  // What is remembered and the state must be of one moment.
  return store.read(async (transaction) => {
    const before = await recallSame(transaction, once, command)
    if (before === undefined) return folded(transaction)
    return { done: await readBack(transaction, before, store.tools) }
  })
}

type Loaded = { readonly done: AppendResult } | { readonly folded: Folded }

const attempt = async (store: Store, execution: Execution): Promise<Executed> => {
  const loaded = await load(store, execution)
  if ('done' in loaded) return { result: loaded.done }
  const { folded } = loaded
  const messages = decide(execution, folded.state)
  if (messages.length === 0 && execution.once === undefined)
    return {
      result: nothing(streamOf(execution.aggregate, execution.command), folded, store.tools),
    }
  return { result: await store.append(toAppend(execution, folded, messages)), before: folded }
}

/** What came of a command, and the state before it, unless it had been executed before. */
export interface Executed {
  readonly result: AppendResult
  readonly before?: Folded
}

/**
 * Decides a command and appends what follows, deciding again after a conflict, with jitter, at most
 * {@link conflictAttempts} times.
 * @throws VERSION_CONFLICT when that was not enough; MESSAGE_ID_REUSED; REJECTED and whatever else the decision throws.
 */
export async function execute(
  store: Store,
  execution: Execution,
  signals: Signals,
): Promise<Executed> {
  const { runtime } = store.tools
  const tell = teller(store, execution, signals)
  for (let tries = 1; ; tries += 1) {
    try {
      const executed = await attempt(store, execution)
      tell(tries, { events: executed.result.events.length })
      return executed
    } catch (error) {
      if (!isThenceError(error, 'VERSION_CONFLICT') || tries >= conflictAttempts) {
        tell(tries, { error })
        throw error
      }
      await wait(runtime, fullJitter(backoff, tries, runtime.random()))
    }
  }
}

type Ended = { readonly events: number } | { readonly error: unknown }

/** Tells how a command that begins now has ended. */
const teller = (
  { tools: { runtime } }: Store,
  { aggregate, command: { type, id } }: Execution,
  signals: Signals,
): ((tries: number, ended: Ended) => void) => {
  const start = runtime.elapsed()
  return (tries, ended) => {
    const name = 'error' in ended ? 'command-refused' : 'command-decided'
    if (!signals.wants(name)) return
    const told = { aggregate: aggregate.name, type, id, tries, took: runtime.elapsed() - start }
    if ('error' in ended)
      signals.emitFrequent({ name: 'command-refused', error: ended.error, ...told })
    else signals.emitFrequent({ name: 'command-decided', events: ended.events, ...told })
  }
}
