/**
 * What every transaction of a subscription has in common: what it works with, the lease that is asked for, one item under
 * a savepoint, and what is told after the commit.
 */
import { isStoreFailure, ThenceError } from '../errors.ts'
import type { Checkpoint, Hold, Seen } from '../ports/checkpoints.ts'
import type { Retry } from '../ports/retries.ts'
import type { Store } from '../store/store.ts'
import type { Writer } from '../store/writer.ts'
import type { Failing } from './failing.ts'
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
export const attempt = async (
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

/** Tells what has to be told after the commit, and gives the result. */
export const transactThenTell = async <T>(
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
