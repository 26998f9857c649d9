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

/** What a step works with. */
export interface Stepping {
  readonly name: string
  /** Under which lease it is done. */
  readonly hold: Hold
  /** Without a key of its own a subscription is one sequence: it waits at a message that failed. */
  readonly keyed: boolean
  readonly sink: Sink
  readonly store: Store
  readonly failing: Failing
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
  { sink }: Stepping,
  writer: Writer,
  item: Item,
): Promise<{ failure?: Failure; run?: Run }> => {
  if (item.failure !== undefined || item.message === undefined)
    return { failure: item.failure ?? { error: undefined } }
  const { message } = item
  try {
    const run = await writer.savepoint(async () => {
      const own = sink.open(writer)
      await own.apply(message, item.prepared)
      await own.flush?.()
      return own
    })
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

/** A step while it is being taken. */
class Step {
  readonly after: (() => void)[] = []
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

  /** Returns whether the sequence may go on behind this item. */
  async take(item: Item): Promise<boolean> {
    const { keyed, name, failing } = this.#stepping
    const { transaction } = this.#writer
    if (this.#mayBlock && keyed && (await this.#isWaiting(item))) return true
    if (this.#blocked.has(item.key) || item.passedOver === true) {
      await queue(transaction, name, item)
      this.#blocked.add(item.key)
      return true
    }
    const failure = await this.#apply(item)
    if (failure === undefined) return true
    // Another process has met the same failure: its count of attempts must not begin anew.
    if ((await transaction.retries.find(name, item.stored.position)) !== undefined)
      throw moved(name)
    this.after.push(await fail(transaction, failing, { item, failure }))
    this.#failed = true
    if (keyed) this.#blocked.add(item.key)
    return keyed
  }

  async flush(): Promise<void> {
    const shared = this.#shared
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
    if (this.#shared !== undefined && item.message !== undefined) {
      await this.#shared.apply(item.message, item.prepared)
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
  const { name, store } = stepping
  return transactThenTell(store, async (writer, after) => {
    const blocked = page.mayBlock ? await blockedKeys(stepping, writer, items) : new Set<string>()
    const { mayBlock } = page
    const step = new Step(stepping, writer, { blocked, careful, mayBlock })
    let position = through
    let done = seen.position
    for (const item of items) {
      if (!(await step.take(item))) {
        position = done
        break
      }
      done = item.stored.position
    }
    await step.flush()
    if (!(await writer.transaction.checkpoints.move(name, seen, position))) throw moved(name)
    after.push(...step.after)
    return { position, failed: step.failed }
  })
}

const stillDue = async (writer: Writer, row: Retry): Promise<boolean> => {
  const now = await writer.transaction.retries.find(row.subscription, row.position)
  return now?.state === 'due' && now.attempts === row.attempts
}

const resolveLetter = async (writer: Writer, row: Retry): Promise<void> => {
  const letter = await writer.transaction.deadLetters.find(row.subscription, row.position)
  if (letter?.state === 'redriven')
    await writer.transaction.deadLetters.mark(letter.id, { from: 'redriven', to: 'resolved' })
}

/**
 * Tries a message again that is due. If it goes through, its row is gone and the next of its key is due; a sequence
 * without keys also moves its checkpoint past it. Returns whether it went through; `undefined` if someone else was first.
 */
export function takeRetry(
  stepping: Stepping,
  { row, item, checkpoint }: { row: Retry; item: Item; checkpoint: Checkpoint | undefined },
): Promise<boolean | undefined> {
  const { name, hold, keyed, store, failing } = stepping
  return transactThenTell(store, async (writer, after) => {
    await refuseUnlessHeld(stepping, writer)
    if (!(await stillDue(writer, row))) return undefined
    const { failure, run } = await attempt(stepping, writer, item)
    if (failure !== undefined) {
      after.push(await fail(writer.transaction, failing, { item, failure, before: row }))
      return false
    }
    await writer.transaction.retries.settle(row, failing.runtime.now())
    await resolveLetter(writer, row)
    const seen = seenOf(hold, checkpoint)
    // Never back: the subscription may have had a key when the message failed.
    const position = Math.max(seen.position, row.position)
    if (
      (!keyed || position > seen.position) &&
      !(await writer.transaction.checkpoints.move(name, seen, position))
    )
      throw moved(name)
    if (run !== undefined) after.push(() => run.committed?.())
    return true
  })
}
