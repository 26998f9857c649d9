// What a process tells of a version that is built beside the one that serves: where it has come, and nothing of a lease that
// is lost when the version ends because it was switched to, dropped or begun anew.
import { describe, expect, it } from 'vitest'
import { file, kinds } from '../kit/places.ts'
import type { Started } from '../kit/summing.ts'
import { askNow, newCode, pay, start, sums } from '../kit/summing.ts'

const lost = ({ spy }: Started) => spy.signals.filter(({ name }) => name === 'lease-lost')

const begin = async (kind: (typeof kinds)[number]) => {
  const test = await start(kind.make(), sums(newCode()))
  await test.app.append({ events: pay(2) })
  await test.settle()
  return test
}

describe.each(kinds)('on $name', (kind) => {
  it('a switch and the way back end a version quietly', async () => {
    const test = await begin(kind)
    const rebuilt = await test.runtime.until(test.app.rebuild('sums'))
    await test.advance('3s')
    expect(lost(test)).toEqual([])
    await test.runtime.until(rebuilt.back())
    await test.advance('3s')
    expect(lost(test)).toEqual([])
    expect(await askNow(test)).toBe(2)
  })

  it('so do a version that is dropped, and one that is begun anew', async () => {
    const test = await begin(kind)
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    await test.advance('3s')
    const again = test.app.rebuild('sums', { switch: 'manual', restart: true })
    const rebuilt = await test.runtime.until(again)
    await test.advance('3s')
    await rebuilt.drop()
    await test.advance('3s')
    expect(lost(test)).toEqual([])
  })

  it('one that waits for its switch is told to be built up to where it has come', async () => {
    const test = await begin(kind)
    await test.runtime.until(test.app.rebuild('sums', { switch: 'manual' }))
    expect(test.spy.signals.filter(({ name }) => name.startsWith('rebuild-'))).toMatchObject([
      { name: 'rebuild-started', through: 2 },
      { name: 'rebuild-finished', through: 2 },
    ])
  })
})

it('a process that did not switch itself is quiet too', async () => {
  const place = file.make()
  const [one, two] = [await start(place, sums(newCode())), await start(place, sums(newCode()))]
  await one.app.append({ events: pay(30) })
  for (const app of [one.app, two.app]) {
    await place.runtime.until(app.rebuild('sums'))
    await place.runtime.advance('3s')
  }
  expect([...lost(one), ...lost(two)]).toEqual([])
})
