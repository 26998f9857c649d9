/** What `within` works with, on every case, while the transaction is one that a user holds: nothing is changed on the way through a library. */
import postgresJs from 'postgres'
import type { Database } from 'thence'
import { fromPostgresJs, type Order } from 'thence/postgres'
import { describe, inject, test } from 'vitest'
import { type Make, makeFrom } from '../../src/conformance/case.ts'
import { documents } from '../../src/conformance/documents.ts'
import { eventsCondition } from '../../src/conformance/events-condition.ts'
import { eventsContents } from '../../src/conformance/events-contents.ts'
import { eventsOnce } from '../../src/conformance/events-once.ts'
import { eventsVerdict } from '../../src/conformance/events-verdict.ts'
import { inbox } from '../../src/conformance/inbox.ts'
import { snapshots } from '../../src/conformance/snapshots.ts'
import { timers } from '../../src/conformance/timers.ts'
import type { OwnTransaction } from '../../src/ports/database.ts'
import { wrap } from '../kit/places.ts'
import { postgresPlace } from '../kit/postgres.ts'

/** By the library that guesses the type of a parameter by its value, and so has most ways to go wrong. */
const holder = () => {
  const client = postgresJs(inject('postgres'), { max: 4, onnotice: () => undefined })
  return {
    async hold<T>(work: (own: OwnTransaction) => Promise<T>): Promise<T> {
      const values: T[] = []
      await client.begin(async (sql) => void values.push(await work(fromPostgresJs(sql))))
      return values[0]!
    },
    close: () => client.end(),
  }
}

/** A store whose write transactions are begun and ended by a user. */
const held = (database: Database): Database => {
  const user = holder()
  return wrap(database, {
    capabilities: { ...database.capabilities, sql: false },
    transact: (work, { timeout = Infinity } = {}) =>
      user.hold((own) => database.join!(own, work, { alone: true, timeout })),
    async close() {
      await database.close()
      await user.close()
    },
  })
}

const makeHeld = (order: Order): Make =>
  makeFrom(() => {
    const place = postgresPlace()
    return {
      connect: (options) => held(place.connect({ transactionTimeout: 1e12, order, ...options })),
      dispose: () => place.dispose(),
    }
  })

/** What is asked of a store by `append`, `send`, `stream`, `once` and inline projections. */
const ofLog = [...eventsContents, ...eventsVerdict, ...eventsOnce, ...eventsCondition]
const wanted = {
  sequenced: [...ofLog, ...inbox, ...timers, ...documents, ...snapshots],
  // The others have nothing to do with positions.
  concurrent: ofLog,
}

describe.for(['sequenced', 'concurrent'] as const)(
  'in the order %s a transaction of a user keeps the promises of the ports',
  (order) => {
    test.each(wanted[order].map((one) => [one.port, one.name, one] as const))(
      '%s: %s',
      async (_port, _name, one) => one.run(makeHeld(order)),
    )
  },
)
