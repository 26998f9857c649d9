/**
 * The work with the outside world, before any transaction: different keys side by side up to a limit, one key in order.
 * After a failure the rest of the key is left alone, because it must wait.
 */
import type { Outcome } from '../handle/breaker.ts'
import type { ErrorKind } from '../errors.ts'
import type { Item } from './item.ts'
import type { Sink } from './sink.ts'
import type { Slots } from './slots.ts'
import type { Telling } from './telling.ts'
import type { Valve } from './valve.ts'

/** How one attempt is made. */
export interface Attempting {
  readonly prepare: NonNullable<Sink['prepare']>
  /** Whether it may begin. */
  readonly valve: Valve
  readonly classify: (error: unknown) => ErrorKind
  /** Aborted when the app gives up on what is in hand. */
  readonly signal: AbortSignal
  readonly telling: Telling
}

export interface Preparing extends Attempting {
  /** How many keys are worked on side by side, with all other partitions of this process. */
  readonly slots: Slots
  /** Whether nothing more of this page is to begin. */
  readonly abandoned: () => boolean
  /** Called whenever another item is done, failed, or passed over. */
  readonly settled: (item: Item) => void
}

const byKey = (items: readonly Item[]): Item[][] => {
  const lanes = new Map<string, Item[]>()
  for (const item of items) {
    const lane = lanes.get(item.key)
    if (lane === undefined) lanes.set(item.key, [item])
    else lane.push(item)
  }
  return [...lanes.values()]
}

const runLane = async (lane: readonly Item[], preparing: Preparing): Promise<void> => {
  let failed = false
  for (const item of lane) {
    if (!failed && (preparing.abandoned() || !(await prepareOne(item, preparing, 'first')))) return
    if (failed) item.passedOver = true
    failed ||= item.failure !== undefined
    preparing.settled(item)
  }
}

/**
 * Runs `prepare` for one item and keeps what it gave or threw. Returns false if it may not begin, or the app gave up on
 * it meanwhile: then nothing is held against the message.
 */
export async function prepareOne(
  item: Item,
  { prepare, valve, classify, signal, telling }: Attempting,
  attempt: 'first' | 'retry',
): Promise<boolean> {
  if (item.message === undefined) return !valve.closed
  const permit = await valve.begin(attempt)
  if (permit === undefined) return false
  let outcome: Outcome = 'none'
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

/** Resolves when every item is settled, or was left alone because nothing more may begin; never rejects. */
export async function prepareAll(items: readonly Item[], preparing: Preparing): Promise<void> {
  const { slots } = preparing
  await Promise.all(byKey(items).map((lane) => slots.run(() => runLane(lane, preparing))))
}
