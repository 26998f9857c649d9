/**
 * One transaction of a subscription: effects, failures and checkpoint together, by compare-and-set. Whoever finds the
 * checkpoint moved commits nothing.
 */
import type { Seen } from '../ports/checkpoints.ts'
import type { Writer } from '../store/writer.ts'
import { fail, queue } from './failing.ts'
import type { Failure, Item } from './item.ts'
import type { Run } from './sink.ts'
import type { Stepping } from './stepping.ts'
import { attempt, moved, transactThenTell } from './stepping.ts'

/** What a committed step has changed. */
export interface Stepped {
  readonly position: number
  /** Whether there may now be rows in retries. */
  readonly failed: boolean
  /** The keys that wait behind a message of this step, or did before. */
  readonly waiting: ReadonlySet<string>
}

const blockedKeys = async (
  { name, keyed }: Stepping,
  writer: Writer,
  items: readonly Item[],
): Promise<Set<string>> => {
  if (!keyed) return new Set()
  const keys = [...new Set(items.map(({ key }) => key))]
  return new Set(await writer.transaction.retries.blocked(name, keys))
}

/** Whether the next item may be taken, or where the checkpoint has to stay: before this one, or behind it. */
type Go = 'next' | 'before' | 'behind'

interface Taken {
  /** How many messages. */
  readonly taken: number
  /** Whether the rest has to wait. */
  readonly halted: boolean
}

/** A step while it is being taken. */
class Step {
  readonly after: (() => void)[] = []
  /** What went through, if someone wants to know. */
  readonly #done: Item[] = []
  readonly #queued: Item[] = []
  readonly #stepping: Stepping
  readonly #writer: Writer
  readonly #blocked: Set<string>
  readonly #mayBlock: boolean
  readonly #shared: Run | undefined
  #failed = false

  constructor(
    stepping: Stepping,
    writer: Writer,
    on: { blocked: Set<string>; careful: boolean; mayBlock: boolean },
  ) {
    this.#stepping = stepping
    this.#writer = writer
    this.#blocked = on.blocked
    this.#mayBlock = on.mayBlock
    this.#shared = on.careful ? undefined : stepping.sink.open(writer)
  }

  get failed(): boolean {
    return this.#failed || this.#blocked.size > 0
  }

  get waiting(): ReadonlySet<string> {
    return this.#blocked
  }

