// A database that fails on purpose: at the n-th write, before its commit or just after it, or from some moment on as if
// the process had been killed.
import { ThenceError } from 'thence'
import type { Database, Runtime } from 'thence'
import { overlay } from '../conformance/plant.ts'
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

/** Fails to read streams, as a server does that goes away, as long as `fails` says so. */
export const unreadable = (inner: Database, fails: () => boolean): Database =>
  wrap(inner, {
    read: (work, options) =>
      inner.read((transaction) => {
        const readStream: Transaction['events']['readStream'] = (stream, range) => {
          if (fails()) throw new ThenceError('STORE_FAILED', 'This read was made to fail.')
          return transaction.events.readStream(stream, range)
        }
        return work(overlay(transaction, { events: overlay(transaction.events, { readStream }) }))
      }, options),
  })

/** Gives what it reads a few turns later, so that others act in between: what was read may be old by then. */
export const slowly = (inner: Database, runtime: Pick<Runtime, 'soon'>): Database =>
  wrap(inner, {
    read: async (work) => {
      const result = await inner.read(work)
      for (let turns = 0; turns < 3; turns += 1)
        await new Promise<void>((resolve) => runtime.soon(resolve))
      return result
    },
  })

type Transaction = Parameters<Parameters<Database['transact']>[0]>[0]

/** The same transaction; `touches` is told which of its ports the work uses. */
const watched = (transaction: Transaction, touches: (port: string | symbol) => void): Transaction =>
  new Proxy(transaction, {
    get: (target, port): unknown => {
      touches(port)
      const value: unknown = Reflect.get(target, port, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

/** Fails in the middle of a write when it comes to a port, as long as `fails` gives what with. */
const failingAt = (
  inner: Database,
  port: keyof Transaction,
  fails: () => ThenceError | undefined,
): Database =>
  wrap(inner, {
    transact: (work, options) =>
      inner.transact((transaction) => {
        const touches = (touched: string | symbol): void => {
          const failure = touched === port ? fails() : undefined
          if (failure !== undefined) throw failure
        }
        return work(watched(transaction, touches))
      }, options),
  })

/** Fails in the middle of a write, as a full disk does, as long as `full` says so. */
export const fillable = (
  inner: Database,
  full: () => boolean,
  port: keyof Transaction = 'documents',
): Database =>
  failingAt(inner, port, () =>
    full() ? new ThenceError('STORE_FULL', 'The disk was made to be full.') : undefined,
  )

/** Nothing is heard of this process while `silent` says so, as when it hangs; all else works. */
export const silenced = (inner: Database, silent: () => boolean): Database =>
  failingAt(inner, 'leases', () =>
    silent() ? new ThenceError('STORE_FAILED', 'This process is not heard of.') : undefined,
  )

/** Tells of each read that uses a port. */
export const readings = (inner: Database, port: keyof Transaction, told: () => void): Database =>
  wrap(inner, {
    read: (work) =>
      inner.read((transaction) =>
        work(watched(transaction, (touched) => void (touched === port && told()))),
      ),
  })

/** Has two processes that read from a port go on from what they read only when the other has read from it too. */
export const inPairs = (
  port: keyof Transaction,
): { readonly around: (inner: Database) => Database; end(): void } => {
  let ended = false
  let waiting: (() => void) | undefined
  const meet = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const other = waiting
    waiting = other === undefined ? resolve : undefined
    if (other !== undefined) resolve()
    other?.()
    return promise
  }
  const around = (inner: Database): Database =>
    wrap(inner, {
      read: async (work) => {
        let reads = false
        const touches = (touched: string | symbol): void => void (reads ||= touched === port)
        const result = await inner.read((transaction) => work(watched(transaction, touches)))
        if (reads && !ended) await meet()
        return result
      },
    })
  const end = (): void => {
    ended = true
    waiting?.()
  }
  return { around, end }
}
