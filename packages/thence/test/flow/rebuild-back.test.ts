// What comes after a rebuild: the way back, what failed in either version, what is dropped, and missing history.
import { deadLetters, discard, dropView, redrive, switchBack, view } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { kinds, look } from '../kit/places.ts'
import type { Started } from '../kit/summing.ts'
import { askNow, newCode, Paid, pay, start, Sums, sums, sumTable } from '../kit/summing.ts'

const onOf = ({ app, runtime }: Started) => ({ database: app.database, runtime })
const sumsNow = ({ app }: Started) => app.ask(Sums(), { timeout: 0 })

const ways = kinds.flatMap((kind) => [
  { ...kind, how: 'documents' as const, inline: false },
  { ...kind, how: 'documents' as const, inline: true },
  ...(kind.sql ? [{ ...kind, how: 'tables' as const, inline: false }] : []),
])

describe.each(ways)('the $how before, on $name (inline: $inline)', ({ make, how, inline }) => {
  const define = how === 'documents' ? sums : sumTable

  it('serves again, with all that happened meanwhile', async () => {
    const code = newCode(2)
    const test = await start(make(), define(code, { inline }))
    await test.app.append({ events: pay(50) })
    await test.settle()
    code.factor = 1
    const rebuilt = await test.runtime.until(test.app.rebuild('sums'))
    await test.app.append({ events: pay(30) })
    await test.settle()
    expect(await askNow(test)).toBe(80)
    const answers: Promise<number>[] = []
    const asking = test.app.listen(() => void answers.push(askNow(test)))
    const appends = Array.from({ length: 20 }, () => test.app.append({ events: pay(1) }))
    await test.runtime.until(rebuilt.back())
    asking()
    await test.runtime.until(Promise.all(appends))
    await test.settle()
    expect(await askNow(test)).toBe(100 + 30 + 20)
    expect((await Promise.all(answers)).every((sum) => sum >= 80)).toBe(true)
    // And forth again: it is the same act.
    await test.runtime.until(rebuilt.back())
    expect(await askNow(test)).toBe(100)
    await test.app.append({ events: pay(5) })
    await test.settle()
    expect(await askNow(test)).toBe(105)
  })

  it('is kept as long as was said, and can be dropped before', async () => {
    const test = await start(make(), define(newCode(), { inline }))
    const on = onOf(test)
    await test.app.append({ events: pay(20) })
    await test.settle()
    const rebuilt = await test.runtime.until(test.app.rebuild('sums', { keep: Infinity }))
    expect(await view(on, 'sums')).toMatchObject({ serving: 2, kept: { version: 1, until: null } })
    await rebuilt.drop({ reason: 'all is well' })
    await test.advance('2s')
    expect(await view(on, 'sums')).toMatchObject({ serving: 2, kept: null, removing: [] })
    await expect(rebuilt.back()).rejects.toThrow('There is no way back for sums')
    await expect(rebuilt.drop()).rejects.toThrow('There is nothing to drop')
    expect(await askNow(test)).toBe(20)
  })
})

