/**
 * The forward motion of a subscription: read a page after the cursor, hand it to the sink, move the checkpoint. It knows
 * its place and nothing of when to run.
 */
import { isThenceError } from '../errors.ts'
import type { Checkpoint, Seen } from '../ports/checkpoints.ts'
import { turn } from '../ports/wait.ts'
import type { Commit } from '../store/writer.ts'
import { isUnbroken } from '../store/writer.ts'
import type { Item } from './item.ts'
import type { ItemPage } from './pages.ts'
import { Calls } from './calls.ts'
import type { KeysInHand } from './keys-in-hand.ts'
import type { Attempting } from './prepare.ts'
import { takeStep } from './step.ts'
import type { Stepping } from './stepping.ts'
import { seenOf } from './stepping.ts'
import type { Slots } from './slots.ts'
import { BatchSize } from './batch-size.ts'

export interface Following extends Stepping {
  readonly types: readonly string[]
  readonly batch: number
  readonly slots: Slots
  /** The next messages after a position. */
  readonly read: (after: number, limit: number) => Promise<ItemPage>
  /** Whether a message is for this partition, and not done. */
  readonly isOwn: (item: Item) => boolean
  /** Whether any message of this subscription waits in retries. */
  readonly waiting: () => boolean
  /** Messages have just failed, or were put behind such. */
  readonly failed: () => Promise<void>
  /** How attempts are made, of a sink that prepares. */
  readonly attempting: Omit<Attempting, 'prepare'>
  /** Of a sink that prepares: what is in hand. */
  readonly keys: KeysInHand
  /** A message has a row now, or will have one, and its call goes on. */
  readonly adopt: (item: Item, call: Promise<boolean>) => void
  /** Whether a call of the key goes on beside it. */
  readonly isCalled: (key: string) => boolean
  /** It has come further. */
  readonly advanced: () => void
}

type Page = Omit<Parameters<typeof takeStep>[1], 'careful' | 'waiting'>

/**
 * Nothing more of a page begins, but something behind what did not begin is done: that is not done a second time. What
 * did not begin waits in rows of its own. Returns whether there was any.
 */
const closeGap = (rest: readonly Item[], calls: Calls): boolean => {
  const last = rest.findLastIndex((item) => calls.isSettled(item) && item.passedOver !== true)
  for (const item of rest.slice(0, last + 1)) if (!calls.isSettled(item)) calls.passOver(item)
  return last >= 0
}

export class Follower {
  readonly #following: Following
  /** The stored checkpoint, as far as this process knows. */
  #seen: Seen
  /** Read up to here; what lies between it and the checkpoint was not for this subscription. */
  #cursor = 0
  readonly #batch: BatchSize
  /**
   * So many messages are taken at once: a part of those of a page that could not be committed, and twice as many after each that could. So a
   * store that comes and goes gets some of them done each time.
   */
  #most = Infinity
  /** Of a page whose calls are in hand: the keys of it that wait. */
  #waiting: ReadonlySet<string> | undefined

  constructor(following: Following) {
    this.#following = following
    this.#seen = seenOf(following.hold, undefined)
    this.#batch = new BatchSize(following.batch)
  }

  get seen(): Seen {
    return this.#seen
  }

  get cursor(): number {
    return this.#cursor
  }

  /** Goes to the stored checkpoint. */
  place(stored: Checkpoint | undefined): void {
    this.#seen = seenOf(this.#following.hold, stored)
    this.#cursor = this.#seen.position
  }

