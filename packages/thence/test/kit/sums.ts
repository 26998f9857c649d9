// An app for tests of transactions: a counter that refuses more than ten, a view that refuses thirteen, notes that a
// handler takes; and a work that does a bit of everything.
import type { App, AppBuilder, AppTransaction } from 'thence'
import {
  aggregate,
  command,
  documents,
  event,
  handler,
  plain,
  projection,
  query,
  reject,
} from 'thence'
import type { Place } from './places.ts'
import { all, run } from './places.ts'

export const Added = event('Added', plain<{ n: number }>())
export const Noted = event('Noted', plain<{ n: number }>())
export const Add = command('Add', plain<{ n: number }>())
export const Note = command('Note', plain<{ n: number }>())
export const Sum = query('Sum', { input: plain<void>(), output: plain<number>() })

export const counter = aggregate('counter', {
  initial: () => ({ sum: 0 }),
  evolve: (on) => on(Added, ({ sum }, { data }) => ({ sum: sum + data.n })),
  decide: (on) =>
    on(Add, ({ sum }, { data }) => {
      if (sum + data.n > 10) throw reject('TOO_MUCH', `${sum} and ${data.n} are too much.`)
      return data.n === 0 ? [] : Added(data)
    }),
  stream: () => 'one',
  snapshot: { every: 2 },
})

/** Refuses thirteen. */
const sum = projection('sum', {
  view: documents<number>(),
  inline: true,
  on: (on) =>
    on(Added, async ({ data }, view) => {
      await view.update('all', (before = 0) => before + data.n)
      if (data.n === 13) throw new Error('No thirteens.')
    }),
  answers: (on) => on(Sum, async (_, view) => (await view.get('all')) ?? 0),
})

const notes = handler('notes', Note, ({ data }, { append }) => append('notes', Noted(data)))

export const build = (app: AppBuilder) => app.use(counter, notes, sum).messages(Noted)

export type Tested = Awaited<ReturnType<typeof start>>
export type Transaction = AppTransaction<'Add' | 'Note'>

export const start = (place: Place) => run(place, build)

export const types = async ({ app }: { readonly app: Pick<App, 'log'> }): Promise<string[]> =>
  (await all(app.log())).map(({ type }) => type)

/** A bit of everything. */
export const everything = async (tx: Transaction): Promise<string> => {
  await tx.append({ stream: 's', events: [Added({ n: 1 }), Added({ n: 2 })] })
  await tx.send(Add({ n: 3 }))
  await tx.send(Note({ n: 4 }))
  await tx.send(Note({ n: 5 }), { in: '30s' })
  await tx.documents.put('mine', 'row', '{"kept":true}')
  return 'done'
}

/** What is done once. */
export const once = { consumer: 'imports', id: 'file 7' }
