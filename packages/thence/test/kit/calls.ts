// A database that tells what is asked of its ports, and that can hold what it read until the test lets it go.
import type { Database } from 'thence'
import { wrap } from './places.ts'

type Transaction = Parameters<Parameters<Database['transact']>[0]>[0]
type Note = (call: string) => void

/** Tells of each port and of each method that is taken from it, as `retries.take`. */
const noting = (transaction: Transaction, note: Note): Transaction => {
  const get = (target: Transaction, port: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, port, target)
    if (typeof value === 'function') return value.bind(target) as unknown
    if (typeof value !== 'object' || value === null) return value
    return new Proxy(value, {
      get: (owner, method) => {
        note(`${String(port)}.${String(method)}`)
        const member: unknown = Reflect.get(owner, method, owner)
        return typeof member === 'function' ? (member.bind(owner) as unknown) : member
      },
    })
  }
  return new Proxy(transaction, { get })
}

/** Calls `note` for every call of a port. */
export const noted = (inner: Database, note: Note): Database =>
  wrap(inner, {
    transact: (work, ...rest) => inner.transact((one) => work(noting(one, note)), ...rest),
    read: (work) => inner.read((one) => work(noting(one, note))),
  })

/** Keeps what a read gave, as long as `hold` gives a promise for one of its calls. */
export const heldReads = (
  inner: Database,
  hold: (call: string) => Promise<void> | undefined,
): Database =>
  wrap(inner, {
    read: async (work) => {
      const held: Promise<void>[] = []
      const note = (call: string): void => {
        const until = hold(call)
        if (until !== undefined) held.push(until)
      }
      const result = await inner.read((one) => work(noting(one, note)))
      await Promise.all(held)
      return result
    },
  })

type Page = Awaited<ReturnType<Transaction['events']['readStream']>>

/** Gives `note` every page that is read of a stream. */
export const watchedStreams = (inner: Database, note: (page: Page) => void): Database => {
  const watching = (transaction: Transaction): Transaction => {
    const { events } = transaction
    const readStream: typeof events.readStream = async (stream, options) => {
      const page = await events.readStream(stream, options)
      note(page)
      return page
    }
    const get = (owner: object, name: string | symbol): unknown => {
      const member: unknown = Reflect.get(owner, name, owner)
      return typeof member === 'function' ? (member.bind(owner) as unknown) : member
    }
    const watched = new Proxy(events, {
      get: (owner, name) => (name === 'readStream' ? readStream : get(owner, name)),
    })
    return new Proxy(transaction, {
      get: (owner, name) => (name === 'events' ? watched : get(owner, name)),
    })
  }
  return wrap(inner, {
    transact: (work, ...rest) => inner.transact((one) => work(watching(one)), ...rest),
    read: (work) => inner.read((one) => work(watching(one))),
  })
}
