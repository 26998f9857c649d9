/** Where a new handler begins, and what an inline view is given. */
import { expect, test } from 'vitest'
import { app, documents, event, handler, plain, projection, query } from 'thence'
import { memory } from 'thence/memory'
import { wrap } from '../kit/places.ts'

const Paid = event('Paid', plain<{ id: string; note?: string | undefined }>())

test('a handler from now on leaves the past alone, also after a restart', async () => {
  const database = wrap(memory(), { close: async () => undefined })
  const first = await app({ database, logger: false }).messages(Paid).start()
  await first.append({ events: Paid({ id: 'old' }) })
  await first.stop()
  const seen: string[] = []
  const mail = handler('mail', Paid, { from: 'now', run: ({ data }) => void seen.push(data.id) })
  const second = await app({ database, logger: false }).use(mail).start()
  await second.append({ events: Paid({ id: 'new' }) })
  await second.whenIdle()
  await second.stop()
  const third = await app({ database, logger: false }).use(mail).start()
  await third.append({ events: Paid({ id: 'newer' }) })
  await third.whenIdle()
  await third.stop()
  expect(seen).toEqual(['new', 'newer'])
})

test('an inline view is given the data as it will be read back, and the sender keeps its own object', async () => {
  const Keys = query('Keys', { input: plain<string>(), output: plain<readonly string[]>() })
  const keys = projection('keys', {
    view: documents<readonly string[]>(),
    inline: true,
    on: (on) => on(Paid, ({ data }, view) => view.put(data.id, Object.keys(data))),
    answers: (on) => on(Keys, async (id, view) => (await view.get(id)) ?? []),
  })
  await using shop = await app({ database: memory(), logger: false }).use(keys).start()
  const mine = { id: 'one', note: undefined as string | undefined }
  const { events } = await shop.append({ events: Paid(mine) })
  expect(await shop.ask(Keys('one'))).toEqual(['id'])
  expect(events[0]?.data).toStrictEqual({ id: 'one' })
  mine.note = 'still mine'
  await shop.rebuild('keys')
  expect(await shop.ask(Keys('one'))).toEqual(['id'])
})
