// Views across starts of apps that keep them differently: what is shown is always what the log says.
import type { Database } from 'thence'
import { documents, event, plain, projection, query } from 'thence'
import { askRebuild, subscriptions } from 'thence/admin'
import { memory } from 'thence/memory'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { kinds, look, run, wrap } from '../kit/places.ts'

const Paid = event('Paid', plain<{ sum: number }>())
const Noted = event('Noted', plain<null>())
const Total = query('Total', { input: plain<null>(), output: plain<number>() })

interface Counted {
  applied: number
}

const totals = (inline: boolean, counted: Counted = { applied: 0 }) =>
  projection('totals', {
    inline,
    view: documents<{ sum: number }>(),
    on: (on) =>
      on(Paid, async ({ data }, view) => {
        counted.applied += 1
        await view.update('all', (before) => ({ sum: (before?.sum ?? 0) + data.sum }))
      }),
    answers: (on) => on(Total, async (_, view) => (await view.get('all'))?.sum ?? 0),
  })

const pay = (times: number) => Array.from({ length: times }, () => Paid({ sum: 1 }))

const keeping = (place: Place, inline: boolean, counted?: Counted) =>
  run(place, (app) => app.use(totals(inline, counted)).messages(Noted))
const lacking = (place: Place) => run(place, (app) => app.messages(Paid, Noted))

type Run = Awaited<ReturnType<typeof keeping>>

const total = async (test: Run): Promise<number> => {
  await test.settle()
  return test.app.ask(Total(null))
}

/** Appends so many and ends. */
const once = async (
  test: { app: Pick<Run['app'], 'append'> } & Pick<Run, 'settle' | 'stop'>,
  times: number,
) => {
  await test.app.append({ events: pay(times) })
  await test.settle()
  await test.stop()
}

describe.each(kinds)('a view on $name', ({ make }) => {
  it.each([
    ['following that was inline', true, false],
    ['inline that followed', false, true],
  ])('%s is built anew, once', async (_, before, after) => {
    const place = make()
    await once(await keeping(place, before), 3)
    const counted = { applied: 0 }
    const second = await keeping(place, after, counted)
    await second.app.append({ events: pay(1) })
    expect(await total(second)).toBe(4)
    await second.stop()
    expect(await total(await keeping(place, after, counted))).toBe(4)
    expect(counted.applied).toBe(4)
  })

  it.each([true, false])('that was away meanwhile lacks nothing (inline: %s)', async (inline) => {
    const place = make()
    await once(await keeping(place, inline), 3)
    await once(await lacking(place), 2)
    const counted = { applied: 0 }
    const third = await keeping(place, inline, counted)
    expect(await total(third)).toBe(5)
    expect(counted.applied).toBe(inline ? 5 : 2)
    await third.stop()
    expect(await total(await keeping(place, inline, counted))).toBe(5)
    expect(counted.applied).toBe(inline ? 5 : 2)
  })

  it('that is inline is not built anew when nothing for it was appended meanwhile', async () => {
    const place = make()
    await once(await keeping(place, true), 3)
    const other = await lacking(place)
    await other.app.append({ events: [Noted(null)] })
    await other.stop()
    const counted = { applied: 0 }
    expect(await total(await keeping(place, true, counted))).toBe(3)
    expect(counted.applied).toBe(0)
  })

  it('that followed and was stuck leaves no failed message behind when it is inline', async () => {
    const place = make()
    const stuck = projection('totals', {
      retry: { attempts: 1 },
      view: documents(),
      on: (on) =>
        on(Paid, () => {
          throw new Error('no')
        }),
    })
    const first = await run(place, (app) => app.use(stuck))
    await first.app.append({ events: pay(2) })
    await first.settle()
    await first.stop()
    const second = await keeping(place, true)
    expect(await total(second)).toBe(2)
    expect(await look(second)(({ retries }) => retries.summary())).toEqual([])
    expect(await look(second)(({ deadLetters }) => deadLetters.counts())).toMatchObject({
      parked: 0,
      discarded: 1,
    })
  })

  it('that no app has any more is not told to be behind', async () => {
    const place = make()
    await once(await keeping(place, false), 1)
    const other = await lacking(place)
    await other.app.append({ events: pay(1) })
    await other.advance('1m')
    const on = { database: other.app.database, runtime: other.runtime }
    expect(await subscriptions(on)).toMatchObject([{ name: 'totals', state: 'absent', behind: 1 }])
    await other.stop()
    const back = await keeping(place, false)
    await back.advance('1m')
    const states = await subscriptions({ database: back.app.database, runtime: back.runtime })
    expect(states).toMatchObject([{ name: 'totals', state: 'caught-up', behind: 0 }])
  })

  it('that runs in another app than the one that started last is told as it is', async () => {
    const place = make()
    const first = await keeping(place, false)
    const other = await lacking(place)
    await other.app.append({ events: pay(1) })
    first.app.wake()
    await first.advance('1m')
    const on = { database: other.app.database, runtime: other.runtime }
    expect(await subscriptions(on)).toMatchObject([{ name: 'totals', state: 'caught-up' }])
  })
})

describe('an inline view', () => {
  const limited = (): Database => memory({ transactionTimeout: 20 })

  it('may take longer to build than a transaction may', async () => {
    const database = limited()
    const open = (): Database => wrap(database, { close: async () => undefined })
    const place = { runtime: (kinds[0] as (typeof kinds)[0]).make().runtime, open }
    await once(await lacking(place), 3)
    const slow = projection('slow', {
      inline: true,
      view: documents<{ at: number }>(),
      on: (on) =>
        on(Paid, async ({ position }, view) => {
          await new Promise<void>((resolve) => void place.runtime.after(15, resolve))
          await view.put(String(position), { at: position })
        }),
    })
    const test = await run(place, (app) => app.use(slow))
    await test.runtime.until(test.app.rebuild('slow'))
    await askRebuild({ database: test.app.database }, 'slow')
    await test.advance('2s')
    // Version 1 was replaced at the second rebuild, and version 2 is the way back from version 3.
    const kept = await look(test)(({ documents: all }) => all.list('slow@3', { limit: 10 }))
    expect(kept).toHaveLength(3)
    expect((await look(test)(({ checkpoints }) => checkpoints.load('slow')))?.generation).toBe(3)
    await database.close()
  })
})
