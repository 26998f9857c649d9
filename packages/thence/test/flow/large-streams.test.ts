// Streams of large messages: an aggregate and a saga are loaded from them page by page, and no page is larger than its
// bound in bytes.
import type { Database } from 'thence'
import { aggregate, command, event, plain, saga, step } from 'thence'
import { describe, expect, test } from 'vitest'
import { watchedStreams } from '../kit/calls.ts'
import { all, kinds, run } from '../kit/places.ts'

const bound = 8 * 1024 * 1024
const large = 'x'.repeat(1_000_000)
const total = 20

/** How large the pages of streams were that were read through `around`. */
const measured = () => {
  const sizes: number[] = []
  const around = (inner: Database): Database =>
    watchedStreams(inner, (page) => {
      sizes.push(page.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0))
    })
  return { sizes, around }
}

const Part = plain<{ readonly id: string; readonly text: string }>()
const Filled = event('Filled', Part)
const Counted = event('Counted', plain<number>())
const Count = command('Count', plain<{ readonly id: string }>())

const box = aggregate('box', {
  initial: () => 0,
  evolve: (on) => on(Filled, (count) => count + 1).on(Counted, (count) => count),
  decide: (on) => on(Count, (count) => Counted(count)),
  stream: ({ data }) => data.id,
})

const Begun = event('Begun', Part)
const Answered = event('Answered', plain<{ readonly id: string }>())
const works = Array.from({ length: 12 }, (_, index) => command(`Work${index}`, Part))

const long = saga('long', {
  startedBy: Begun,
  key: ({ data }) => data.id,
  steps: works.map((work, index) => step(`work${index}`, { do: work, done: Answered })),
})

describe.each(kinds)('on $name', ({ make }) => {
  test('a state is folded from a stream that no page can hold', { timeout: 60_000 }, async () => {
    const { sizes, around } = measured()
    const { app } = await run(make(), (one) => one.use(box), { around })
    for (let n = 0; n < total; n += 1)
      await app.append({ stream: 'box-1', events: Filled({ id: '1', text: large }) })
    sizes.length = 0
    const { events } = await app.send(Count({ id: '1' }))
    expect(events.map(({ data }) => data)).toEqual([total])
    expect(Math.max(...sizes)).toBeGreaterThan(bound / 2)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bound)
  })

  test('a saga goes on from a stream that no page can hold', { timeout: 60_000 }, async () => {
    const place = make()
    const { sizes, around } = measured()
    const start = () =>
      run(place, (one) => one.use(long).handle('worker', works, () => undefined), { around })
    const before = await start()
    await before.app.append({ stream: 'in', events: Begun({ id: '1', text: large }) })
    await before.settle()
    const answer = async (office: Awaited<ReturnType<typeof start>>): Promise<void> => {
      await office.app.append({ stream: 'in', events: Answered({ id: '1' }) })
      await office.settle()
    }
    for (let n = 1; n < works.length; n += 1) await answer(before)
    await before.stop()
    sizes.length = 0
    const after = await start()
    await answer(after)
    expect(Math.max(...sizes)).toBeGreaterThan(bound / 2)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bound)
    const facts = await all(after.app.stream('long-1'))
    expect(facts.at(-1)).toMatchObject({ type: 'long.finished', data: { outcome: 'completed' } })
  })
})
