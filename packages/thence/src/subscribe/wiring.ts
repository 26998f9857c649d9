/**
 * What a partition is made of, wired to one another: the way forward through the log, and the retries beside it.
 */
import { classify } from '../handle/classify.ts'
import type { Pace } from '../handle/pace.ts'
import type { Signals } from '../observe/signals.ts'
import type { Hold } from '../ports/checkpoints.ts'
import type { Store } from '../store/store.ts'
import type { Division } from './division.ts'
import { isDone } from './division.ts'
import { Follower } from './follower.ts'
import type { Item } from './item.ts'
import { KeysInHand } from './keys-in-hand.ts'
import type { SubscriptionOptions } from './options.ts'
import type { Pages } from './pages.ts'
import type { Attempting } from './prepare.ts'
import { prepareAgain } from './prepare.ts'
import { Retrying } from './retrying.ts'
import type { SubscriptionSettings } from './settings.ts'
import type { Slots } from './slots.ts'
import type { Stepping } from './stepping.ts'
import type { Telling } from './telling.ts'
import type { Valve } from './valve.ts'

/** What the partitions of a subscription share, and which one this is. */
export interface PartitionContext {
  readonly options: SubscriptionOptions
  readonly store: Store
  readonly signals: Signals
  readonly pages: Pages
  readonly slots: Slots
  readonly pace: Pace | undefined
  readonly division: Division
  readonly hold: Hold
  readonly toItem: (stored: Item['stored']) => Item
  /** It has come further, or stopped. */
  readonly progressed: () => void
  /** What is set for the subscription was changed here, by a failure. */
  readonly changed: (settings: SubscriptionSettings) => void
  /** An operator asked for a rebuild. */
  readonly rebuild: () => Promise<unknown>
}

/** What a partition does itself. */
export interface PartitionHooks {
  readonly valve: Valve
  readonly telling: Telling
  /** Aborted when what is in hand is given up. */
  readonly signal: AbortSignal
  /** The follower has come further. */
  readonly advanced: () => void
  /** A retry was settled. */
  readonly retried: () => Promise<void>
  /** The checkpoint, or the lease, is no longer what it was. */
  readonly moved: () => Promise<void>
}

type Trying = Omit<Attempting, 'prepare'>

const steppingOf = (context: PartitionContext, attempting: Trying): Stepping => {
  const { options, store, signals, division, hold, changed } = context
  const { name, part = name, retry, sink, onFailure = 'park-key' } = options
  const failing = {
    ...attempting,
    subscription: name,
    part,
    policy: retry,
    onFailure,
    runtime: store.tools.runtime,
    signals,
    changed,
  }
  return {
    name,
    hold,
    keyed: options.key !== undefined,
    isPast: (message) => isDone(division, message),
    sink,
    store,
    failing,
    telling: attempting.telling,
  }
}

/** The follower and the retries of a partition. */
export function wire(
  context: PartitionContext,
  { valve, telling, signal, advanced, retried, moved }: PartitionHooks,
): { readonly follower: Follower; readonly retrying: Retrying } {
  const { options, pages, slots, division, hold, toItem } = context
  const { sink, rules = [], concurrency } = options
  const { partitions } = division
  const { partition } = hold
  const attempting: Trying = {
    valve,
    telling,
    classify: (error: unknown) => classify(error, ...rules),
    signal,
  }
  const stepping = steppingOf(context, attempting)
  const keys = new KeysInHand(() => retrying.freed())
  const retrying: Retrying = new Retrying(stepping, {
    share: { partition, partitions },
    keys,
    toItem,
    valve,
    prepare: (load, attempt, began) =>
      prepareAgain(load, { ...attempting, prepare: sink.prepare, slots, began }, attempt),
    settled: retried,
    moved,
    concurrency: sink.prepare === undefined ? 1 : concurrency,
  })
  const follower = new Follower({
    ...options,
    ...stepping,
    slots,
    read: (after, limit) =>
      partitions === 1
        ? pages.read(after, limit)
        : pages.shared(after, limit * Math.min(partitions, 16)),
    isOwn: ({ hash, stored: { position } }) =>
      hash % partitions === partition && !stepping.isPast({ hash, position }),
    keys,
    adopt: (item, call) => retrying.adopt(item, call),
    isCalled: (key) => retrying.isCalled(key),
    waiting: () => retrying.mayWait,
    failed: () => retrying.refresh(),
    attempting,
    advanced,
  })
  return { follower, retrying }
}
