/** The PostgreSQL adapter where several transactions have positions at once, on the cases of all ports that read or write the log. */
import { makeFrom } from '../../src/conformance/index.ts'
import { postgresPlace } from '../kit/postgres.ts'
import { defineConformance } from './define.ts'

// Cases let time pass quickly; a transaction that does not say how long it may take has it all.
const transactionTimeout = 1e12

const makeConcurrent = makeFrom(
  () => {
    const place = postgresPlace()
    return {
      connect: (options) => place.connect({ transactionTimeout, order: 'concurrent', ...options }),
      dispose: () => place.dispose(),
    }
  },
  { placeholder: (index) => `$${index}`, bytes: 'bytea' },
)

defineConformance(
  'postgres, in the order concurrent,',
  {
    sql: true,
    durable: true,
    shared: true,
    notifies: true,
    remote: true,
    ports: ['events', 'database', 'sizes', 'listening'],
  },
  makeConcurrent,
)
