/**
 * One transaction of a subscription: effects, failures and checkpoint together, by compare-and-set. Whoever finds the
 * checkpoint moved commits nothing.
 */
import { isStoreFailure, ThenceError } from '../errors.ts'
import type { Checkpoint, Hold, Seen } from '../ports/checkpoints.ts'
import type { Retry } from '../ports/retries.ts'
import type { Store } from '../store/store.ts'
import type { Writer } from '../store/writer.ts'
import type { Failing } from './failing.ts'
import { fail, queue } from './failing.ts'
import type { Failure, Item } from './item.ts'
import type { Run, Sink } from './sink.ts'
import type { Telling } from './telling.ts'

/** What a step works with. */
export interface Stepping {
  readonly name: string
  /** Under which lease it is done. */
  readonly hold: Hold
  /** Without a key of its own a subscription is one sequence: it waits at a message that failed. */
  readonly keyed: boolean
  /** Whether a message was behind the checkpoint of its partition before the subscription was divided as it is now. */
  readonly isPast: (message: Pick<Retry, 'hash' | 'position'>) => boolean
  readonly sink: Sink
  readonly store: Store
  readonly failing: Failing
  readonly telling: Telling
}

/** What a committed step has changed. */
export interface Stepped {
  readonly position: number
  /** Whether there may now be rows in retries. */
  readonly failed: boolean
}

export const moved = (name: string): ThenceError =>
  new ThenceError(
    'CHECKPOINT_MOVED',
    `The checkpoint of ${name} was moved by someone else; this process commits nothing and reads it again.`,
    { details: { subscription: name } },
  )

/** What is to be found unchanged at the commit. */
export const seenOf = (hold: Hold, stored: Checkpoint | undefined): Seen => ({
  ...hold,
  position: stored?.position ?? 0,
  generation: stored?.generation ?? 0,
})

/** Throws CHECKPOINT_MOVED if another process has taken the lease. */
export async function refuseUnlessHeld({ name, hold }: Stepping, writer: Writer): Promise<void> {
  if (!(await writer.transaction.checkpoints.holds(name, hold))) throw moved(name)
}

