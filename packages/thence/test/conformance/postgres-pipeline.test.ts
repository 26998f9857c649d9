/** What a transaction keeps, over connections that send what they are asked at once instead of one after the other. */
import { Pool } from 'pg'
import { postgres } from 'thence/postgres'
import { describe, expect, inject, test } from 'vitest'
import { makeFrom } from '../../src/conformance/case.ts'
import { database } from '../../src/conformance/database.ts'
import { eventsVerdict } from '../../src/conformance/events-verdict.ts'
import { isolation } from '../../src/conformance/isolation.ts'
import { sql } from '../../src/conformance/sql.ts'
import { transactionEnd } from '../../src/conformance/transaction-end.ts'
import { transactions } from '../../src/conformance/transactions.ts'
import { postgresPlace } from '../kit/postgres.ts'

const pipelined = (schema: string): Pool =>
  new Pool({
    connectionString: inject('postgres'),
    max: 8,
    pipeline: true,
    options: `-c search_path=${schema} -c client_min_messages=warning`,
  })

const make = makeFrom(
  () => {
    const place = postgresPlace()
    return {
      connect: (options) =>
        place.connect({ transactionTimeout: 1e12, pool: pipelined(place.schema), ...options }),
      dispose: () => place.dispose(),
    }
  },
  { placeholder: (index) => `$${index}`, bytes: 'bytea' },
)

const { capabilities } = postgres({ pool: pipelined('public') })

const wanted = [
  ...database,
  ...transactions,
  ...transactionEnd,
  ...isolation,
  ...sql,
  ...eventsVerdict,
].filter(({ requires }) => requires?.(capabilities) === undefined)

describe('PostgreSQL keeps the promises of the ports on pipelined connections', () => {
  test.each(wanted.map((one) => [one.port, one.name, one] as const))(
    '%s: %s',
    async (_port, _name, one) => one.run(make),
  )
})

test('the connections are pipelined', async () => {
  const pool = pipelined('public')
  const client = await pool.connect()
  expect(client.pipeline).toBe(true)
  client.release()
  await pool.end()
})
