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

  it('does not wait for retries that are in line for a place', async () => {
    const place = make()
    const slow = gate()
    const failed = new Set<string>()
    const heard: string[] = []
    const ear = (process: string) =>
      handler('ear', Rung, {
        key: ({ data }) => data.bell,
        partitions: 8,
        concurrency: 1,
        timeout: '1h',
        classify: () => 'transient',
        retry: { attempts: 9, base: '4s', cap: '4s', budget: { share: 1, perSecond: 100 } },
        run: async ({ data: { bell } }) => {
          if (bell === 'slow') await slow.opened
          if (!failed.has(bell)) {
            failed.add(bell)
            throw new Error('The first time.')
          }
          heard.push(process)
        },
      })
    const first = await run(place, (app) => app.use(ear('first')))
    await first.app.append({ events: bells.map((bell) => Rung({ bell })) })
    await place.runtime.advance(10)
    await first.app.append({ events: Rung({ bell: 'slow' }) })
    // All are due again by now, and wait for the only place.
    await place.runtime.advance('6s')
    heard.length = 0
    const second = await run(place, (app) => app.use(ear('second')))
    await place.runtime.advance('10s')
    expect(new Set(heard)).toEqual(new Set(['second']))
    slow.open()
    await place.runtime.until(Promise.all([first.app.whenIdle(), second.app.whenIdle()]))
  })
})