  /** Whether a commit is read already, because all before it was read and nothing of it is for this subscription. */
  passes(commit: Commit): boolean {
    const { from, to, types } = commit
    if (this.#cursor !== from - 1 || this.#following.types.some((type) => types.has(type)))
      return false
    if (!isUnbroken(commit)) return false
    this.#advance(to)
    return true
  }

  /** Takes one page; returns whether there may be more. */
  async page(): Promise<boolean> {
    const { sink, batch, read, isOwn } = this.#following
    const limit = sink.prepare === undefined ? this.#batch.size : batch
    const seen = this.#seen
    const page = await read(this.#cursor, limit)
    // It was placed elsewhere meanwhile (a rebuild): what was read is not what comes next.
    if (this.#seen !== seen) return true
    // Others read the same page, so what becomes of a message is noted on a copy.
    const own = page.items.filter(isOwn)
    if (own.length === 0) {
      if (page.through > this.#cursor) this.#advance(page.through)
      return page.items.length > 0
    }
    this.#batch.learn(
      page.items.map(({ stored }) => stored),
      page.full,
    )
    await this.#takePart(own, page.through)
    return true
  }

  async #takePart(own: ItemPage['items'], end: number): Promise<void> {
    const { sink, batch } = this.#following
    const items = own.slice(0, this.#most).map((item) => ({ ...item }))
    const through = items.length < own.length ? (items.at(-1) as Item).stored.position : end
    try {
      if (sink.prepare === undefined) await this.#move(items, through)
      else await this.#prepareThenMove(items, { prepare: sink.prepare, through })
      this.#most = this.#most < batch ? 2 * this.#most : Infinity
    } catch (error) {
      if (!isThenceError(error, 'CHECKPOINT_MOVED')) this.#most = Math.ceil(items.length / 4)
      throw error
    }
  }

  /** Stores how far it has read, if that is further than the checkpoint says. */
  async save(): Promise<void> {
    if (this.#cursor > this.#seen.position) await this.#move([], this.#cursor)
  }

  async #prepareThenMove(
    items: readonly Item[],
    { prepare, through }: Pick<Attempting, 'prepare'> & { readonly through: number },
  ): Promise<void> {
    const { store, slots, attempting, keys } = this.#following
    const { runtime } = store.tools
    const calls = new Calls({ ...attempting, prepare, slots, keys, runtime })
    // Before it is asked what waits: what comes up later waits for what is in hand, and not the reverse.
    keys.hold(items)
    try {
      const blocked = await this.#blocked(items)
      this.#waiting = blocked
      calls.begin(items, blocked)
      await this.#moveAsSettled(items, { calls, through })
    } finally {
      this.#waiting = undefined
      // If nothing could be committed, the same messages come again: what takes long by then goes on until they have rows.
      await calls.end()
      this.#letGo(items, calls)
    }
  }

  /** Effects are committed in order of position, as soon as everything before them is settled or set aside. */
  async #moveAsSettled(
    items: readonly Item[],
    { calls, through }: { readonly calls: Calls; readonly through: number },
  ): Promise<void> {
    let done = 0
    while (done < items.length) {
      let end = done
      while (end < items.length && calls.isSettled(items[end] as Item)) end += 1
      if (end === done && !calls.finished) await calls.change()
      else if (end === done) {
        if (!closeGap(items.slice(done), calls)) return
      } else {
        const settled = items.slice(done, end)
        const last = settled.at(-1) as Item
        await this.#move(settled, end === items.length ? through : last.stored.position)
        this.#letGo(settled, calls)
        done = end
        // What else has been settled meanwhile goes along with the next; and timers have their turn.
        await turn(this.#following.store.tools.runtime)
      }
    }
  }

  /** These are in hand no longer, but for calls that were set aside: those go on against their rows. */
  #letGo(items: readonly Item[], calls: Calls): void {
    const { keys, adopt } = this.#following
    for (const item of items) {
      const call = calls.handOver(item)
      if (call !== undefined) adopt(item, call)
    }
    keys.release(items)
  }

  async #blocked(items: readonly Item[]): Promise<Set<string>> {
    const { store, name, waiting, isCalled } = this.#following
    if (!waiting()) return new Set()
    const keys = [...new Set(items.map(({ key }) => key))]
    const blocked = await store.read(({ retries }) => retries.blocked(name, keys), { apart: true })
    return new Set([...blocked, ...keys.filter(isCalled)])
  }

  /** First all in one go; if something throws, again with a savepoint for each. */
  async #move(items: readonly Item[], through: number): Promise<void> {
    const page = { items, seen: this.#seen, through, mayBlock: this.#following.waiting() }
    try {
      await this.#take(page, false)
    } catch (error) {
      if (items.length === 0 || isThenceError(error, 'CHECKPOINT_MOVED')) throw error
      if (isThenceError(error, 'TRANSACTION_TIMEOUT')) await this.#moveHanging(page, error)
      else await this.#take(page, true)
    }
  }

  /**
   * A transaction that hung took all of its messages along: each gets one of its own, and one that hangs alone has
   * failed.
   */
  async #moveHanging({ items, seen, through }: Page, error: unknown): Promise<void> {
    const [item, ...rest] = items
    if (item === undefined) return
    if (rest.length === 0) {
      // What is only given a row has run nothing that could hang.
      if (item.aside === true || item.passedOver === true) throw error
      item.failure = { error }
      return this.#take({ items, seen, through, mayBlock: this.#following.waiting() }, false)
    }
    for (const one of items) {
      const last = one === items.at(-1)
      await this.#move([one], last ? through : one.stored.position)
      // A sequence that halted there goes no further.
      if (this.#cursor < one.stored.position) return
    }
  }

  async #take(page: Page, careful: boolean): Promise<void> {
    const waiting = this.#waiting
    const step = await takeStep(this.#following, { ...page, careful, waiting })
    this.#seen = { ...this.#seen, position: step.position }
    if (waiting !== undefined) this.#waiting = step.waiting
    if (step.failed) await this.#following.failed()
    this.#advance(step.position)
  }

  #advance(cursor: number): void {
    this.#cursor = cursor
    this.#following.advanced()
  }
}
