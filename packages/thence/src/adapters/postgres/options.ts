/**
 * What a user says of a PostgreSQL store, checked, and the pools that its connections come from.
 */
import { ThenceError } from '../../errors.ts'
import type { OptionNames } from '../../message/expect.ts'
import { expectOneOf, expectOptions, expectTime } from '../../message/expect.ts'
import type { PostgresPool } from './driver.ts'
import type { Order } from './order.ts'

export interface PostgresOptions {
  /** `new Pool({ connectionString, max })` of `pg`, of its own: it is ended with the store. */
  readonly pool: PostgresPool
  /** Where the tables are; made by the first migration if it is not there. Default `thence`. */
  readonly schema?: string
  /**
   * The schema to which names without one lead first in your own SQL, above all those of views in tables; made with the store if it is not
   * there. A store keeps the one that it was made with, and another one that is said here is refused. Default: that of the store,
   * and the schema's name with `_views` for a new one.
   */
  readonly views?: string
  /** How long a transaction may stay open, in milliseconds; default 30000. */
  readonly transactionTimeout?: number
  /** How long to wait for what another transaction holds, in milliseconds; default 10000. */
  readonly lockTimeout?: number
  /**
   * How long one statement may run, in milliseconds; default 60000. The server ends it then; where the server is silent, the
   * connection is closed five seconds later. `Infinity`: no limit, and a silent server is waited for as long as the operating system does.
   */
  readonly statementTimeout?: number
  /**
   * `on` (default): a server that confirms commits before they are on its disk (`synchronous_commit = off`) is refused.
   * `off`: it is taken as it is, and a crash of the server may take the last commits.
   */
  readonly synchronous?: 'on' | 'off'
  /**
   * Whose time timers, leases and retries go by; default that of the server, so that processes need not agree on theirs.
   * `runtime` is for tests and simulations, whose clock is not the world's.
   */
  readonly clock?: 'database' | 'runtime'
  /**
   * In which order a new store gives positions; a store keeps the order that it was made with, and another one that is said here is
   * refused. `sequenced`: who appends waits for the commit of who appended before. `concurrent`: only for those who write to the same
   * stream or whom a condition concerns; positions have gaps. Default: that of the store, and `sequenced` for a new one.
   */
  readonly order?: Order
  /**
   * Whether one connection of the pool listens to what other processes append; default true. Where the pool goes through a
   * pooler that hands out connections for a transaction at a time, a pool of its own that goes to the server itself.
   */
  readonly listen?: boolean | PostgresPool
}

const optionNames: OptionNames<PostgresOptions> = {
  pool: true,
  schema: true,
  views: true,
  transactionTimeout: true,
  lockTimeout: true,
  statementTimeout: true,
  synchronous: true,
  clock: true,
  order: true,
  listen: true,
}

export type PostgresSettings = Required<
  Omit<PostgresOptions, 'pool' | 'schema' | 'views' | 'listen' | 'order'>
> & {
  readonly order: Order | undefined
  readonly views: string | undefined
}

/** @throws CONFIG_INVALID */
export const settingsOf = (options: PostgresOptions): PostgresSettings => {
  expectOptions('postgres', options, optionNames)
  const { transactionTimeout = 30_000, lockTimeout = 10_000 } = options
  const { statementTimeout = 60_000 } = options
  const { clock = 'database', synchronous = 'on', order, views } = options
  expectTime('transactionTimeout of postgres', transactionTimeout)
  expectTime('lockTimeout of postgres', lockTimeout)
  expectTime('statementTimeout of postgres', statementTimeout)
  expectOneOf('clock of postgres', clock, ['database', 'runtime'])
  expectOneOf('synchronous of postgres', synchronous, ['on', 'off'])
  if (order !== undefined) expectOneOf('order of postgres', order, ['sequenced', 'concurrent'])
  return { transactionTimeout, lockTimeout, statementTimeout, clock, synchronous, order, views }
}

/** A pool of a single connection cannot spare it. */
export const earsOf = ({ pool, listen = true }: PostgresOptions): PostgresPool | undefined => {
  if (typeof listen === 'boolean') return listen && pool.options?.max !== 1 ? pool : undefined
  return poolOf({ pool: listen }, 'listen')
}

const ignore = (): void => undefined

/**
 * A connection that breaks is replaced by the pool; without a listener it would end the process. That of the pool is taken from a connection
 * before whoever asked for it is given it, and the end may come in the same packet as the beginning.
 */
export const guard = (pool: PostgresPool): void => {
  pool.on('error', ignore)
  pool.on('connect', (client) => client.on('error', ignore))
}

export const poolOf = (
  options: Partial<PostgresOptions> | undefined | null,
  name = 'pool',
): PostgresPool => {
  const pool = options?.pool
  if (typeof pool?.connect === 'function' && typeof pool.end === 'function') return pool
  throw new ThenceError(
    'CONFIG_INVALID',
    `postgres({ ${name} }) takes a pool of connections: new Pool({ connectionString }) of pg.`,
  )
}
