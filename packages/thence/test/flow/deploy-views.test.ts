// A deploy whose version of a projection takes one type more: what another version passed over is missing in the view, and
// somebody is told until it was rebuilt.
import { documents, event, plain, projection, query } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { kinds, run } from '../kit/places.ts'

interface Strike {
  readonly n: number
}

const Rung = event('Rung', plain<Strike>())
const Other = event('Other', plain<Strike>())
const Tally = query('Tally', { input: plain<null>(), output: plain<readonly number[]>() })

/** Counts rings, and the young one other messages too. */
const tally = (age: 'old' | 'young', inline: boolean) =>
  projection('tally', {
    inline,
    view: documents<number>(),
    on: (on) => {
      const old = on(Rung, (_, view) => view.update('Rung', (before = 0) => before + 1))
      if (age === 'old') return old
      return old.on(Other, (_, view) => view.update('Other', (before = 0) => before + 1))
    },
    answers: (on) =>
      on(Tally, async (_, view) => [(await view.get('Rung')) ?? 0, (await view.get('Other')) ?? 0]),
  })

/** Versions of an app on one store, which can be started one after the other or side by side. */
const versions = ({ make }: Kind, inline = false) => {
  const place = make()
  const start = (age: 'old' | 'young', isInline = inline) =>
    run(place, (app) => app.use(tally(age, isInline)).messages(Rung, Other))
  type Test = Awaited<ReturnType<typeof start>>
  const on = ({ app }: Test) => ({ database: app.database, runtime: place.runtime })
  const shown = async (test: Test) => {
    await test.settle()
    const { lacks } = await admin.subscription(on(test), 'tally')
    return {
      counted: await place.runtime.until(test.app.ask(Tally(null))),
      lacks: lacks.map(({ type, position }) => [type, position]),
      attention: (await admin.status(on(test))).attention.map(({ name, what }) => [name, what]),
    }
  }
  const strike = async (test: Test, ...definitions: readonly (typeof Rung | typeof Other)[]) => {
    for (const definition of definitions) await test.app.append({ events: definition({ n: 1 }) })
    await test.settle()
  }
  return { place, start, shown, strike }
}

const whole = (rings: number, others: number) => ({
  counted: [rings, others],
  lacks: [],
  attention: [],
})

describe.each(kinds)('a view whose projection gains a type, on $name', (kind) => {
  it('is told to lack what was passed over before, until it was rebuilt', async () => {
    const { place, start, shown, strike } = versions(kind)
    const one = await start('old')
    await strike(one, Other, Rung, Other)
    await one.stop()
    const two = await start('young')
    await strike(two, Other)
    expect(await shown(two)).toEqual({
      counted: [1, 1],
      lacks: [['Other', 3]],
      attention: [['tally', 'its view lacks Other up to position 3']],
    })
    const rebuilt = await place.runtime.until(two.app.rebuild('tally'))
    expect(await shown(two)).toEqual(whole(1, 3))
    // The way back is to the view that lacks some.
    await place.runtime.until(rebuilt.back())
    expect(await shown(two)).toMatchObject({ counted: [1, 1], lacks: [['Other', 3]] })
  })

  it('is told to lack what the old version passes over in a rolling deploy', async () => {
    const { place, start, shown, strike } = versions(kind)
    const one = await start('old')
    await strike(one, Rung)
    const two = await start('young')
    await strike(one, Other, Rung)
    await place.runtime.advance('3s')
    await one.stop()
    await strike(two, Other)
    const { counted, lacks, attention } = await shown(two)
    expect(counted).toEqual([2, 1])
    expect(lacks.map(([type]) => type)).toEqual(['Other'])
    expect(attention).toHaveLength(1)
    await place.runtime.until(two.app.rebuild('tally'))
    expect(await shown(two)).toEqual(whole(2, 2))
  })

  it('is told nothing where nothing was passed over', async () => {
    const { start, shown, strike } = versions(kind)
    const one = await start('old')
    await strike(one, Rung)
    await one.stop()
    const two = await start('young')
    await strike(two, Other, Rung)
    expect(await shown(two)).toEqual(whole(2, 1))
    await two.stop()
    const back = await start('old')
    await strike(back, Rung)
    await back.stop()
    const again = await start('young')
    expect(await shown(again)).toEqual(whole(3, 1))
  })

  it('is told to lack what was passed over after a rollback, once the new version is back', async () => {
    const { start, shown, strike } = versions(kind)
    const two = await start('young')
    await strike(two, Other)
    await two.stop()
    const back = await start('old')
    await strike(back, Other, Rung)
    await back.stop()
    const again = await start('young')
    expect(await shown(again)).toMatchObject({ counted: [1, 1], lacks: [['Other', 3]] })
    expect(again.spy.signals.map(({ name }) => name)).not.toContain('types-missing')
  })

  it('is told to lack what it lacked when the old version built it beside', async () => {
    const { place, start, shown, strike } = versions(kind)
    const one = await start('old')
    await strike(one, Other, Rung)
    const { version } = await place.runtime.until(one.app.rebuild('tally', { switch: 'manual' }))
    await one.stop()
    const two = await start('young')
    expect((await shown(two)).attention).toEqual([
      ['tally', 'its view lacks Other up to position 2'],
      [`tally@${version}`, 'its view lacks Other up to position 2'],
    ])
    await admin.switchView({ database: two.app.database, runtime: place.runtime }, 'tally')
    await two.advance('5s')
    expect(await shown(two)).toMatchObject({ counted: [1, 0], lacks: [['Other', 2]] })
    await place.runtime.until(two.app.rebuild('tally'))
    expect(await shown(two)).toEqual(whole(1, 1))
  })

  it('is whole where it was built anew because it changes inline from now on', async () => {
    const { start, shown, strike } = versions(kind)
    const one = await start('old')
    await strike(one, Other, Rung)
    await one.stop()
    expect(await shown(await start('young', true))).toEqual(whole(1, 1))
  })

  it('is told to lack what was appended before it changed inline', async () => {
    const { place, start, shown, strike } = versions(kind, true)
    const one = await start('old')
    await strike(one, Other, Rung)
    await one.stop()
    const two = await start('young')
    await strike(two, Other)
    expect(await shown(two)).toMatchObject({ counted: [1, 1], lacks: [['Other', 2]] })
    await place.runtime.until(two.app.rebuild('tally'))
    await strike(two, Other)
    expect(await shown(two)).toEqual(whole(1, 3))
  })
})
