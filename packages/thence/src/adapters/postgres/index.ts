/**
 * `thence/postgres`: a store in one schema of a PostgreSQL database, on the library `pg`.
 */
import type { Database } from '../../ports/database.ts'
import { PostgresStore } from './database.ts'
import type { PostgresOptions } from './options.ts'

export type {
  PostgresClient,
  PostgresNotification,
  PostgresPool,
  PostgresQuery,
  PostgresResult,
  PostgresValue,
} from './driver.ts'
export type { PostgresOptions } from './options.ts'
export type { Order } from './order.ts'
export type { Roles } from './grants.ts'
export { grants } from './grants.ts'
export type {
  DrizzleTag,
  DrizzleTransaction,
  KnexTransaction,
  KyselyQuery,
  KyselyTransaction,
  PgClient,
  PostgresJsTransaction,
  PrismaTransaction,
} from './libraries.ts'
export {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPg,
  fromPostgresJs,
  fromPrisma,
} from './libraries.ts'
export type { OwnTransaction } from '../../ports/database.ts'

/**
 * A store in PostgreSQL, which many processes can share. It owns the pool from here on: it takes connections from it for one
 * transaction at a time, leaves nothing behind in their sessions, and ends the pool when it is closed.
 */
export function postgres(options: PostgresOptions): Database {
  return new PostgresStore(options)
}
