// A store that is away for a while: each subscription goes on soon after it is back, however long it was away, and meanwhile the store is asked
// by one for all. A store that answers and does not write is tried again more often than one of which nothing is known.
import type { Database } from 'thence'
import { app, event, handler, plain, ThenceError } from 'thence'
import { describe, expect, it } from 'vitest'
import { overlay } from '../conformance/plant.ts'
import { fillable } from '../kit/faults.ts'
import { kinds, run, wrap } from '../kit/places.ts'

const Rung = event('Rung', plain<{ readonly n: number }>())

/** A database that can be away: every call fails then. */
const absent = (inner: Database, state: { away: boolean }): Database => {
  const check = (): void => {
    if (state.away) throw new ThenceError('STORE_FAILED', 'The store is away.')
  }
  return wrap(inner, {
    append: async (requests) => {
      check()
      return inner.append(requests)
    },
    transact: async (work, options) => {
      check()
      return inner.transact(work, options)
    },
    read: async (work) => {
      check()
      return inner.read(work)
    },
  })
}

const ears = (told: (name: string) => void) =>
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) =>
    handler(name, Rung, {
      retry: { base: 20_000, cap: 20_000, attempts: 5 },
      run: ({ data }, context) => {
        if (data.n === 2) context.within(() => told(name))
      },
    }),
  )

describe.each(kinds)('a store that was away for a minute, on $name', ({ make }) => {
  it('is worked with again within a second after it is back', async () => {
    const state = { away: false }
    const done: string[] = []
    const around = (database: Database): Database => absent(database, state)
    const parts = ears((name) => done.push(name))
    const place = make()
    const test = await run(place, (app) => app.use(...parts), { around })
    await test.app.append({ events: Rung({ n: 1 }) })
    await test.settle()
    await test.app.append({ events: Rung({ n: 2 }) })
    state.away = true
    await place.runtime.advance(60_000)
    expect(done).toEqual([])
    const failures = test.spy.signals.filter(({ name }) => name === 'subscription-failed')
    // Their own tries have come far apart: ten seconds at the most, five on average.
    expect(failures.length).toBeLessThan(parts.length * 40)
    state.away = false
    await place.runtime.advance(1000)
    expect(done.toSorted()).toEqual(parts.map(({ name }) => name))
    await test.stop()
  })
})

describe.each(kinds)('a store that is back, on $name', ({ make }) => {
  it('is asked two things by each partition before that has gone on', async () => {
    const state = { away: false }
    const calls: number[] = []
    let reads = 0
    let before = 0
    const around = (database: Database): Database => {
      const away = absent(database, state)
      return wrap(away, {
        read: (work, options) => {
          reads += 1
          return away.read(work, options)
        },
      })
    }
    const partitions = 16
    const part = handler('ear', Rung, {
      key: ({ data }) => `${data.n}`,
      partitions,
      run: ({ data }) => {
        if (calls.length === 0) before = reads
        calls.push(data.n)
      },
    })
    const place = make()
    const test = await run(place, (app) => app.use(part), { around })
    await test.app.append({ events: Array.from({ length: 100 }, (_, n) => Rung({ n })) })
    state.away = true
    await place.runtime.advance(20_000)
    state.away = false
    calls.length = 0
    reads = 0
    await place.runtime.advance(1000)
    expect(new Set(calls).size).toBeGreaterThan(partitions)
    // Where it is, with what waits, and what comes next, a part at first; and so many are the looks of the process, which has found out that it is back.
    expect(reads).toBeLessThanOrEqual(4 * partitions + 18)
    expect(before).toBeLessThanOrEqual(3)
    await test.stop()
  })
})

/** A database that goes away in the middle of whatever takes longer than a few writes. */
const shortLived = (inner: Database): Database =>
  wrap(inner, {
    transact: (work, options) =>
      inner.transact((transaction) => {
        let writes = 0
        const put: typeof transaction.documents.put = (...row) => {
          writes += 1
          if (writes > 8) throw new ThenceError('STORE_FAILED', 'The store is away again.')
          return transaction.documents.put(...row)
        }
        return work(overlay(transaction, { documents: overlay(transaction.documents, { put }) }))
      }, options),
  })

