// A rebuild whose writes get lost, or whose process is killed, at any point: it ends as the fold of everything, and the
// view before is whole too.
import type { Database } from 'thence'
import { askRebuild, switchBack, views } from 'thence/admin'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { When } from '../kit/faults.ts'
import { faulty, losable } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { kinds, look } from '../kit/places.ts'
import type { Started } from '../kit/summing.ts'
import { askNow, everyone, newCode, pay, start, sums } from '../kit/summing.ts'

const ways = kinds.flatMap((kind) => [
  { ...kind, inline: false },
  { ...kind, inline: true },
])

/** An operator with a connection that nothing happens to. */
const operator = async (place: Place) => {
  const { runtime } = place
  const database = place.open()
  await database.open(runtime)
  onTestFinished(() => database.close())
  return { database, runtime }
}

/** A store with a view that counts everything twice. */
const filled = async (place: Place, inline: boolean): Promise<void> => {
  const test = await start(place, sums(newCode(2), { inline }))
  await test.app.append({ events: pay(60) })
  await test.settle()
  await test.stop()
}

const switched = (test: Started, version: number): Promise<void> =>
  test.spy.until('The switch', async () => {
    const [view] = await views({ database: test.app.database })
    return view?.serving === version
  })

const stored = (test: Started, collection: string): Promise<string | undefined> =>
  look(test)(({ documents }) => documents.get(collection, everyone))

/** Both versions are the fold of what they should be, and the one that serves goes on. */
const checkBoth = async (test: Started): Promise<void> => {
  expect(await askNow(test)).toBe(60)
  expect(await stored(test, 'sums')).toBe('120')
  expect(await stored(test, 'sums@2')).toBe('60')
  await test.app.append({ events: pay(5) })
  await test.settle()
  expect(await askNow(test)).toBe(65)
}

describe.each(ways)('a rebuild on $name (inline: $inline)', ({ make, inline }) => {
  it.each(['before the commit', 'after the commit'] as const)(
    'ends as the fold of everything, whichever write is lost %s',
    async (when: When) => {
      let failed = 0
      for (let lost = 0; lost < 16; lost += 1) {
        const place = make()
        await filled(place, inline)
        let armed = false
        let since = 0
        const chosen = (): When | undefined => {
          if (!armed) return undefined
          since += 1
          return since === lost + 1 ? when : undefined
        }
        const around = (one: Database): Database => faulty(one, chosen).database
        const test = await start(place, sums(newCode(), { inline, batch: 2 }), { around })
        await askRebuild(await operator(place), 'sums')
        armed = true
        await switched(test, 2)
        failed += since > lost ? 1 : 0
        armed = false
        await test.settle()
        await checkBoth(test)
        await test.stop()
      }
      expect(failed).toBeGreaterThan(8)
    },
  )

  it('goes on where it was when the process is killed after any write', async () => {
    let killed = 0
    for (let writes = 0; writes < 14; writes += 1) {
      const place = make()
      await filled(place, inline)
      const on = await operator(place)
      let [armed, seen] = [false, 0]
      const dead = Promise.withResolvers<void>()
      const victim = await start(place, sums(newCode(), { inline, batch: 2 }), {
        around: (one) => {
          const mortal = losable(one)
          const die = (): undefined => {
            if (armed) seen += 1
            if (seen !== writes + 1) return undefined
            mortal.lose()
            killed += 1
            dead.resolve()
            return undefined
          }
          return faulty(mortal.database, die).database
        },
      })
      await askRebuild(on, 'sums')
      armed = true
      const done = switched(victim, 2).catch(() => undefined)
      await place.runtime.until(Promise.race([dead.promise, done]))
      await place.runtime.until(victim.app.stop().catch(() => undefined))
      const after = await start(place, sums(newCode(), { inline, batch: 2 }))
      await switched(after, 2)
      await after.settle()
      await checkBoth(after)
      await after.stop()
    }
    expect(killed).toBeGreaterThan(8)
  })

  it('comes back whole, whichever write is lost on the way back', async () => {
    for (let lost = 0; lost < 8; lost += 1) {
      const place = make()
      await filled(place, inline)
      let [armed, since] = [false, 0]
      const chosen = (): When | undefined => {
        if (!armed) return undefined
        since += 1
        return since === lost + 1
          ? lost % 2 === 0
            ? 'before the commit'
            : 'after the commit'
          : undefined
      }
      const around = (one: Database): Database => faulty(one, chosen).database
      const test = await start(place, sums(newCode(), { inline, batch: 2 }), { around })
      const on = await operator(place)
      await askRebuild(on, 'sums')
      await switched(test, 2)
      await test.app.append({ events: pay(20) })
      await test.settle()
      await switchBack(on, 'sums')
      armed = true
      await switched(test, 1)
      armed = false
      await test.settle()
      expect(await askNow(test)).toBe(140)
      expect(await stored(test, 'sums@2')).toBe('80')
      await test.stop()
    }
  })
})
