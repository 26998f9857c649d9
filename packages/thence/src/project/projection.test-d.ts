/** The types of projections: what answers a query cannot change the view. */
import { expectTypeOf, test } from 'vitest'
import { event } from '../message/define.ts'
import { query } from '../message/query.ts'
import { plain } from '../message/schema.ts'
import { projection } from './projection.ts'
import { documents } from './documents.ts'
import { tables } from './tables.ts'

const Paid = event('Paid', plain<{ id: string }>())
const Sum = query('Sum', { input: plain<string>(), output: plain<number>() })

test('documents are read, not written, by an answer', () => {
  projection('sums', {
    view: documents<{ sum: number }>(),
    on: (on) => on(Paid, ({ data }, view) => view.put(data.id, { sum: 1 })),
    answers: (on) =>
      on(Sum, async (id, view) => {
        expectTypeOf(view).not.toHaveProperty('put')
        expectTypeOf(view).not.toHaveProperty('update')
        expectTypeOf(view).not.toHaveProperty('delete')
        for await (const { document } of view.list())
          expectTypeOf(document.sum).toEqualTypeOf<number>()
        return (await view.get(id))?.sum ?? 0
      }),
  })
})

test('tables are read, not written, by an answer', () => {
  projection('sums', {
    view: tables({ create: ['…'], clear: ['…'] }),
    on: (on) => on(Paid, async ({ data }, view) => void (await view.run('…', data.id))),
    answers: (on) =>
      on(Sum, async (id, view) => {
        expectTypeOf(view).not.toHaveProperty('run')
        return (await view.first<{ sum: number }>('…', id))?.sum ?? 0
      }),
  })
})
