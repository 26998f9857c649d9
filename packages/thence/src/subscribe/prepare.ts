/**
 * One attempt with the outside world, before any transaction.
 */
import type { Outcome } from '../handle/breaker.ts'
import type { ErrorKind } from '../errors.ts'
import type { Item } from './item.ts'
import type { Sink } from './sink.ts'
import type { Slots } from './slots.ts'
import type { Telling } from './telling.ts'
import type { Valve } from './valve.ts'

/** Milliseconds. A call that takes longer is slow: only its key is to wait for it. */
export const slowAfter = 1000

/** How one attempt is made. */
export interface Attempting {
  readonly prepare: NonNullable<Sink['prepare']>
  /** Whether it may begin. */
  readonly valve: Valve
  readonly classify: (error: unknown) => ErrorKind
  /** Aborted when the app gives up on what is in hand. */
  readonly signal: AbortSignal
  readonly telling: Telling
  /** Called when it is its turn and the call begins. */
  readonly began?: (item: Item) => void
}

/**
 * Runs `prepare` for one item and keeps what it gave or threw. Returns false if it may not begin, or the app gave up on
 * it meanwhile: then nothing is held against the message.
 */
export async function prepareOne(
  item: Item,
  { prepare, valve, classify, signal, telling, began }: Attempting,
  attempt: 'first' | 'retry',
): Promise<boolean> {
  if (item.message === undefined) return !valve.closed
  const permit = await valve.begin(attempt)
  if (permit === undefined) return false
  let outcome: Outcome = 'none'
  began?.(item)
  telling.begun(item)
  try {
    item.prepared = await prepare(item.message, { signal, replaying: item.replaying === true })
    outcome = 'done'
  } catch (error) {
    if (signal.aborted) {
      telling.returned(item)
      return false
    }
    outcome = classify(error)
    item.failure = { error, kind: outcome, probe: permit.probe && outcome === 'transient' }
  } finally {
    telling.ended(item)
    valve.end(permit, outcome)
  }
  return true
}

interface Again extends Omit<Attempting, 'prepare'> {
  readonly prepare: Sink['prepare']
  readonly slots: Slots
}

/**
 * The same for a row, in a slot of its own; its message is loaded when it has that, so that what waits takes no memory, and
 * what waits for the budget of retries no slot. Gives what was prepared, or undefined if there is nothing to settle.
 */
export async function prepareAgain(
  load: () => Promise<Item | undefined>,
  { prepare, slots, ...how }: Again,
  attempt: 'first' | 'retry',
): Promise<Item | undefined> {
  const { valve } = how
  if (prepare === undefined) return valve.closed ? undefined : load()
  if (attempt === 'retry' && !(await valve.afford())) return undefined
  const work = async (): Promise<Item | undefined> => {
    const item = valve.closed ? undefined : await load()
    const isPrepared = item !== undefined && (await prepareOne(item, { ...how, prepare }, attempt))
    return isPrepared ? item : undefined
  }
  return slots.run('retry', work, valve.open)
}
