/** Plants a fault into the memory adapter: methods of its ports, or of the database itself, are replaced. */
import { memory, memoryStore } from '../../src/adapters/memory/index.ts'
import { type Make, makeFrom } from '../../src/conformance/index.ts'
import type { Database, Transaction } from '../../src/ports/database.ts'
import type { Verdict } from '../../src/ports/events.ts'

export type PortName = Exclude<keyof Transaction, 'sql' | 'savepoint'>

/** What stands in the place of the healthy methods. */
export type Faulty = { readonly [P in PortName]?: Partial<Transaction[P]> } & {
  readonly savepoint?: Transaction['savepoint']
}

export interface Fault {
  readonly name: string
  /** Given the healthy ports of one transaction. */
  readonly ports?: (healthy: Transaction) => Faulty
  readonly database?: (healthy: Database) => Partial<Database>
}

export const portNames: readonly PortName[] = [
  'events',
  'checkpoints',
  'retries',
  'leases',
  'deadLetters',
  'inbox',
  'timers',
  'snapshots',
  'documents',
  'sizes',
  'audit',
  'jobs',
]

/** `target` with some of its members replaced. */
export function overlay<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name): unknown => {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name)
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

function withFault(healthy: Transaction, fault: (healthy: Transaction) => Faulty): Transaction {
  const { savepoint, ...ports } = fault(healthy)
  const replaced = portNames.map((name) => [name, overlay(healthy[name], ports[name] ?? {})])
  return overlay(healthy, { ...Object.fromEntries(replaced), ...(savepoint && { savepoint }) })
}

/** A database with this fault. */
export function faulty(healthy: Database, { ports, database }: Fault): Database {
  const ported =
    ports === undefined
      ? healthy
      : overlay(healthy, {
          transact: (work, options) =>
            healthy.transact((transaction) => work(withFault(transaction, ports)), options),
          read: (work) => healthy.read((transaction) => work(withFault(transaction, ports))),
          append: (requests) =>
            healthy.transact(async (transaction) => {
              const { events } = withFault(transaction, ports)
              const verdicts: Verdict[] = []
              for (const request of requests) verdicts.push(await events.append(request))
              return verdicts
            }),
        })
  return database === undefined ? ported : overlay(ported, database(ported))
}

/** Makes memory databases that have this fault. */
export const plant = (fault: Fault): Make =>
  makeFrom(() => {
    const store = memoryStore()
    return { connect: (options) => faulty(memory({ ...options, store }), fault) }
  })

/** A database whose rollback forgets one port: what was called there in vain is done again. */
export const keptByRollback = (port: PortName): Fault => ({
  name: `a rollback keeps what was written through ${port}`,
  database: (healthy) => ({
    async transact(work, options) {
      const calls: { readonly method: string | symbol; readonly parameters: unknown[] }[] = []
      const record = (transaction: Transaction): Transaction => {
        const recorded = new Proxy(transaction[port], {
          get:
            (target, method) =>
            (...parameters: unknown[]) => {
              calls.push({ method, parameters })
              return Reflect.apply(Reflect.get(target, method), target, parameters) as unknown
            },
        })
        return overlay(transaction, { [port]: recorded })
      }
      try {
        return await healthy.transact((transaction) => work(record(transaction)), options)
      } catch (error) {
        await healthy.transact(async (transaction) => {
          for (const { method, parameters } of calls)
            await Reflect.apply(
              Reflect.get(transaction[port], method),
              transaction[port],
              parameters,
            )
        })
        throw error
      }
    },
  }),
})
