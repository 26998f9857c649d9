// A paused subscription begins nothing new, in no process and over restarts; what was in hand is finished and not done a
// second time; and nobody waits for it.
import type { HandlerOptions } from 'thence'
import { documents, event, handler, plain, projection, query } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind, Place } from '../kit/places.ts'
import { file, gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
const Heard = query('Heard', { input: plain<null>(), output: plain<number>() })

const rung = (bell: string, ...numbers: number[]) => numbers.map((n) => Rung({ bell, n }))

const ear = (heard: string[], options: Partial<HandlerOptions<typeof Rung>> = {}) =>
  handler('ear', Rung, {
    key: ({ data }) => data.bell,
    run: ({ data: { bell, n } }) => void heard.push(`${bell}${n}`),
    ...options,
  })

const waiting = (test: Awaited<ReturnType<typeof run>>) =>
  look(test)(({ retries }) => retries.outlook('ear'))

/** Bell a is in hand, bell b rings beside it and is done; then something happens, and bell a goes on. */
const interrupted = async (place: Place, heard: string[]) => {
  const held = gate()
  const one = ear(heard, {
    concurrency: 2,
    run: async ({ data: { bell, n } }) => {
      heard.push(`${bell}${n}`)
      if (`${bell}${n}` === 'a0') await held.opened
    },
  })
  const test = await run(place, (app) => app.use(one))
  const [a0, a1, a2, a3] = rung('a', 0, 1, 2, 3)
  const [b0, b1] = rung('b', 0, 1)
  await test.app.append({ events: [a0, b0, a1, b1, a2, a3].flatMap((bell) => bell ?? []) })
  await test.spy.until('bell b', () => heard.includes('b1'))
  return { test, held }
}

describe.each(kinds)('a paused subscription on $name', ({ make }: Kind) => {
  it('finishes what is in hand, begins nothing new, and does nothing twice when it goes on', async () => {
    const heard: string[] = []
    const { test, held } = await interrupted(make(), heard)
    await test.app.pause('ear', { reason: 'quiet' })
    held.open()
    await test.advance('1m')
    expect(heard).toEqual(['a0', 'b0', 'b1'])
    expect(test.spy.signals.at(-1)).toMatchObject({ name: 'subscription-paused', reason: 'quiet' })
    // What was done is committed; what lies between waits in the store.
    expect(await waiting(test)).toMatchObject({ due: 1, queued: 0 })
    await test.app.resume('ear')
    await test.settle()
    expect(heard).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'a3'])
    expect(test.spy.signals.at(-1)).toMatchObject({ name: 'subscription-resumed' })
  })

  it('is not waited for, also with messages that are due, and tries none of them again', async () => {
    const heard: string[] = []
    const failing = ear(heard, {
      retry: { base: 100 },
      run: ({ data }) => {
        heard.push(data.bell)
        throw new Error('no')
      },
    })
    const test = await run(make(), (app) => app.use(failing))
    await test.app.append({ events: rung('a', 0) })
    await test.spy.signal('message-failed')
    await test.app.pause('ear')
    await test.app.append({ events: rung('b', 0) })
    await test.settle()
    const before = heard.length
    expect((await waiting(test)).due).toBe(1)
    await test.advance('1m')
    expect(heard).toHaveLength(before)
    await test.app.resume('ear')
    await test.settle()
    expect(heard.length).toBeGreaterThan(before + 9)
  })

  it('begins nothing that waited for its turn by the rate, and goes on by it', async () => {
    const heard: string[] = []
    const slow = ear(heard, { rate: { limit: 1, per: '10s' }, concurrency: 4 })
    const test = await run(make(), (app) => app.use(slow))
    await test.app.append({ events: ['a', 'b', 'c'].flatMap((bell) => rung(bell, 0)) })
    await test.runtime.advance('1s')
    await test.app.pause('ear')
    await test.runtime.advance('1m')
    expect(heard).toEqual(['a0'])
    await test.app.resume('ear')
    await test.settle()
    expect(heard).toHaveLength(3)
  })

  it('stays so over a restart, and what it is given meanwhile is not lost', async () => {
    const place = make()
    const heard: string[] = []
    const first = await run(place, (app) => app.use(ear(heard)))
    await first.app.pause('ear')
    await first.stop()
    const test = await run(place, (app) => app.use(ear(heard)))
    await test.app.append({ events: rung('a', 0, 1) })
    await test.advance('3s')
    expect(heard).toEqual([])
    await test.app.resume('ear')
    await test.settle()
    expect(heard).toEqual(['a0', 'a1'])
  })

  it('can be a view: it shows what it had', async () => {
    const view = projection('heard', {
      view: documents<{ n: number }>(),
      on: (on) => on(Rung, ({ data: { n } }, heard) => heard.put('last', { n })),
      answers: (on) => on(Heard, async (_, heard) => (await heard.get('last'))?.n ?? -1),
    })
    const test = await run(make(), (app) => app.use(view))
    await test.app.append({ events: rung('a', 1) })
    await test.settle()
    await test.app.pause('heard')
    const { position } = await test.app.append({ events: rung('a', 2) })
    await test.advance('3s')
    expect(await test.app.ask(Heard(null))).toBe(1)
    const late = test.app.ask(Heard(null), { after: position, timeout: '1s' })
    await expect(test.runtime.until(late)).rejects.toMatchObject({ code: 'POSITION_TIMEOUT' })
    await test.app.resume('heard')
    expect(await test.runtime.until(test.app.ask(Heard(null), { after: position }))).toBe(2)
  })
})

