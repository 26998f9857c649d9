/** What the cases of retries are written with. */
import type { Database } from '../ports/database.ts'
import type { Retries, Retry } from '../ports/retries.ts'

/** Failed once, of subscription `p` and key `k`, and due at 100. */
export const row = (position: number, change: Partial<Retry> = {}): Retry => ({
  subscription: 'p',
  key: 'k',
  hash: 7,
  position,
  messageId: `m${position}`,
  state: 'due',
  attempts: 1,
  due: 100,
  history: [{ time: 50, error: 'Error: no' }],
  ...change,
})

/** Waits behind an earlier one. */
export const queued = (position: number, change: Partial<Retry> = {}): Retry =>
  row(position, { state: 'queued', attempts: 0, due: 0, history: [], ...change })

export const parked = (position: number): Retry => row(position, { state: 'parked', due: 0 })

export const within = <T>(
  database: Database,
  work: (retries: Retries) => T | Promise<T>,
): Promise<T> => database.transact(({ retries }) => work(retries))

export const put = (database: Database, ...rows: readonly Retry[]): Promise<void> =>
  within(database, async (retries) => {
    for (const one of rows) await retries.put(one)
  })

export const find = (
  database: Database,
  position: number,
  subscription = 'p',
): Promise<Retry | undefined> =>
  database.read(({ retries }) => retries.find(subscription, position))
