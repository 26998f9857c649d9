// Rebuilds and inline views: what is shown is always whole, while others write and whoever stops in between.
import { documents, event, plain, projection, query } from 'thence'
import { askRebuild } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { file, kinds, look, run } from '../kit/places.ts'

const Paid = event('Paid', plain<{ payer: string; sum: number }>())
const Total = query('Total', { input: plain<null>(), output: plain<number>() })

const totals = (options: { inline?: boolean; batch?: number; refuse?: number } = {}) =>
  projection('totals', {
    inline: options.inline ?? false,
    batch: options.batch ?? 10,
    view: documents<{ sum: number }>(),
    on: (on) =>
      on(Paid, async ({ data }, view) => {
        if (data.sum === options.refuse) throw new Error(`no ${data.sum}`)
        await view.update('all', (before) => ({ sum: (before?.sum ?? 0) + data.sum }))
      }),
    answers: (on) => on(Total, async (_, view) => (await view.get('all'))?.sum ?? 0),
  })

const pay = (times: number, sum = 1) =>
  Array.from({ length: times }, () => Paid({ payer: 'p', sum }))
const start = (place: Place, options?: Parameters<typeof totals>[0]) =>
  run(place, (app) => app.use(totals(options)).messages(Paid))

describe.each(kinds)('a rebuild on $name', ({ make }) => {
  it('never shows a view that is half built', async () => {
    const test = await start(make())
    const { position } = await test.app.append({ events: pay(300) })
    expect(await test.app.ask(Total(null), { after: position })).toBe(300)
    const progress: number[] = []
    const asked: Promise<number>[] = []
    const onProgress = (at: { readonly position: number }): void => {
      progress.push(at.position)
      asked.push(test.app.ask(Total(null), { timeout: 60_000 }))
    }
    await test.runtime.until(test.app.rebuild('totals', { onProgress }))
    const answers = await test.runtime.until(Promise.all(asked))
    expect(new Set(answers)).toEqual(new Set([300]))
    expect(progress.length).toBeGreaterThan(5)
    expect(progress).toEqual(progress.toSorted((one, other) => one - other))
    expect(test.spy.signals.map(({ name }) => name)).toEqual([
      'rebuild-started',
      'rebuild-finished',
    ])
  })

  it('takes in what is written meanwhile', async () => {
    const test = await start(make())
    await test.app.append({ events: pay(200) })
    await test.settle()
    const rebuilt = test.app.rebuild('totals')
    const appends = Array.from({ length: 50 }, () => test.app.append({ events: pay(2) }))
    await test.runtime.until(rebuilt)
    const results = await test.runtime.until(Promise.all(appends))
    const last = Math.max(...results.map(({ position }) => position))
    expect(await test.runtime.until(test.app.ask(Total(null), { after: last }))).toBe(300)
  })

  it('goes on after a restart and shows nothing before it is done', async () => {
    const place = make()
    const first = await start(place)
    await first.app.append({ events: pay(300) })
    await first.settle()
    const rebuilt = first.app.rebuild('totals').catch((error: unknown) => error)
    await first.spy.signal('rebuild-started')
    await first.stop()
    expect(await rebuilt).toMatchObject({ code: 'APP_STOPPED' })
    const second = await start(place, { batch: 1 })
    expect(await second.runtime.until(second.app.ask(Total(null)))).toBe(300)
  })

  it('is begun by whoever runs when an operator asks for it', async () => {
    const test = await start(make())
    await test.app.append({ events: pay(30) })
    await test.settle()
    const spoil = '{"sum":-5}'
    await test.app.database.transact(({ documents: view }) => view.put('totals', 'all', spoil))
    expect(await test.app.ask(Total(null))).toBe(-5)
    await askRebuild({ database: test.app.database, runtime: test.runtime }, 'totals')
    await test.spy.signal('rebuild-finished')
    expect(await test.runtime.until(test.app.ask(Total(null)))).toBe(30)
  })

  it('refuses the name of what is not there', async () => {
    const test = await start(make())
    await expect(test.app.rebuild('total')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('two apps on one file', () => {
  it('show nothing half built while one of them rebuilds', async () => {
    const place = file.make()
    const [one, two] = [await start(place), await start(place)]
    await one.app.append({ events: pay(300) })
    await one.settle()
    await two.settle()
    const asked: Promise<number>[] = []
    const onProgress = (): void => void asked.push(two.app.ask(Total(null), { timeout: 60_000 }))
    await one.runtime.until(one.app.rebuild('totals', { onProgress }))
    const answers = await one.runtime.until(Promise.all(asked))
    expect(answers.length).toBeGreaterThan(3)
    expect(new Set(answers)).toEqual(new Set([300]))
  })
})

describe.each(kinds)('an inline projection on $name', ({ make }) => {
  it('has changed when the append resolves', async () => {
    const test = await start(make(), { inline: true })
    for (let times = 1; times <= 10; times += 1) {
      await test.app.append({ events: pay(1) })
      expect(await test.app.ask(Total(null))).toBe(times)
    }
  })

  it('refuses the append that it cannot take, which leaves no trace, and no other of the same commit', async () => {
    const test = await start(make(), { inline: true, refuse: 13 })
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
    const test = await start(make(), { inline: true, refuse: 13 })
    const events = [...pay(2), ...pay(1, 13)]
    await expect(test.app.append({ events })).rejects.toThrow('no 13')
    expect(await test.app.ask(Total(null))).toBe(0)
    await test.app.append({ events: pay(1) })
    expect(await test.app.ask(Total(null))).toBe(1)
  })

  it('does not change again for an append that was written before', async () => {
    const test = await start(make(), { inline: true })
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
    const test = await start(place, { inline: true })
    expect(await test.app.ask(Total(null))).toBe(2500)
    await test.app.append({ events: pay(1) })
    expect(await test.app.ask(Total(null))).toBe(2501)
  })

  it('is rebuilt in one go, also while others write', async () => {
    const test = await start(make(), { inline: true })
    await test.app.append({ events: pay(100) })
    const appends = Array.from({ length: 20 }, () => test.app.append({ events: pay(1) }))
    await test.runtime.until(test.app.rebuild('totals'))
    await Promise.all(appends)
    expect(await test.app.ask(Total(null))).toBe(120)
  })
})
