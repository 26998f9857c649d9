/**
 * The work with the outside world, before any transaction: different keys side by side up to a limit, one key in order.
 * After a failure the rest of the key is left alone, because it must wait.
 */
import type { Item } from './item.ts'
import type { Sink } from './sink.ts'
import type { Slots } from './slots.ts'

export interface Preparing {
  readonly prepare: NonNullable<Sink['prepare']>
  /** How many keys are worked on side by side, with all other partitions of this process. */
  readonly slots: Slots
  readonly signal: AbortSignal
  /** When true, nothing new is begun. */
  readonly stopping: () => boolean
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
    if (!failed && (preparing.stopping() || !(await prepareOne(item, preparing)))) return
    if (failed) item.passedOver = true
    failed ||= item.failure !== undefined
    preparing.settled(item)
  }
}

/**
 * Runs `prepare` for one item and keeps what it gave or threw. Returns false if the app gave up on it meanwhile: then
 * nothing is held against the message.
 */
export async function prepareOne(
  item: Item,
  { prepare, signal }: Pick<Preparing, 'prepare' | 'signal'>,
): Promise<boolean> {
  if (item.message === undefined) return true
  try {
    item.prepared = await prepare(item.message, signal)
  } catch (error) {
    if (signal.aborted) return false
    item.failure = { error }
  }
  return true
}

/** Resolves when every item is settled, or was left alone because the app stops; never rejects. */
export async function prepareAll(items: readonly Item[], preparing: Preparing): Promise<void> {
  const { slots } = preparing
  await Promise.all(byKey(items).map((lane) => slots.run(() => runLane(lane, preparing))))
}
