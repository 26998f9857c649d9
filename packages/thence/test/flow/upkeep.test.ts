// What a process does beside its messages does not fail in silence, and goes on when it can.
import { event, plain } from 'thence'
import type { Database } from 'thence'
import { describe, expect, it } from 'vitest'
import { kinds, run, wrap } from '../kit/places.ts'

const Rung = event('Rung', plain<null>())

describe.each(kinds)('timers and jobs on $name', ({ make }) => {
  it('tell that they cannot be looked at', async () => {
    const state = { broken: false }
    const around = (database: Database): Database =>
      wrap(database, {
        read: async (work) => {
          if (state.broken) throw new TypeError('The driver is broken.')
          return database.read(work)
        },
      })
    const test = await run(make(), (app) => app.messages(Rung), { around })
    const told = new Set<string>()
    test.app.listen(['upkeep-failed'], ({ what }) => void told.add(what))
    state.broken = true
    await test.runtime.advance('5s')
    state.broken = false
    expect([...told].toSorted()).toEqual(expect.arrayContaining(['jobs', 'poll', 'timers']))
    await test.stop()
  })
})