describe.each(kinds)('an app that stops on $name', ({ make }: Kind) => {
  it('begins nothing that waited for its turn by the rate, and does not wait for it', async () => {
    const place = make()
    const heard: string[] = []
    const slow = ear(heard, { rate: { limit: 1, per: '10s' }, concurrency: 4 })
    const test = await run(place, (app) => app.use(slow))
    await test.app.append({ events: ['a', 'b', 'c'].flatMap((bell) => rung(bell, 0)) })
    await place.runtime.advance('1s')
    const before = place.runtime.now()
    await place.runtime.until(test.app.stop())
    expect(place.runtime.now() - before).toBeLessThan(1000)
    expect(heard).toEqual(['a0'])
  })

  it('leaves nothing half done: what was done beside what was not begun is not done a second time', async () => {
    const place = make()
    const heard: string[] = []
    const { test, held } = await interrupted(place, heard)
    const stopped = test.app.stop()
    await place.runtime.rest()
    held.open()
    await place.runtime.until(stopped)
    expect(heard).toEqual(['a0', 'b0', 'b1'])
    const again = await run(place, (app) => app.use(ear(heard)))
    await again.settle()
    expect(heard).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'a3'])
  })
})

describe('several processes', () => {
  it('hear of a pause within about a second, whoever made it', async () => {
    const place = file.make()
    const heard: string[] = []
    const one = await run(place, (app) => app.use(ear(heard, { partitions: 8 })))
    const two = await run(place, (app) => app.use(ear(heard, { partitions: 8 })))
    await place.runtime.advance('3s')
    const other = place.open()
    await other.open(place.runtime)
    const on = { database: other, runtime: place.runtime }
    await admin.pause({ ...on, actor: 'ann' }, 'ear')
    await place.runtime.advance('1100ms')
    const events = Array.from({ length: 40 }, (_, n) => Rung({ bell: `bell ${n}`, n }))
    await one.app.append({ events })
    await one.advance('2s')
    await two.settle()
    expect(heard).toEqual([])
    for (const { spy } of [one, two])
      expect(await spy.signal('subscription-paused')).toMatchObject({ actor: 'ann' })
    await admin.resume(on, 'ear')
    await other.close()
    await place.runtime.advance('1100ms')
    await one.settle()
    await two.settle()
    expect(heard).toHaveLength(40)
  })
})