/** Applies one item under a savepoint; gives its failure, or nothing. A failure of the database is thrown on. */
const attempt = async (
  { sink, telling }: Stepping,
  writer: Writer,
  item: Item,
): Promise<{ failure?: Failure; run?: Run }> => {
  if (item.failure !== undefined || item.message === undefined)
    return { failure: item.failure ?? { error: undefined } }
  const { message } = item
  // What was prepared was timed then.
  const isTimed = sink.prepare === undefined
  try {
    if (isTimed) telling.begin(item)
    const run = await writer.savepoint(async () => {
      const own = sink.open(writer)
      await own.apply(message, item.prepared)
      await own.flush?.()
      return own
    })
    if (isTimed) telling.end(item)
    return { run }
  } catch (error) {
    if (isStoreFailure(error)) throw error
    return { failure: { error } }
  }
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

  async take(item: Item): Promise<Go> {
    const { keyed, name } = this.#stepping
    const { transaction } = this.#writer
    if (this.#mayBlock && keyed && (await this.#isWaiting(item))) return 'next'
    if (this.#blocked.has(item.key) || item.passedOver === true) {
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

/** Tells what has to be told after the commit, and gives the result. */
const transactThenTell = async <T>(
  store: Store,
  work: (writer: Writer, after: (() => void)[]) => Promise<T>,
): Promise<T> => {
  let after: (() => void)[] = []
  const result = await store.transact((writer) => {
    after = []
    return work(writer, after)
  })
  for (const tell of after) tell()
  return result
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
  },
): Promise<Stepped> {
  const { items, seen, through, careful } = page
  const { name, store, telling } = stepping
  return transactThenTell(store, async (writer, after) => {
    const start = store.tools.runtime.elapsed()
    const blocked = page.mayBlock ? await blockedKeys(stepping, writer, items) : new Set<string>()
    const { mayBlock } = page
    const step = new Step(stepping, writer, { blocked, careful, mayBlock })
    let position = through
    let taken = 0
    for (const item of items) {
      const go = await step.take(item)
      if (go !== 'before') taken += 1
      if (go === 'next') continue
      position = items[taken - 1]?.stored.position ?? seen.position
      break
    }
    await step.flush()
    if (!(await writer.transaction.checkpoints.move(name, seen, position))) throw moved(name)
    after.push(...step.after, () => telling.moved(items.slice(0, taken), position, start))
    return { position, failed: step.failed }
  })
}

export interface Retried {
  readonly row: Retry
  readonly item: Item
  readonly checkpoint: Checkpoint | undefined
}

const stillDue = async (writer: Writer, row: Retry): Promise<boolean> => {
  const now = await writer.transaction.retries.find(row.subscription, row.position)
  return now?.state === 'due' && now.attempts === row.attempts && now.due === row.due
}

/** Returns whether there was one. */
const resolveLetter = async (writer: Writer, row: Retry): Promise<boolean> => {
  const { deadLetters } = writer.transaction
  const letter = await deadLetters.find(row.subscription, row.position)
  if (letter?.state !== 'redriven') return false
  await deadLetters.mark(letter.id, { from: 'redriven', to: 'resolved' })
  return true
}

/**
 * Tries messages of different keys again that are due, in one transaction, each under a savepoint of its own. If one goes
 * through, or is given up and nothing waits for it, its row is gone and the next of its key is due; a sequence without
 * keys also moves its checkpoint past it. Does nothing about one if someone else was first.
 */
export function takeRetries(stepping: Stepping, all: readonly Retried[]): Promise<void> {
  return transactThenTell(stepping.store, async (writer, after) => {
    await refuseUnlessHeld(stepping, writer)
    for (const retried of all) after.push(...(await retryOne(stepping, writer, retried)))
  })
}

/** Whether the checkpoint has to move with it: then it goes alone, because each move is counted from the one before. */
export const goesAlone = ({ keyed }: Stepping, { row, checkpoint }: Retried): boolean =>
  !keyed || row.position > (checkpoint?.position ?? 0)

/** Returns what is to be told after the commit. */
const retryOne = async (
  stepping: Stepping,
  writer: Writer,
  retried: Retried,
): Promise<readonly (() => void)[]> => {
  const { failing, telling } = stepping
  const { row, item } = retried
  if (!(await stillDue(writer, row))) return []
  const { failure, run } = await attempt(stepping, writer, item)
  if (failure !== undefined) {
    const { tell, waits } = await fail(writer.transaction, failing, { item, failure, before: row })
    if (!waits) await passBy(stepping, writer, retried)
    return [tell]
  }
  const { retries, timers } = writer.transaction
  await retries.settle(row, await timers.now())
  const isResolved = await resolveLetter(writer, row)
  await passBy(stepping, writer, retried)
  return [
    () => run?.committed?.(),
    () => telling.handled([item]),
    () => {
      if (isResolved) failing.signals.emit({ name: 'message-resolved', ...telling.of(item) })
    },
  ]
}

/**
 * A sequence without keys stands before the message. One with keys was past it, unless it had none when it failed, or was
 * divided anew since: then others of its partition may still be to do before it, and nobody will take it again.
 */
const passBy = async (
  { name, hold, keyed, isPast }: Stepping,
  writer: Writer,
  { row, checkpoint }: Retried,
): Promise<void> => {
  const seen = seenOf(hold, checkpoint)
  // Never back: the subscription may have had a key when the message failed.
  const position = Math.max(seen.position, row.position)
  if (keyed && (position <= seen.position || isPast(row))) return
  if (!(await writer.transaction.checkpoints.move(name, seen, position))) throw moved(name)
}
