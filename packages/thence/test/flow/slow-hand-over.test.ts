// A partition that is another's share goes on beside a call that takes long, and is handed over when that has ended.
import { event, handler, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { gate, kinds, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ readonly bell: string }>())
const bells = Array.from('abcdefghijklmnop')

/** Two processes of which the second joins while the first has a call in hand; which of them hears which bell. */
const joined = async (place: Place) => {
  const slow = gate()
  const heard: string[] = []
  const began: string[] = []
  const ear = (process: string) =>
    handler('ear', Rung, {
      key: ({ data }) => data.bell,
      partitions: 2,
      timeout: '1h',
      run: async ({ data: { bell } }) => {
        if (bell === 'slow') began.push(process)
        if (bell === 'slow') await slow.opened
        heard.push(`${process} ${bell}`)
      },
    })
  const first = await run(place, (app) => app.use(ear('first')))
  await first.app.append({ events: Rung({ bell: 'slow' }) })
  await place.runtime.advance('2s')
  const second = await run(place, (app) => app.use(ear('second')))
  const ring = () => first.app.append({ events: bells.map((bell) => Rung({ bell })) })
  return { slow, heard, began, ring, second }
}

describe.each(kinds)('a hand-over beside a call that takes long on $name', ({ make }) => {
  it('waits for it, and everything else goes on', async () => {
    const place = make()
    const { slow, heard, began, ring, second } = await joined(place)
    await place.runtime.advance('10s')
    await ring()
    await place.runtime.advance('5s')
    expect(heard.map((one) => one.split(' ')[1] ?? '').toSorted()).toEqual(bells)
    slow.open()
    await place.runtime.advance('10s')
    heard.length = 0
    await ring()
    await second.settle()
    // Now each has its share.
    expect(new Set(heard.map((one) => one.split(' ')[0]))).toEqual(new Set(['first', 'second']))
    expect(began).toEqual(['first'])
  })

  it('begins nothing more after half a minute, so that it comes about when the call has ended', async () => {
    const place = make()
    const { slow, heard, began, ring, second } = await joined(place)
    await place.runtime.advance('1m')
    await ring()
    await place.runtime.advance('1m')
    expect(heard.length).toBeLessThan(bells.length)
    slow.open()
    await second.settle()
    expect(heard).toHaveLength(bells.length + 1)
    expect(began).toEqual(['first'])
  })
})