describe.each(kinds)('on $name', ({ make }) => {
  it('the version that is built, or the one that is kept, is dropped as it is said', async () => {
    const test = await start(make(), sums(newCode()))
    const on = onOf(test)
    await test.app.append({ events: pay(20) })
    await test.settle()
    await test.runtime.until(test.app.rebuild('sums'))
    const manual = await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    await expect(dropView(on, 'sums')).rejects.toThrow('3 and 1 can be')
    await expect(dropView(on, 'sums', { version: 2 })).rejects.toThrow('Version 2 of sums serves')
    await expect(switchBack(on, 'sums')).rejects.toThrow('version 3 is being built')
    expect(await dropView(on, 'sums', { version: 3 })).toMatchObject({
      building: null,
      kept: { version: 1 },
    })
    await expect(test.runtime.until(manual.switch())).rejects.toMatchObject({
      code: 'STATE_INVALID',
    })
    await test.advance('2s')
    const left = await look(test)(({ documents }) => documents.list('sums@3', { limit: 1 }))
    expect(left).toEqual([])
    expect(await askNow(test)).toBe(20)
  })

  it('a failure in the new version halts the new one only, until its message is settled', async () => {
    const code = newCode()
    const test = await start(make(), sums(code))
    const on = onOf(test)
    await test.app.append({ events: [...pay(20), ...pay(1, 13), ...pay(9)] })
    await test.settle()
    code.refuses.add(13)
    await expect(test.runtime.until(test.app.rebuild('sums'))).rejects.toMatchObject({
      code: 'STATE_INVALID',
      details: { projection: 'sums@2', position: 21 },
    })
    await test.app.append({ events: pay(4) })
    await test.settle()
    expect(await askNow(test)).toBe(46)
    expect(await view(on, 'sums')).toMatchObject({
      serving: 1,
      building: { state: 'halted', position: 20, parked: 1 },
    })
    code.refuses.clear()
    const [letter] = await deadLetters(on, { subscription: 'sums@2' })
    await redrive(on, letter?.id ?? '')
    await test.spy.signal('view-switched')
    expect(await askNow(test)).toBe(46)
    expect(await deadLetters(on, { state: 'parked' })).toEqual([])
  })

  it('a view that halted is mended by a rebuild, and its letter is closed', async () => {
    const code = newCode()
    code.refuses.add(13)
    const test = await start(make(), sums(code))
    const on = onOf(test)
    await test.app.append({ events: [...pay(20), ...pay(1, 13), ...pay(9)] })
    await test.settle()
    expect(await askNow(test)).toBe(20)
    code.refuses.clear()
    const rebuilt = await test.runtime.until(test.app.rebuild('sums'))
    expect(await askNow(test)).toBe(42)
    expect(await deadLetters(on)).toMatchObject([
      { subscription: 'sums', state: 'discarded', reason: 'The projection was rebuilt.' },
    ])
    // The old one tries its message again if it comes back.
    await test.runtime.until(rebuilt.back())
    expect(await askNow(test)).toBe(42)
  })

  it('what waits in a view with keys stays with its version, there and back', async () => {
    const code = newCode()
    code.refuses.add(13)
    const test = await start(make(), sums(code, { keyed: true }))
    const waiting = () => look(test)(({ retries }) => retries.summary())
    await test.app.append({ events: [Paid({ payer: 'p0', sum: 13 }), ...pay(14)] })
    await test.settle()
    expect(await sumsNow(test)).toEqual({ p1: 2, p2: 2, p3: 2, p4: 2, p5: 2, p6: 2 })
    expect(await waiting()).toMatchObject([{ subscription: 'sums', parked: 1, queued: 2 }])
    code.refuses.clear()
    const rebuilt = await test.runtime.until(test.app.rebuild('sums'))
    expect(await sumsNow(test)).toMatchObject({ p0: 15, p1: 2 })
    expect(await waiting()).toMatchObject([{ subscription: 'sums@1', due: 1, queued: 2 }])
    await test.app.append({ events: pay(7) })
    await test.settle()
    await test.runtime.until(rebuilt.back())
    expect(await sumsNow(test)).toEqual({ p0: 16, p1: 3, p2: 3, p3: 3, p4: 3, p5: 3, p6: 3 })
    expect(await waiting()).toEqual([])
  })

  it('a view with keys is not switched to while a message of it waits', async () => {
    const code = newCode()
    const test = await start(make(), sums(code, { keyed: true }))
    const on = onOf(test)
    await test.app.append({ events: [Paid({ payer: 'p0', sum: 13 }), ...pay(14)] })
    await test.settle()
    code.refuses.add(13)
    const refused = test.runtime.until(test.app.rebuild('sums'))
    await expect(refused).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await test.advance('3s')
    expect(await view(on, 'sums')).toMatchObject({ serving: 1, building: { state: 'halted' } })
    const [letter] = await deadLetters(on, { subscription: 'sums@2', state: 'parked' })
    await discard(on, letter?.id ?? '', 'it was a mistake')
    await test.spy.signal('view-switched')
    expect(await sumsNow(test)).toMatchObject({ p0: 2, p1: 2 })
  })

  it('is refused where events were removed, unless what is left will do', async () => {
    const code = newCode()
    const test = await start(make(), sums(code))
    const rebuilt = await (async () => {
      await test.app.append({ stream: 'old', events: pay(20) })
      await test.settle()
      return test.runtime.until(test.app.rebuild('sums'))
    })()
    await test.app.append({ stream: 'new', events: pay(10) })
    await test.app.append({ stream: 'old', events: pay(5) })
    await test.settle()
    const trim = (stream: string, through: number) =>
      test.app.database.transact(({ events }) => events.trim(stream, { through, limit: 1000 }))
    await trim('old', 20)
    const refusal = { code: 'HISTORY_TRUNCATED', details: { from: 0, truncated: 20 } }
    await expect(test.app.rebuild('sums')).rejects.toMatchObject(refusal)
    // The version before stands behind what was removed.
    await test.runtime.until(rebuilt.back())
    expect(await askNow(test)).toBe(35)
    await test.runtime.until(test.app.rebuild('sums', { truncated: true }))
    expect(await askNow(test)).toBe(15)
    await test.app.append({ stream: 'new', events: pay(1) })
    await test.settle()
    await trim('new', 11)
    await expect(switchBack(onOf(test), 'sums')).rejects.toMatchObject({
      code: 'HISTORY_TRUNCATED',
      details: { from: 35, truncated: 36 },
    })
  })
})
