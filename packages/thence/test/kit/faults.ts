// A database that fails on purpose: at the n-th write, before its commit or just after it, or from some moment on as if
// the process had been killed.
import { ThenceError } from 'thence'
import type { Database } from 'thence'
import { wrap } from './places.ts'

const broken = (): ThenceError => new ThenceError('STORE_FAILED', 'This write was made to fail.')
const lost = (): ThenceError =>
  new ThenceError('OUTCOME_UNKNOWN', 'The answer was made to be lost.')

/** `before the commit`: it fails and says so. The others lose the answer to a commit that happened, or did not. */
export type When = 'before the commit' | 'after the commit' | 'instead of the commit'

export interface Faulty {
  readonly database: Database
  /** How many writes there were. */
  readonly writes: () => number
  /** How many of them were made to fail. */
  readonly failed: () => number
}

/** Fails the writes whose number, from 0, is chosen. */
export const faulty = (inner: Database, chosen: (write: number) => When | undefined): Faulty => {
  let writes = 0
  let failed = 0
  const write = async <T>(does: (fail: () => void) => Promise<T>): Promise<T> => {
    const when = chosen(writes)
    writes += 1
    const fail = (): void => {
      failed += 1
      throw when === 'before the commit' ? broken() : lost()
    }
    const early = when !== undefined && when !== 'after the commit'
    const result = await does(early ? fail : () => undefined)
    if (when === 'after the commit') fail()
    return result
  }
  const database = wrap(inner, {
    append: (requests) =>
      write(async (fail) => {
        fail()
        return inner.append(requests)
      }),
    transact: (work) =>
      write((fail) =>
        inner.transact(async (transaction) => {
          const result = await work(transaction)
          fail()
          return result
        }),
      ),
  })
  return { database, writes: () => writes, failed: () => failed }
}

/** A database that can be lost: from then on everything of this app fails, and nothing it has open commits. */
export const losable = (inner: Database): { readonly database: Database; lose(): void } => {
  let lost = false
  const check = (): void => {
    if (lost) throw new ThenceError('STORE_CLOSED', 'The process was killed.')
  }
  const database = wrap(inner, {
    append: async (requests) => {
      check()
      return inner.append(requests)
    },
    transact: async (work) => {
      check()
      return inner.transact(async (transaction) => {
        const result = await work(transaction)
        check()
        return result
      })
    },
    read: async (work) => {
      check()
      return inner.read(work)
    },
  })
  return { database, lose: () => void (lost = true) }
}

/** Gives what it reads a few turns later, so that others act in between: what was read may be old by then. */
export const slowly = (inner: Database): Database =>
  wrap(inner, {
    read: async (work) => {
      const result = await inner.read(work)
      for (let turns = 0; turns < 3; turns += 1)
        await new Promise<void>((resolve) => void setImmediate(resolve))
      return result
    },
  })

/** Fails in the middle of a write, as a full disk does, as long as `full` says so. */
export const fillable = (inner: Database, full: () => boolean): Database =>
  wrap(inner, {
    transact: (work) =>
      inner.transact((transaction) => {
        const get = (target: typeof transaction, name: string | symbol): unknown => {
          if (name === 'documents' && full())
            throw new ThenceError('STORE_FULL', 'The disk was made to be full.')
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
        return work(new Proxy(transaction, { get }))
      }),
  })
