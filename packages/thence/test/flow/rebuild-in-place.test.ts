// A view whose tables have fixed names is rebuilt in place: it answers nothing before it is whole, and says so.
import { askRebuild, diffView, projections, switchBack } from 'thence/admin'
import { Sums } from '../kit/summing.ts'
import { describe, expect, it } from 'vitest'
import { file, kinds } from '../kit/places.ts'
import type { Started, SumsOptions } from '../kit/summing.ts'
import { askNow, newCode, pay, start, sumTable, total } from '../kit/summing.ts'

const fixed = (code = newCode(), options: SumsOptions = {}) =>
  sumTable(code, { ...options, fixed: true })

const ask = async ({ app }: Started): Promise<number> =>
  total(await app.ask(Sums(), { timeout: 60_000 }))

const sqlKinds = kinds.filter(({ sql }) => sql)

describe.each(sqlKinds)('a rebuild in place on $name', ({ make }) => {
  it('never shows a view that is half built', async () => {
    const test = await start(make(), fixed())
    const { position } = await test.app.append({ events: pay(300) })
    expect(total(await test.app.ask(Sums(), { after: position }))).toBe(300)
    const progress: number[] = []
    const asked: Promise<number>[] = []
    const onProgress = (at: { readonly position: number }): void => {
      progress.push(at.position)
      asked.push(ask(test))
    }
    const rebuilt = await test.runtime.until(test.app.rebuild('sums', { onProgress }))
    expect(rebuilt).toMatchObject({ version: 1, previous: null })
    const answers = await test.runtime.until(Promise.all(asked))
    expect(new Set(answers)).toEqual(new Set([300]))
    expect(progress.length).toBeGreaterThan(5)
    expect(progress).toEqual(progress.toSorted((one, other) => one - other))
  })

  it('takes in what is written meanwhile', async () => {
    const test = await start(make(), fixed())
    await test.app.append({ events: pay(200) })
    await test.settle()
    const rebuilt = test.app.rebuild('sums')
    const appends = Array.from({ length: 50 }, () => test.app.append({ events: pay(2) }))
    await test.runtime.until(rebuilt)
    const results = await test.runtime.until(Promise.all(appends))
    const after = Math.max(...results.map(({ position }) => position))
    expect(total(await test.runtime.until(test.app.ask(Sums(), { after })))).toBe(300)
  })

  it('goes on after a restart and shows nothing before it is done', async () => {
    const place = make()
    const first = await start(place, fixed())
    await first.app.append({ events: pay(300) })
    await first.settle()
    let stopped: Promise<void> | undefined
    const onProgress = ({ position }: { position: number }): void => {
      if (position > 50) stopped ??= first.app.stop()
    }
    const rebuilt = first.app.rebuild('sums', { onProgress })
    await expect(first.runtime.until(rebuilt)).rejects.toMatchObject({ code: 'APP_STOPPED' })
    await first.runtime.until(stopped ?? Promise.reject(new Error('It was not stopped.')))
    const second = await start(place, fixed(newCode(), { batch: 1 }))
    expect(await second.runtime.until(ask(second))).toBe(300)
  })

  it('halts at a message that fails, which is told', async () => {
    const code = newCode()
    const test = await start(make(), fixed(code))
    await test.app.append({ events: [...pay(20), ...pay(1, 13)] })
    await test.settle()
    code.refuses.add(13)
    const rebuilt = test.app.rebuild('sums')
    await expect(test.runtime.until(rebuilt)).rejects.toMatchObject({
      code: 'STATE_INVALID',
      details: { projection: 'sums', position: 21 },
    })
  })

  it('is begun by whoever runs when an operator asks for it, and has no way back', async () => {
    const code = newCode(2)
    const test = await start(make(), fixed(code))
    await test.app.append({ events: pay(30) })
    await test.settle()
    code.factor = 1
    const on = { database: test.app.database, runtime: test.runtime }
    expect(await askRebuild(on, 'sums')).toMatchObject({ version: null, generation: 0 })
    expect(await projections(on)).toMatchObject([{ state: 'rebuild-asked' }])
    await test.spy.signal('rebuild-finished')
    expect(await test.runtime.until(ask(test))).toBe(30)
    for (const refused of [switchBack(on, 'sums'), diffView(on, 'sums')])
      await expect(refused).rejects.toThrow('rebuilt in place')
  })

  it('of an inline view is done in one transaction, also while others write', async () => {
    const code = newCode(2)
    const test = await start(make(), fixed(code, { inline: true }))
    await test.app.append({ events: pay(100) })
    code.factor = 1
    const rebuilt = test.app.rebuild('sums')
    const appends = Array.from({ length: 20 }, () => test.app.append({ events: pay(1) }))
    await test.runtime.until(rebuilt)
    await Promise.all(appends)
    expect(await askNow(test)).toBe(120)
  })
})

describe('two apps on one file', () => {
  it('show nothing half built while one of them rebuilds in place', async () => {
    const place = file.make()
    const [one, two] = [await start(place, fixed()), await start(place, fixed())]
    await one.app.append({ events: pay(300) })
    await one.settle()
    await two.settle()
    const asked: Promise<number>[] = []
    const onProgress = (): void => void asked.push(ask(two))
    await one.runtime.until(one.app.rebuild('sums', { onProgress }))
    const answers = await one.runtime.until(Promise.all(asked))
    expect(answers.length).toBeGreaterThan(3)
    expect(new Set(answers)).toEqual(new Set([300]))
  })
})
