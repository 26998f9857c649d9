// A projection may be given a key by a new release, or lose it, while a message of it waits: nothing is applied twice,
// nothing is left out, and nobody spins.
import type { Database } from 'thence'
import { documents, event, plain, projection, ThenceError } from 'thence'
import { describe, expect, it } from 'vitest'
import { noted } from '../kit/calls.ts'
import { kinds, look, run } from '../kit/places.ts'
import type { Kind } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
type Bell = { readonly bell: string; readonly n: number }
type Key = ((ring: Bell) => string) | undefined

const byBell: Key = ({ bell }) => bell
const byNumber: Key = ({ n }) => `${n}`
const none: Key = undefined

/** The releases of one projection, over one history: how often each bell was counted. */
const releases = ({ make }: Kind, attempts: number) => {
  const place = make()
  const state = { broken: true, calls: [] as string[] }
  const start = (key: Key, around: (one: Database) => Database = (one) => one) => {
    const counts = projection('counts', {
      ...(key === undefined ? {} : { key: ({ data }) => key(data as Bell) }),
      retry: { attempts, base: 300, cap: 300 },
      view: documents<number>(),
      on: (on) =>
        on(Rung, async ({ data: { bell, n } }, view) => {
          state.calls.push(`${bell}${n}`)
          if (state.broken && bell === 'a') throw new Error('A bug.')
          await view.update(bell, (before = 0) => before + 1)
        }),
    })
    return run(place, (app) => app.use(counts), { around })
  }
  return { place, state, start }
}

type Test = Awaited<ReturnType<ReturnType<typeof releases>['start']>>

const shown = async (test: Test): Promise<Record<string, number>> => {
  const list = await look(test)((one) => one.documents.list('counts', { limit: 100 }))
  return Object.fromEntries(list.map(({ key, value }) => [key, Number(value)]))
}

const rings = (text: string) =>
  text.split(' ').map((ring) => Rung({ bell: ring.charAt(0), n: Number(ring.slice(1)) }))

const count = (calls: readonly string[], one: string): number =>
  calls.filter((call) => call === one).length

const switches = [
  ['gets', none, byBell],
  ['loses', byBell, none],
  ['changes', byBell, byNumber],
] as const

describe.each(kinds)('a projection that waits for a message on $name', (kind) => {
  it.each(switches)('and %s its key counts everything once', async (_, from, to) => {
    const { place, state, start } = releases(kind, 100)
    const before = await start(from)
    await before.app.append({ events: rings('c1 a1 b1 a2 c2') })
    await before.spy.signal('message-failed')
    await before.stop()
    state.broken = false
    const after = await start(to)
    await after.settle()
    expect(await shown(after)).toEqual({ a: 2, b: 1, c: 2 })
    await after.app.append({ events: rings('a3 b2') })
    await after.settle()
    expect(await shown(after)).toEqual({ a: 3, b: 2, c: 2 })
    expect(place.runtime.planned).toBeLessThan(8)
  })

  it.each(switches)('and %s its key goes on waiting if it still fails', async (_, from, to) => {
    const { state, start } = releases(kind, 100)
    const before = await start(from)
    await before.app.append({ events: rings('c1 a1 b1 a2 c2') })
    await before.spy.signal('message-failed')
    await before.stop()
    const after = await start(to)
    await after.spy.signal('message-failed')
    state.broken = false
    await after.settle()
    expect(await shown(after)).toEqual({ a: 2, b: 1, c: 2 })
  })

  it.each(switches)('that is due already, and %s its key, counts it once', async (_, from, to) => {
    const { place, state, start } = releases(kind, 100)
    const before = await start(from)
    await before.app.append({ events: rings('c1 a1 b1 a2 c2') })
    await before.spy.signal('message-failed')
    await before.stop()
    await place.runtime.advance('1m')
    state.broken = false
    const after = await start(to)
    await after.settle()
    expect(await shown(after)).toEqual({ a: 2, b: 1, c: 2 })
  })

  it.each(switches)('and %s its key counts it once whichever write fails', async (_, from, to) => {
    for (let lost = 0; lost < 8; lost += 1) {
      const { place, state, start } = releases(kind, 100)
      const before = await start(from)
      await before.app.append({ events: rings('c1 a1 b1 a2 c2') })
      await before.spy.signal('message-failed')
      await before.stop()
      await place.runtime.advance('1m')
      state.broken = false
      let moves = 0
      const fail = (call: string): void => {
        if (call !== 'checkpoints.move') return
        moves += 1
        if (moves === lost || moves === lost + 1)
          throw new ThenceError('STORE_FAILED', 'This write was made to fail.')
      }
      const after = await start(to, (one) => noted(one, fail))
      await after.settle()
      expect(await shown(after), `lost ${lost}`).toEqual({ a: 2, b: 1, c: 2 })
      await after.stop()
    }
  })

  it('and gets a key goes on with all the others while that one is parked', async () => {
    const { state, start } = releases(kind, 1)
    const before = await start(none)
    await before.app.append({ events: rings('a1 b1 a2 c1') })
    await before.settle()
    expect(await shown(before)).toEqual({})
    await before.stop()
    state.calls = []
    const after = await start(byBell)
    await after.settle()
    await after.advance('1m')
    expect(await shown(after)).toEqual({ b: 1, c: 1 })
    expect(state.calls).toEqual(['b1', 'c1'])
    expect(after.spy.signals).toEqual([])
    expect(count(state.calls, 'a2')).toBe(0)
  })
})
