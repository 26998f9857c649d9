/** Faults of transactions and of the life of a database. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from '../../src/ports/database.ts'
import { type Fault, keptByRollback, overlay, portNames } from './plant.ts'

/** Of all stores. */
let connections = 0

const inside = new AsyncLocalStorage<Transaction>()

export const transactionFaults: readonly Fault[] = [
  ...portNames.filter((name) => name !== 'sizes').map(keptByRollback),
  { name: 'a savepoint undoes nothing', ports: () => ({ savepoint: async (work) => work() }) },
  {
    name: 'a failed savepoint fails the transaction',
    database: (healthy) => ({
      async transact(work, options) {
        let failure: unknown
        const result = await healthy.transact(async (transaction) => {
          const savepoint: Transaction['savepoint'] = async (inner) => {
            try {
              return await transaction.savepoint(inner)
            } catch (error) {
              failure = error
              throw error
            }
          }
          const done = await work(overlay(transaction, { savepoint }))
          if (failure !== undefined) throw failure as Error
          return done
        }, options)
        return result
      },
    }),
  },
  {
    name: 'an error comes wrapped in another one',
    database: (healthy) => ({
      async transact(work, options) {
        try {
          return await healthy.transact(work, options)
        } catch (cause) {
          throw new Error('the transaction failed', { cause })
        }
      },
    }),
  },
  {
    name: 'a nested call joins the open transaction',
    database: (healthy) => ({
      async transact(work, options) {
        const outer = inside.getStore()
        if (outer) return work(outer)
        return healthy.transact(
          (transaction) => inside.run(transaction, () => work(transaction)),
          options,
        )
      },
    }),
  },
  {
    name: 'a read shows the open transaction',
    database: (healthy) => {
      let open: Transaction | undefined
      return {
        async transact(work, options) {
          try {
            return await healthy.transact((transaction) => work((open = transaction)), options)
          } finally {
            open = undefined
          }
        },
        read: async (work) => (open ? work(open) : healthy.read(work)),
      }
    },
  },
  {
    name: 'a question that is answered apart sees the open transaction',
    database: (healthy) => {
      let open: Transaction | undefined
      return {
        async transact(work, options) {
          try {
            return await healthy.transact((transaction) => work((open = transaction)), options)
          } finally {
            open = undefined
          }
        },
        read: async (work, options) =>
          open && options?.apart === true ? work(open) : healthy.read(work, options),
      }
    },
  },
  {
    name: 'a question that is answered apart may write',
    database: (healthy) => ({
      read: (work, options) =>
        options?.apart === true ? healthy.transact(work) : healthy.read(work, options),
    }),
  },
  {
    name: 'an ended transaction still works',
    database: (healthy) => ({
      transact: (work, options) =>
        healthy.transact((transaction) => {
          const documents = overlay(transaction.documents, {
            put: (...parameters) => {
              try {
                return transaction.documents.put(...parameters)
              } catch {
                return healthy.transact((later) => later.documents.put(...parameters))
              }
            },
          })
          return work(overlay(transaction, { documents }))
        }, options),
    }),
  },
  {
    name: 'a transaction that takes too long is left open',
    database: (healthy) => ({
      open: (runtime) => healthy.open(overlay(runtime, { after: () => () => undefined })),
    }),
  },
  {
    name: 'the time that was given for a transaction is ignored',
    database: (healthy) => ({ transact: (work) => healthy.transact(work) }),
  },
  {
    name: 'closing closes nothing',
    database: () => ({ close: () => Promise.resolve() }),
  },
  {
    name: 'closing twice is an error',
    database: (healthy) => {
      let closed = 0
      return {
        async close() {
          closed += 1
          await healthy.close()
          // The first two are those of the case; the suite itself closes once more.
          if (closed === 2) throw new Error('closed already')
        },
      }
    },
  },
  {
    name: 'a store is named anew whenever it is asked',
    database: () => {
      let asked = 0
      return { identity: async () => `store-${(asked += 1)}` }
    },
  },
  {
    name: 'each connection gives the store a name of its own',
    database: () => {
      connections += 1
      const identity = `store-${connections}`
      return { identity: async () => identity }
    },
  },
]
