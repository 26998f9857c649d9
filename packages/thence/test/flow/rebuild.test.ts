// Rebuilds beside the view that serves: it answers all the time, what is written meanwhile is in the new one too, and the
// switch is one moment.
import { askRebuild, subscriptions, views } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { kinds, look } from '../kit/places.ts'
import { askNow, newCode, pay, start, sums, sumTable } from '../kit/summing.ts'

const ways = kinds.flatMap((kind) => [
  { ...kind, how: 'documents' as const, inline: false },
  { ...kind, how: 'documents' as const, inline: true },
  ...(kind.sql ? [{ ...kind, how: 'tables' as const, inline: false }] : []),
])

describe.each(ways)('a rebuild of $how on $name (inline: $inline)', ({ make, how, inline }) => {
  const define = how === 'documents' ? sums : sumTable

  it('lets the old view answer while thousands of events are read and new ones come in', async () => {
    const code = newCode(2)
    const test = await start(make(), define(code, { inline, batch: 100 }))
    for (let chunk = 0; chunk < 10; chunk += 1) await test.app.append({ events: pay(500) })
    await test.settle()
    code.factor = 1
    const [asked, appended]: [Promise<number>[], Promise<unknown>[]] = [[], []]
    const onProgress = (): void => {
      appended.push(test.app.append({ events: pay(20) }))
      asked.push(askNow(test), askNow(test))
    }
    const rebuilt = await test.runtime.until(test.app.rebuild('sums', { onProgress }))
    const answers = await test.runtime.until(Promise.all(asked))
    await test.runtime.until(Promise.all(appended))
    await test.settle()
    expect(rebuilt).toMatchObject({ projection: 'sums', version: 2, previous: 1 })
    expect(answers.length).toBeGreaterThan(20)
    // Every event counted twice until the switch, once from then on, and nothing in between.
    const meanwhile = 20 * appended.length
    const within = (from: number) => (sum: number) => sum >= from && sum <= from + meanwhile
    expect(answers.filter((sum) => !within(10_000)(sum) && !within(5000)(sum))).toEqual([])
    expect(answers.filter(within(10_000)).length).toBeGreaterThan(20)
    expect(await askNow(test)).toBe(5000 + meanwhile)
  })

  it('answers with the old view until the switch, and with the new one from then on', async () => {
    const code = newCode(2)
    const test = await start(make(), define(code, { inline }))
    await test.app.append({ events: pay(300) })
    await test.settle()
    code.factor = 1
    const answers: Promise<number>[] = []
    const onProgress = (): void => void answers.push(askNow(test))
    await test.runtime.until(test.app.rebuild('sums', { onProgress }))
    const asked = await Promise.all(answers)
    const switched = asked.findIndex((sum) => sum === 300)
    const before = switched < 0 ? asked : asked.slice(0, switched)
    expect(before.length).toBeGreaterThan(5)
    expect(new Set(before)).toEqual(new Set([600]))
    expect(asked.slice(before.length).every((sum) => sum === 300)).toBe(true)
    expect(await askNow(test)).toBe(300)
  })

  it('tells how far it is, and how it ended', async () => {
    const test = await start(make(), define(newCode(), { inline }))
    await test.app.append({ events: pay(300) })
    await test.settle()
    const told: number[] = []
    const onProgress = ({ position, through }: { position: number; through: number }): void => {
      expect(through).toBe(300)
      told.push(position)
    }
    await test.runtime.until(test.app.rebuild('sums', { onProgress }))
    expect(told.length).toBeGreaterThan(5)
    expect(told).toEqual(told.toSorted((one, other) => one - other))
    const signals = test.spy.signals.filter(({ name }) => /rebuild|view/.test(name))
    expect(signals).toMatchObject([
      { name: 'rebuild-started', subscription: 'sums', through: 300 },
      { name: 'rebuild-finished', subscription: 'sums', through: 300 },
      { name: 'view-switched', projection: 'sums', version: 2, previous: 1, position: 300 },
    ])
  })

  it('takes in what is written at the same time, each event once', async () => {
    const code = newCode()
    const test = await start(make(), define(code, { inline }))
    await test.app.append({ events: pay(200) })
    await test.settle()
    const rebuilt = test.app.rebuild('sums')
    const appends = Array.from({ length: 50 }, () => test.app.append({ events: pay(2) }))
    await test.runtime.until(rebuilt)
    await test.runtime.until(Promise.all(appends))
    await test.settle()
    expect(await askNow(test)).toBe(300)
    // And goes on from there.
    await test.app.append({ events: pay(7) })
    await test.settle()
    expect(await askNow(test)).toBe(307)
  })

  it('goes on after a restart, while the old view serves', async () => {
    const place = make()
    const code = newCode(2)
    const first = await start(place, define(code, { inline, batch: 1 }))
    await first.app.append({ events: pay(50) })
    await first.settle()
    code.factor = 1
    let stopped: Promise<void> | undefined
    const onProgress = ({ position }: { position: number }): void => {
      if (position > 5) stopped ??= first.app.stop()
    }
    const rebuilt = first.app.rebuild('sums', { onProgress })
    await expect(first.runtime.until(rebuilt)).rejects.toMatchObject({ code: 'APP_STOPPED' })
    await first.runtime.until(stopped ?? Promise.reject(new Error('It was not stopped.')))
    const applied = code.applied
    const second = await start(place, define(code, { inline, batch: 1 }))
    await second.spy.until('The switch', async () => {
      const sum = await askNow(second)
      expect([100, 50]).toContain(sum)
      return sum === 50
    })
    expect(code.applied - applied).toBeLessThan(50)
  })

  it('is begun by whoever runs when an operator asks for it', async () => {
    const test = await start(make(), define(newCode(2), { inline }))
    await test.app.append({ events: pay(30) })
    await test.settle()
    const on = { database: test.app.database, runtime: test.runtime }
    expect(await askRebuild(on, 'sums')).toMatchObject({ version: 2, inline })
    expect(await views(on)).toMatchObject([
      { serving: 1, building: { version: 2, state: 'building' }, kept: null },
    ])
    await test.spy.signal('view-switched')
    expect(await views(on)).toMatchObject([
      { serving: 2, building: null, kept: { version: 1, position: 30 } },
    ])
    expect((await subscriptions(on)).map(({ name }) => name)).toEqual(['sums'])
  })

  it('is refused while another one runs, unless it is to begin anew', async () => {
    const test = await start(make(), define(newCode(), { inline }))
    await test.app.append({ events: pay(30) })
    await test.settle()
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    await expect(test.app.rebuild('sums')).rejects.toMatchObject({
      code: 'STATE_INVALID',
      details: { projection: 'sums', version: 2 },
    })
    const again = await test.runtime.until(test.app.rebuild('sums', { restart: true }))
    expect(again.version).toBe(3)
    expect(await askNow(test)).toBe(30)
  })

  it('of an empty log is done at once', async () => {
    const test = await start(make(), define(newCode(), { inline }))
    await test.runtime.until(test.app.rebuild('sums'))
    await test.app.append({ events: pay(3) })
    await test.settle()
    expect(await askNow(test)).toBe(3)
  })

  it('leaves nothing behind when the version before is no longer kept', async () => {
    const test = await start(make(), define(newCode(), { inline }))
    await test.app.append({ events: pay(2500) })
    await test.settle()
    await test.runtime.until(test.app.rebuild('sums', { keep: '3s' }))
    await test.advance('5s')
    const on = { database: test.app.database, runtime: test.runtime }
    expect(await views(on)).toMatchObject([{ serving: 2, kept: null, removing: [] }])
    const left = await look(test)(({ documents }) => documents.list('sums', { limit: 1 }))
    expect(left).toEqual([])
    expect(await askNow(test)).toBe(2500)
  })
})

describe.each(kinds)('on $name', ({ make }) => {
  it('refuses the name of what is not there', async () => {
    const test = await start(make(), sums(newCode()))
    await expect(test.app.rebuild('sum')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('a caller who gives up leaves the rebuild running', async () => {
    const test = await start(make(), sums(newCode(2)))
    await test.app.append({ events: pay(30) })
    await test.settle()
    const controller = new AbortController()
    const rebuilt = test.app.rebuild('sums', { signal: controller.signal })
    controller.abort()
    await expect(rebuilt).rejects.toMatchObject({ code: 'ABORTED' })
    await test.spy.signal('view-switched')
  })
})
