// Rebuilds in several processes on one store: one builds, all of them switch at the same moment, and whoever comes too
// late commits nothing.
import type { Database } from 'thence'
import { ThenceError } from 'thence'
import { switchView, views } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { silenced } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { file, gate, look, wrap } from '../kit/places.ts'
import type { Code, SumsOptions } from '../kit/summing.ts'
import { askNow, everyone, newCode, pay, start, sums } from '../kit/summing.ts'

/** A page of the log that this process has read and not yet taken, while `held` says so. */
const hesitant = (inner: Database, held: () => Promise<void> | undefined): Database =>
  wrap(inner, {
    read: async (work) => {
      const result = await inner.read(work)
      const isPage = typeof result === 'object' && result !== null && 'through' in result
      if (isPage && 'messages' in result && (result.messages as unknown[]).length > 0) await held()
      return result
    },
  })

/** Notes with which codes writes were refused. */
const counting = (inner: Database, codes: string[]): Database =>
  wrap(inner, {
    transact: async (work, options) => {
      try {
        return await inner.transact(work, options)
      } catch (error) {
        if (error instanceof ThenceError) codes.push(error.code)
        throw error
      }
    },
  })

const begin = (
  place: Place,
  { code = newCode(), ...options }: SumsOptions & { readonly code?: Code } = {},
  around?: (one: Database) => Database,
) => start(place, sums(code, options), around === undefined ? {} : { around })

describe('two processes', () => {
  it('both answer from the old view until the switch, and both from the new one after it', async () => {
    const place = file.make()
    const code = newCode(2)
    const [one, two] = [await start(place, sums(code)), await start(place, sums(code))]
    await one.app.append({ events: pay(300) })
    await one.settle()
    await two.settle()
    code.factor = 1
    const answers: Promise<number>[] = []
    const onProgress = (): void => void answers.push(askNow(one), askNow(two))
    await place.runtime.until(one.app.rebuild('sums', { onProgress }))
    const asked = await place.runtime.until(Promise.all(answers))
    expect(asked.length).toBeGreaterThan(10)
    expect(new Set(asked)).toContain(600)
    expect(asked).toEqual(asked.toSorted((left, right) => right - left))
    expect([await askNow(one), await askNow(two)]).toEqual([300, 300])
    for (const app of [one.app, two.app]) await app.append({ events: pay(5) })
    await one.settle()
    await two.settle()
    expect([await askNow(one), await askNow(two)]).toEqual([310, 310])
  })

  it('share the work: when the one that builds ends, the other goes on', async () => {
    const place = file.make()
    const code = newCode()
    const one = await start(place, sums(code, { batch: 1 }))
    await one.app.append({ events: pay(60) })
    await one.settle()
    let stopped: Promise<void> | undefined
    const onProgress = ({ position }: { position: number }): void => {
      if (position > 20) stopped ??= one.app.stop()
    }
    const rebuilt = one.app.rebuild('sums', { onProgress })
    await expect(place.runtime.until(rebuilt)).rejects.toMatchObject({ code: 'APP_STOPPED' })
    await place.runtime.until(stopped ?? Promise.reject(new Error('It was not stopped.')))
    const applied = code.applied
    const two = await start(place, sums(code, { batch: 1 }))
    await two.spy.until('The switch', async () => {
      const [view] = await views({ database: two.app.database })
      return view?.serving === 2
    })
    expect(code.applied - applied).toBeLessThan(60)
    expect(await askNow(two)).toBe(60)
  })
})

describe('a process that was away while another one switched', () => {
  // Which of the two builds depends on the seed; when it is the other one, this one is told of nothing.
  it.each([1, 2, 3, 4, 5, 6])(
    'commits nothing to the view that serves now, nor to the one before (seed %i)',
    async (seed) => {
      const place = file.make(seed)
      const door = gate()
      let armed = false
      const hold = (): Promise<void> | undefined => {
        if (!armed) return undefined
        armed = false
        return door.opened
      }
      // Either of the two may be the one that builds.
      const code = newCode(2)
      const codes: string[] = []
      const away = await begin(place, { code }, (inner) => hesitant(counting(inner, codes), hold))
      await away.app.append({ events: pay(30) })
      await away.settle()
      const other = await begin(place, { code })
      code.factor = 1
      armed = true
      await other.app.append({ events: pay(3) })
      // It has the three in hand, to apply them to the view that it knows.
      await place.runtime.advance(200)
      expect(armed).toBe(false)
      await place.runtime.until(other.app.rebuild('sums'))
      expect(await askNow(other)).toBe(33)
      door.open()
      await place.runtime.advance('2s')
      expect(codes).toContain('CHECKPOINT_MOVED')
      const kept = await look(other)(({ documents }) => documents.get('sums', everyone))
      expect(kept).toBe('60')
      expect([await askNow(away), await askNow(other)]).toEqual([33, 33])
      await away.app.append({ events: pay(2) })
      await away.settle()
      await other.settle()
      expect([await askNow(away), await askNow(other)]).toEqual([35, 35])
    },
  )

  it('commits nothing to the version that it was building', async () => {
    const place = file.make()
    const door = gate()
    let [armed, silent] = [false, false]
    const hold = (): Promise<void> | undefined => (armed ? door.opened : undefined)
    const away = await begin(place, { batch: 10 }, (inner) =>
      silenced(hesitant(inner, hold), () => silent),
    )
    await away.app.append({ events: pay(60) })
    await away.settle()
    armed = true
    const rebuilt = away.app.rebuild('sums', { switch: 'manual' })
    await place.runtime.advance(300)
    // It has the first page in hand when it is heard of for the last time.
    silent = true
    const other = await begin(place, { batch: 10 })
    await other.spy.until('Ready', async () => {
      const [view] = await views({ database: other.app.database })
      return view?.building?.state === 'ready'
    })
    await switchView({ database: other.app.database, runtime: place.runtime }, 'sums')
    await other.spy.signal('view-switched')
    expect(await askNow(other)).toBe(60)
    armed = false
    door.open()
    expect(await place.runtime.until(rebuilt)).toMatchObject({ version: 2 })
    await place.runtime.advance('3s')
    expect([await askNow(away), await askNow(other)]).toEqual([60, 60])
    const rows = await look(other)(({ checkpoints }) => checkpoints.list())
    expect(rows.map(({ subscription }) => subscription)).toEqual(['sums'])
  })
})
