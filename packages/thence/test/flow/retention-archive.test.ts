// An archive has everything before it is removed.
import type { Archive } from 'thence'
import { describe, expect, it } from 'vitest'
import { click, Clicked, keep, left, oldClicks, start } from '../kit/keeping.ts'
import { kinds, run, wrap } from '../kit/places.ts'

describe.each(kinds)('an archive on $name', ({ make }) => {
  it('is given what is then removed, in order', async () => {
    const taken: unknown[] = []
    const archive: Archive = (messages) => void taken.push(...messages)
    const test = await start(make(), keep([{ ...oldClicks, archive }]))
    await click(test, 'clicks-2', 1)
    await click(test, 'clicks-1', 2)
    await click(test, 'clicks-2', 3)
    await test.advance('75s')
    expect(taken).toMatchObject([
      { position: 1, stream: 'clicks-2', version: 1, type: 'Clicked', data: { n: 1 } },
      { position: 2, stream: 'clicks-1', version: 1, data: { n: 2 } },
      { position: 3, stream: 'clicks-2', version: 2, data: { n: 3 } },
    ])
    expect(await left(test, 'clicks-2')).toEqual([])
  })

  it('that fails keeps everything, and is tried again', async () => {
    let calls = 0
    const archive: Archive = async () => {
      calls += 1
      if (calls < 3) throw new Error('the disk is full')
    }
    const test = await start(make(), keep([{ ...oldClicks, archive }]))
    await click(test, 'clicks-1', 1)
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toEqual([1])
    expect(test.spy.signals.filter(({ name }) => name === 'retention-failed')).toHaveLength(1)
    await test.advance('20s')
    expect(calls).toBe(3)
    expect(await left(test, 'clicks-1')).toEqual([])
  })

  it('has everything, some of it twice, when the process ends before the removal', async () => {
    const place = make()
    const taken: number[] = []
    let crash = false
    const archive: Archive = (messages) => {
      taken.push(...messages.map(({ position }) => position))
      crash = taken.length === 2
    }
    const options = keep([{ ...oldClicks, archive }])
    const dying = await run(place, (app) => app.messages(Clicked), {
      ...options,
      around: (one) =>
        wrap(one, {
          transact: (work, how) =>
            crash ? Promise.reject(new Error('the process has ended')) : one.transact(work, how),
        }),
    })
    await click(dying, 'clicks-1', 1, 2)
    await dying.advance('74s')
    expect(taken).toEqual([1, 2])
    expect(await left(dying, 'clicks-1')).toEqual([1, 2])
    crash = false
    await dying.stop()
    const test = await start(place, options)
    await test.advance('75s')
    expect(taken).toEqual([1, 2, 1, 2])
    expect(await left(test, 'clicks-1')).toEqual([])
  })

  it('of two processes gets everything from one of them', async () => {
    const place = make()
    const taken: number[] = []
    const archive: Archive = async (messages) => {
      taken.push(...messages.map(({ position }) => position))
      // Long enough for the other to look, too.
      await new Promise<void>((resolve) => place.runtime.after(3000, resolve))
    }
    const options = keep([{ ...oldClicks, archive }])
    const one = await start(place, options)
    await one.advance('1s')
    const other = await start(place, options)
    await click(one, 'clicks-1', 1, 2)
    await one.advance('75s')
    await other.settle()
    expect(taken).toEqual([1, 2])
    expect(await left(one, 'clicks-1')).toEqual([])
    expect(one.spy.signals.filter(({ name }) => name === 'retention-failed')).toEqual([])
  })

  it('that ends in the middle of a long stream is given the rest the next time', async () => {
    const sizes: number[] = []
    const archive: Archive = (messages) => {
      sizes.push(messages.length)
      if (sizes.length === 2) throw new Error('the network is gone')
    }
    const rule = { ...oldClicks, remove: 'streams', tombstone: true, archive } as const
    const test = await start(make(), keep([rule]))
    const many = Array.from({ length: 700 }, (_, n) => Clicked({ n }))
    await test.app.append({ stream: 'clicks-1', events: many })
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toHaveLength(200)
    await test.advance('20s')
    expect(await left(test, 'clicks-1')).toEqual([])
    expect(sizes).toEqual([500, 200, 200])
  })
})
