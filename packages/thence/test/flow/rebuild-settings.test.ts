// What an operator has set for a projection, while a version is built beside the one that serves: the failure policy holds
// for both, a pause for the one that it names.
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { kinds, look } from '../kit/places.ts'
import type { Started } from '../kit/summing.ts'
import { askNow, newCode, pay, start, sums } from '../kit/summing.ts'

const onOf = ({ app, runtime }: Started) => ({ database: app.database, runtime })
const settings = (test: Started) =>
  look(test)(async ({ documents }) =>
    (await documents.list('$settings', { limit: 10 })).map(({ key }) => key),
  )

/** Thirty payments of which one can't be counted: 20 of 1, one of 13, 9 of 1. */
const poisoned = async (kind: (typeof kinds)[number]) => {
  const code = newCode()
  code.refuses.add(13)
  const test = await start(kind.make(), sums(code))
  await test.app.append({ events: [...pay(20), ...pay(1, 13), ...pay(9)] })
  await test.settle()
  return { code, test, on: onOf(test) }
}

describe.each(kinds)('on $name', (kind) => {
  it('the failure policy of a projection holds for the version that is built', async () => {
    const { test, on } = await poisoned(kind)
    await test.app.setPolicy('sums', 'skip')
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    expect(await admin.deadLetters(on, { subscription: 'sums@2' })).toMatchObject([
      { state: 'discarded', position: 21 },
    ])
    expect(await admin.subscription(on, 'sums@2')).toMatchObject({ policy: 'skip', position: 30 })
    await admin.switchView(on, 'sums')
    await test.spy.signal('view-switched')
    expect(await askNow(test)).toBe(29)
    expect(await settings(test)).toEqual(['sums'])
    // And it still holds for the view that serves now.
    await test.app.append({ events: [...pay(1, 13), ...pay(2)] })
    await test.settle()
    expect(await askNow(test)).toBe(31)
  })

  it('a policy that is set while it is built holds from the next failure on', async () => {
    const { test, on } = await poisoned(kind)
    await expect(test.runtime.until(test.app.rebuild('sums'))).rejects.toMatchObject({
      code: 'STATE_INVALID',
    })
    await admin.setPolicy(on, 'sums', { policy: 'skip' })
    const [letter] = await admin.deadLetters(on, { subscription: 'sums@2' })
    await admin.redrive(on, letter?.id ?? '')
    await test.spy.signal('view-switched')
    expect(await askNow(test)).toBe(29)
  })

  it('what is set for the version itself comes first, and is forgotten with the switch', async () => {
    const { test, on } = await poisoned(kind)
    await test.app.setPolicy('sums', 'skip')
    await test.app.pause('sums')
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    await admin.setPolicy(on, 'sums@2', { policy: 'park-key' })
    await test.app.append({ events: pay(1, 13) })
    await test.runtime.advance('5s')
    expect(await admin.subscription(on, 'sums@2')).toMatchObject({ policy: 'park-key', parked: 1 })
    const [letter] = await admin.deadLetters(on, { subscription: 'sums@2', state: 'parked' })
    await admin.discard(on, letter?.id ?? '', 'not ours')
    await admin.switchView(on, 'sums')
    await test.spy.signal('view-switched')
    expect(await settings(test)).toEqual(['sums'])
    await test.app.resume('sums')
    await test.settle()
    expect(await askNow(test)).toBe(29)
  })

  it('a paused projection can be rebuilt; from the switch on it waits for its resume', async () => {
    const code = newCode()
    const test = await start(kind.make(), sums(code))
    await test.app.append({ events: pay(20) })
    await test.settle()
    await test.app.pause('sums', { reason: 'it counts wrongly' })
    await test.app.append({ events: pay(5) })
    code.factor = 2
    await test.runtime.until(test.app.rebuild('sums'))
    expect(await askNow(test)).toBe(50)
    await test.app.append({ events: pay(3) })
    await test.advance('3s')
    expect(await askNow(test)).toBe(50)
    expect(await admin.subscription(onOf(test), 'sums')).toMatchObject({ state: 'paused' })
    await test.app.resume('sums')
    await test.settle()
    expect(await askNow(test)).toBe(56)
  })

  it('a version that is paused neither goes on nor takes over, while the one that serves goes on', async () => {
    const test = await start(kind.make(), sums(newCode()))
    const on = onOf(test)
    await test.app.append({ events: pay(20) })
    await test.settle()
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    await test.app.pause('sums@2', { reason: 'wait' })
    await test.app.append({ events: pay(5) })
    await admin.switchView(on, 'sums')
    await test.advance('5s')
    expect(await askNow(test)).toBe(25)
    expect(await admin.view(on, 'sums')).toMatchObject({ serving: 1, building: { version: 2 } })
    expect(await admin.subscription(on, 'sums@2')).toMatchObject({ state: 'paused', position: 20 })
    await test.app.resume('sums@2')
    await test.spy.signal('view-switched')
    expect(await askNow(test)).toBe(25)
    expect(await settings(test)).toEqual([])
  })

  it('what was set for a version goes when it is dropped', async () => {
    const test = await start(kind.make(), sums(newCode()))
    const on = onOf(test)
    await test.app.append({ events: pay(20) })
    await test.settle()
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    await test.app.pause('sums@2')
    expect(await settings(test)).toEqual(['sums@2'])
    await admin.dropView(on, 'sums')
    expect(await settings(test)).toEqual([])
  })
})