  /** Many messages share what can be read in one call. */
  async ahead(items: readonly Item[]): Promise<void> {
    if (items.length < 2 || this.#shared?.ahead === undefined) return
    const keys = new Set(items.flatMap(({ key, stored }) => [key, stored.stream]))
    await this.#shared.ahead([...keys])
  }

  /** Whether all of them are simply applied, as far as is known, and none has a savepoint. */
  isPlain(items: readonly Item[]): boolean {
    if (this.#shared === undefined || this.#mayBlock || this.#blocked.size > 0) return false
    return items.every(
      ({ message, failure, passedOver, aside }) =>
        message !== undefined && failure === undefined && passedOver !== true && aside !== true,
    )
  }

  /** Those of different keys side by side. If one throws, it does so when nothing runs any more. */
  async takeAll(items: readonly Item[]): Promise<Taken> {
    const sequences = Map.groupBy(items, ({ key }) => key)
    const ends = await Promise.allSettled(
      [...sequences.values()].map(async (sequence) => {
        for (const item of sequence) await this.#apply(item)
      }),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    if (this.#stepping.telling.wantsHandled) this.#done.push(...items)
    return { taken: items.length, halted: false }
  }

  /** One after the other, up to where it has to halt. */
  async takeEach(items: readonly Item[]): Promise<Taken> {
    let taken = 0
    for (const item of items) {
      const go = await this.#take(item)
      if (go !== 'before') taken += 1
      if (go !== 'next') return { taken, halted: true }
    }
    return { taken, halted: false }
  }

  async #take(item: Item): Promise<Go> {
    const { keyed, name } = this.#stepping
    const { transaction } = this.#writer
    if (this.#mayBlock && keyed && (await this.#isWaiting(item))) return 'next'
    // What waits behind a failure is to be called again after it, whatever comes of the call.
    if (this.#blocked.has(item.key)) item.passedOver = true
    if (item.passedOver === true || item.aside === true) {
      await queue(transaction, name, item)
      this.#queued.push(item)
      this.#blocked.add(item.key)
      return 'next'
    }
    const failure = await this.#apply(item)
    if (failure === undefined) {
      if (this.#stepping.telling.wantsHandled) this.#done.push(item)
      return 'next'
    }
    // Another process has met the same failure: its count of attempts must not begin anew.
    if ((await transaction.retries.find(name, item.stored.position)) !== undefined)
      throw moved(name)
    return this.#failedOn(item, failure)
  }

  /** Writes down a first failure. */
  async #failedOn(item: Item, failure: Failure): Promise<Go> {
    const { keyed, failing, sink } = this.#stepping
    const { tell, waits, stops } = await fail(this.#writer.transaction, failing, { item, failure })
    this.after.push(tell)
    this.#failed ||= waits
    if (!waits) return 'next'
    if (!keyed) return 'before'
    this.#blocked.add(item.key)
    // What was prepared has begun already, and goes on to its end.
    return stops && sink.prepare === undefined ? 'behind' : 'next'
  }

  async flush(): Promise<void> {
    const shared = this.#shared
    const { telling } = this.#stepping
    this.after.push(() => telling.handled(this.#done))
    if (this.#queued.length > 0) this.after.push(() => telling.queued(this.#queued))
    if (shared === undefined) return
    await shared.flush?.()
    this.after.push(() => shared.committed?.())
  }

  /**
   * Whether the message is in retries already, though it stands after the checkpoint: then the subscription had no key
   * when it failed. It keeps its row, under the key that it has now.
   */
  async #isWaiting(item: Item): Promise<boolean> {
    const { retries } = this.#writer.transaction
    const row = await retries.find(this.#stepping.name, item.stored.position)
    if (row === undefined) return false
    if (row.key !== item.key) await retries.put({ ...row, key: item.key, hash: item.hash })
    this.#blocked.add(item.key)
    return true
  }

  async #apply(item: Item): Promise<Failure | undefined> {
    if (item.failure !== undefined) return item.failure
    const { sink, telling } = this.#stepping
    if (this.#shared !== undefined && item.message !== undefined) {
      const isTimed = sink.prepare === undefined
      if (isTimed) telling.begin(item)
      await this.#shared.apply(item.message, item.prepared)
      if (isTimed) telling.end(item)
      return undefined
    }
    const { failure, run } = await attempt(this.#stepping, this.#writer, item)
    if (run !== undefined) this.after.push(() => run.committed?.())
    return failure
  }
}

/**
 * Takes `items` and moves the checkpoint from `seen` to `through` (or to where it had to halt). `careful` gives every
 * item a savepoint, so that one that throws takes only itself along.
 * @throws CHECKPOINT_MOVED, whatever an item throws unless `careful`, and the errors of the store.
 */
export function takeStep(
  stepping: Stepping,
  page: {
    items: readonly Item[]
    seen: Seen
    through: number
    mayBlock: boolean
    careful: boolean
    /**
     * The keys that wait, if that was asked before the first call: what came up since then waits for what is in hand.
     */
    waiting: ReadonlySet<string> | undefined
  },
): Promise<Stepped> {
  const { items, seen, through, careful, mayBlock } = page
  const { name, sink, store, telling } = stepping
  return transactThenTell(store, async (writer, after) => {
    const start = store.tools.runtime.elapsed()
    const blocked = new Set(
      page.waiting ?? (mayBlock ? await blockedKeys(stepping, writer, items) : []),
    )
    const step = new Step(stepping, writer, { blocked, careful, mayBlock })
    await step.ahead(items)
    const isFree = sink.sideBySide === true && store.database.capabilities.remote
    const { taken, halted } =
      isFree && step.isPlain(items) ? await step.takeAll(items) : await step.takeEach(items)
    const position = halted ? (items[taken - 1]?.stored.position ?? seen.position) : through
    await step.flush()
    if (!(await writer.transaction.checkpoints.move(name, seen, position))) throw moved(name)
    after.push(...step.after, () => telling.moved(items.slice(0, taken), position, start))
    return { position, failed: step.failed, waiting: step.waiting }
  })
}
