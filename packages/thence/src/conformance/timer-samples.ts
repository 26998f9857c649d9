/** What the cases of timers are written with. */
import type { Database } from '../ports/database.ts'
import type { NewTimer, Timer, TimerPlace, Timers } from '../ports/timers.ts'
import { message } from './samples.ts'

export const timer = (
  id: string,
  due: NewTimer['due'],
  change: Partial<NewTimer> = {},
): NewTimer => ({
  id,
  owner: 'saga-1',
  due,
  stream: 's',
  message: message(`of ${id}`),
  ...change,
})

/** As it is kept when nothing has happened to it. */
export const kept = (set: NewTimer & { readonly due: number }): Timer => ({
  ...set,
  next: set.due,
  attempts: 0,
  error: null,
})

export const within = <T>(
  database: Database,
  work: (timers: Timers) => T | Promise<T>,
): Promise<T> => database.transact(({ timers: rows }) => work(rows))

export const set = (database: Database, ...rows: readonly NewTimer[]): Promise<void> =>
  within(database, async (timers) => {
    for (const row of rows) await timers.set(row)
  })

export const due = async (database: Database, limit = 100, after?: TimerPlace): Promise<string[]> =>
  (
    await within(database, (rows) => rows.due({ limit, ...(after === undefined ? {} : { after }) }))
  ).map(({ id }) => id)

export const wait = (database: Database): Promise<number | undefined> =>
  database.read(({ timers: rows }) => rows.wait())

export const all = (database: Database): Promise<readonly Timer[]> =>
  database.read(({ timers: rows }) => rows.list({ limit: 100 }))

export const find = (database: Database, id: string): Promise<Timer | undefined> =>
  database.read(({ timers: rows }) => rows.find(id))