describe.each(kinds)('a store that goes away again before much is done, on $name', ({ make }) => {
  it.each([1, 4])('gets some of it done each time, in %i partitions', async (partitions) => {
    const part = handler('ear', Rung, {
      key: ({ data }) => `${data.n % 40}`,
      partitions,
      run: ({ data }, context) =>
        context.within(async ({ documents }) => {
          const count = Number((await documents.get('rung', `${data.n}`)) ?? '0')
          await documents.put('rung', `${data.n}`, `${count + 1}`)
        }),
    })
    const place = make()
    const test = await run(place, (one) => one.use(part), { around: shortLived })
    await test.app.append({ events: Array.from({ length: 300 }, (_, n) => Rung({ n })) })
    await place.runtime.advance('5m')
    const rows = await test.app.database.read(({ documents }) =>
      documents.list('rung', { limit: 1000 }),
    )
    expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 300 }, () => '1'))
    await test.stop()
  })
})

describe.each(kinds)('the log, while the store is away, on $name', ({ make }) => {
  it('has a line when that begins, one a minute, and one when it is back', async () => {
    const state = { away: false }
    const lines: string[] = []
    const note = (text: string): void => void lines.push(text)
    const place = make()
    const running = await app({
      database: absent(place.open(), state),
      runtime: place.runtime,
      logger: { error: note, warn: note, info: note },
    })
      .use(...ears(() => undefined))
      .start()
    await place.runtime.advance(1000)
    state.away = true
    await place.runtime.advance(600_500)
    expect(lines[0]).toMatch(/^thence: the store failed, and is tried again\. .*The store is away/)
    expect(lines.slice(1)).toHaveLength(10)
    for (const line of lines.slice(1))
      expect(line).toMatch(/the store has failed for \d+ s, \d+ times, .*The store is away/)
    state.away = false
    await place.runtime.advance(20_000)
    expect(lines.slice(11)).toEqual([
      expect.stringMatching(/^thence: the store works again after 60\d\.\d s and \d+ failures$/),
    ])
    await running.stop()
  })
})

/** Tells `calls` that it was called, and by its first call the store goes away. */
const caller = (by: string, calls: string[], state: { away: boolean }) =>
  handler('ear', Rung, {
    key: ({ id }) => id,
    partitions: 2,
    run: () => {
      calls.push(by)
      if (calls.length === 1) state.away = true
    },
  })

describe.each(kinds)('what a handler did when the store went away, on $name', ({ make }) => {
  const called = async () => {
    const place = make()
    const state = { away: false }
    const calls: string[] = []
    const around = (database: Database): Database => absent(database, state)
    const one = await run(place, (app) => app.use(caller('one', calls, state)), { around })
    await one.settle()
    await one.app.append({ events: Rung({ n: 1 }) })
    await place.runtime.advance(100)
    const other = () => run(place, (app) => app.use(caller('other', calls, state)))
    return { place, state, calls, one, other }
  }

  it('is done again only once it is back', async () => {
    const { place, state, calls, one } = await called()
    await place.runtime.advance(60_000)
    expect(calls).toEqual(['one'])
    state.away = false
    await place.runtime.advance(1000)
    expect(calls).toEqual(['one', 'one'])
    await one.stop()
  })

  it('is not done again by a process that was stopped meanwhile', async () => {
    const { place, state, calls, one, other } = await called()
    await place.runtime.advance(3000)
    await one.stop()
    state.away = false
    await other()
    await place.runtime.advance(30_000)
    expect(calls).toEqual(['one', 'other'])
  })

  it('is not done again by a process from which it was taken meanwhile', async () => {
    const { place, state, calls, one, other } = await called()
    const two = await other()
    await place.runtime.advance(60_000)
    state.away = false
    await place.runtime.advance(30_000)
    await one.settle()
    await two.settle()
    expect(calls).toEqual(['one', 'other'])
  })
})

describe.each(kinds)('a store without room for half a minute, on $name', ({ make }) => {
  it('is worked with again within two seconds after there is room', async () => {
    const state = { full: false }
    const done: string[] = []
    const around = (database: Database): Database =>
      fillable(database, () => state.full, 'checkpoints')
    const parts = ears((name) => done.push(name))
    const place = make()
    const test = await run(place, (app) => app.use(...parts), { around })
    await test.settle()
    await test.app.append({ events: Rung({ n: 2 }) })
    state.full = true
    await place.runtime.advance(30_000)
    // All of that was rolled back.
    done.length = 0
    state.full = false
    await place.runtime.advance(2100)
    expect(done.toSorted()).toEqual(parts.map(({ name }) => name))
    await test.stop()
  })
})
