// A view whose rows must add up, so that a reader who was shown parts of two versions would notice; how it counts can be
// changed while it runs, as by a deployment.
import type { Database, Projection, Recorded } from 'thence'
import { documents, event, plain, projection, query, tables } from 'thence'
import type { TestAppOptions } from 'thence/testing'
import type { Place } from './places.ts'
import { run, sqlText } from './places.ts'

export const Paid = event('Paid', plain<{ payer: string; sum: number }>())
/** What was paid by each, and by all. */
export const Sums = query('Sums', {
  input: plain<void>(),
  output: plain<Readonly<Record<string, number>>>(),
})

export const everyone = 'everyone'

/** The code of the projection, as far as it changes. */
export interface Code {
  /** Every sum counts so many times. */
  factor: number
  /** Sums that make it throw. */
  readonly refuses: Set<number>
  /** How many events were applied. */
  applied: number
  /** While it is there, every event waits for it. */
  hold?: Promise<void>
}

export const newCode = (factor = 1): Code => ({ factor, refuses: new Set(), applied: 0 })

export interface SumsOptions {
  readonly inline?: boolean
  readonly batch?: number
  readonly keyed?: boolean
}

type PaidEvent = Recorded<'Paid', { readonly payer: string; readonly sum: number }>

const worth = async (code: Code, { data }: PaidEvent): Promise<number> => {
  code.applied += 1
  await code.hold
  if (code.refuses.has(data.sum)) throw new Error(`no ${data.sum}`)
  return data.sum * code.factor
}

const rest = ({ inline = false, batch = 10, keyed = false }: SumsOptions) => ({
  inline,
  batch,
  retry: { attempts: 1 },
  ...(keyed ? { key: ({ data }: Recorded) => (data as PaidEvent['data']).payer } : {}),
})

/** As documents. */
export const sums = (code: Code, options: SumsOptions = {}) =>
  projection('sums', {
    view: documents<number>(),
    ...rest(options),
    on: (on) =>
      on(Paid, async (paid, view) => {
        const more = await worth(code, paid)
        for (const key of options.keyed === true ? [paid.data.payer] : [paid.data.payer, everyone])
          await view.update(key, (sum = 0) => sum + more)
      }),
    answers: (on) =>
      on(Sums, async (_, view) => {
        const found: Record<string, number> = {}
        for await (const { key, document } of view.list()) found[key] = document
        return found
      }),
  })

const upsert = (table: string): string =>
  sqlText(
    `INSERT INTO ${table} AS own VALUES (?1, ?2) ON CONFLICT (payer) DO UPDATE SET sum = own.sum + excluded.sum`,
  )
const columns = '(payer TEXT PRIMARY KEY, sum INTEGER NOT NULL)'
type Row = { readonly payer: string; readonly sum: number }

/** As a table; `fixed`: with a name of its own, so that there is one version only. */
export const sumTable = (code: Code, options: SumsOptions & { readonly fixed?: boolean } = {}) =>
  projection('sums', {
    view:
      options.fixed === true
        ? tables({
            create: [`CREATE TABLE IF NOT EXISTS sums ${columns}`],
            clear: ['DELETE FROM sums'],
          })
        : tables({
            create: (table) => [
              `CREATE TABLE IF NOT EXISTS ${table()} ${columns}`,
              `CREATE INDEX IF NOT EXISTS ${table('by_sum')} ON ${table()} (sum)`,
            ],
            drop: (table) => [`DROP TABLE IF EXISTS ${table()}`],
          }),
    ...rest(options),
    on: (on) =>
      on(Paid, async (paid, view) => {
        const more = await worth(code, paid)
        for (const key of [paid.data.payer, everyone])
          await view.run(upsert(view.table()), key, more)
      }),
    answers: (on) =>
      on(Sums, async (_, { all, table }) => {
        const rows = await all<Row>(`SELECT payer, sum FROM ${table()}`)
        return Object.fromEntries(rows.map(({ payer, sum }) => [payer, sum]))
      }),
  })

/** So many payments by a few payers; each of 1, unless told otherwise. */
export const pay = (times: number, sum = 1) =>
  Array.from({ length: times }, (_, index) => Paid({ payer: `p${index % 7}`, sum }))

export type Sums = Readonly<Record<string, number>>

/** What all have paid, if the rows add up to it. */
export const total = (found: Sums): number => {
  const { [everyone]: all = 0, ...each } = found
  const sum = Object.values(each).reduce((one, other) => one + other, 0)
  if (sum !== all) throw new Error(`The rows add up to ${sum}, not to ${all}: a mixture.`)
  return all
}

/** Starts an app with one of the projections. */
export const start = (
  place: Place,
  projected: Projection<'Sums'>,
  options: Omit<TestAppOptions, 'database'> & {
    readonly around?: (one: Database) => Database
  } = {},
) => run(place, (app) => app.use(projected).messages(Paid), options)

export type Started = Awaited<ReturnType<typeof start>>

/** The sum of everything, at once or not at all. */
export const askNow = async ({ app }: Started): Promise<number> =>
  total(await app.ask(Sums(), { timeout: 0 }))
