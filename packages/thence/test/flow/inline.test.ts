// Inline projections: the view changes with the append, or neither does.
import { documents, event, plain, projection, query } from 'thence'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { kinds, look, run } from '../kit/places.ts'

const Paid = event('Paid', plain<{ payer: string; sum: number }>())
const Total = query('Total', { input: plain<null>(), output: plain<number>() })

const totals = (refuse?: number) =>
  projection('totals', {
    inline: true,
    view: documents<{ sum: number }>(),
    on: (on) =>
      on(Paid, async ({ data }, view) => {
        if (data.sum === refuse) throw new Error(`no ${data.sum}`)
        await view.update('all', (before) => ({ sum: (before?.sum ?? 0) + data.sum }))
      }),
    answers: (on) => on(Total, async (_, view) => (await view.get('all'))?.sum ?? 0),
  })

const pay = (times: number, sum = 1) =>
  Array.from({ length: times }, () => Paid({ payer: 'p', sum }))
const start = (place: Place, refuse?: number) =>
  run(place, (app) => app.use(totals(refuse)).messages(Paid))

describe.each(kinds)('an inline projection on $name', ({ make }) => {
  it('has changed when the append resolves', async () => {
    const test = await start(make())
    for (let times = 1; times <= 10; times += 1) {
      await test.app.append({ events: pay(1) })
      expect(await test.app.ask(Total(null))).toBe(times)
    }
  })

  it('refuses the append that it cannot take, which leaves no trace, and no other of the same commit', async () => {
    const test = await start(make(), 13)
    const results = await Promise.allSettled(
      [1, 13, 2, 13, 3].map((sum) => test.app.append({ events: pay(1, sum) })),
    )
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(results[1]).toMatchObject({ reason: { message: 'no 13' } })
    const { messages } = await look(test)(({ events }) => events.readAll({ limit: 10 }))
    expect(messages.map(({ position, version }) => [position, version])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect(await test.app.ask(Total(null))).toBe(6)
  })

  it('takes back what it wrote for an append of several events', async () => {
    const test = await start(make(), 13)
    const events = [...pay(2), ...pay(1, 13)]
    await expect(test.app.append({ events })).rejects.toThrow('no 13')
    expect(await test.app.ask(Total(null))).toBe(0)
    await test.app.append({ events: pay(1) })
    expect(await test.app.ask(Total(null))).toBe(1)
  })

  it('does not change again for an append that was written before', async () => {
    const test = await start(make())
    const once = Paid({ payer: 'p', sum: 4 }, { id: 'payment-1' })
    await test.app.append({ events: once })
    expect((await test.app.append({ events: once })).duplicate).toBe(true)
    expect(await test.app.ask(Total(null))).toBe(4)
  })

  it('is built when it is added to a store that has a history', async () => {
    const place = make()
    const before = await run(place, (app) => app.messages(Paid))
    await before.app.append({ events: pay(2500) })
    await before.stop()
    const test = await start(place)
    expect(await test.app.ask(Total(null))).toBe(2500)
    await test.app.append({ events: pay(1) })
    expect(await test.app.ask(Total(null))).toBe(2501)
  })
})
