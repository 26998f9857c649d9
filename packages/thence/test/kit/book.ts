// A book of what accounts hold, as a read model in documents and in a table; and what it must show, folded from the same
// history.
import * as fc from 'fast-check'
import type { Database } from 'thence'
import { documents, event, plain, projection, query, tables } from 'thence'
import type { Place } from './places.ts'
import { run, sqlText } from './places.ts'

export interface Move {
  readonly account: string
  readonly by: number
}
export const Moved = event('Moved', plain<Move>())
export const Closed = event('Closed', plain<{ account: string }>())
export const Balance = query('Balance', { input: plain<string>(), output: plain<number | null>() })

type Step = { readonly account: string; readonly by?: number }

/** What the view must be. */
export const fold = (steps: readonly Step[]): Readonly<Record<string, number>> => {
  const book: Record<string, number> = {}
  for (const { account, by } of steps)
    if (by === undefined) delete book[account]
    else book[account] = (book[account] ?? 0) + by
  return book
}

/** The same as events. */
export const eventsOf = (steps: readonly Step[]) =>
  steps.map(({ account, by }) => (by === undefined ? Closed({ account }) : Moved({ account, by })))

/** The book as documents; while it is `broken` it refuses thirteen. */
export const inDocuments = (
  options: { inline?: boolean; batch?: number; broken?: () => boolean } = {},
) =>
  projection('book', {
    ...(options.inline === undefined ? {} : { inline: options.inline }),
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    view: documents<number>(),
    retry: { attempts: 2, base: 10 },
    on: (on) =>
      on(Moved, async ({ data }, view) => {
        await view.update(data.account, (before = 0) => before + data.by)
        if (data.by === 13 && options.broken?.() === true) throw new Error('unlucky')
      }).on(Closed, ({ data }, view) => view.delete(data.account)),
    answers: (on) => on(Balance, async (account, view) => (await view.get(account)) ?? null),
  })

/** The book as a table. */
export const inTables = (options: { inline?: boolean } = {}) =>
  projection('book', {
    ...options,
    view: tables({
      create: ['CREATE TABLE IF NOT EXISTS book (account TEXT PRIMARY KEY, total INTEGER)'],
      clear: ['DELETE FROM book'],
    }),
    on: (on) =>
      on(Moved, async ({ data }, view) => {
        const text =
          'INSERT INTO book VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET total = book.total + ?2'
        await view.run(sqlText(text), data.account, data.by)
      }).on(Closed, async ({ data }, view) => {
        await view.run(sqlText('DELETE FROM book WHERE account = ?1'), data.account)
      }),
    answers: (on) =>
      on(Balance, async (account, view) => {
        const text = sqlText('SELECT total FROM book WHERE account = ?1')
        return (await view.first<{ total: number }>(text, account))?.total ?? null
      }),
  })

type Book = ReturnType<typeof inDocuments> | ReturnType<typeof inTables>

/** Starts an app with it. */
export const start = (place: Place, book: Book, around?: (one: Database) => Database) =>
  run(place, (app) => app.use(book).messages(Moved, Closed), around === undefined ? {} : { around })

type Test = Awaited<ReturnType<typeof start>>

export const accounts = ['a', 'b', 'c', 'd']

/** What the view shows; with `after`, of that and what came before. */
export const shown = async (test: Test, after?: number): Promise<Record<string, number>> => {
  const book: Record<string, number> = {}
  for (const account of accounts) {
    const asked = test.app.ask(Balance(account), after === undefined ? {} : { after })
    const total = await test.runtime.until(asked)
    if (total !== null) book[account] = total
  }
  return book
}

/** Any history of a few accounts. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record(
    { account: fc.constantFrom(...accounts), by: fc.integer({ min: -9, max: 9 }) },
    { requiredKeys: ['account'] },
  ),
  { maxLength: 60 },
)
