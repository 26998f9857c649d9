// Retries that are done at the same time share a commit, and none of them pays for another.
import { event, handler, plain } from 'thence'
import type { Database } from 'thence'
import { startRedrive } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { noted } from '../kit/calls.ts'
import { all, kinds, look, run, wrap } from '../kit/places.ts'

const Asked = event('Asked', plain<{ readonly n: number }>())
const Answered = event('Answered', plain<{ readonly n: number }>())
const questions = 12
const numbers = Array.from({ length: questions }, (_, n) => n)

/** Notes how many retries each commit ended. */
const counting = (inner: Database, commits: number[]): Database =>
  wrap(inner, {
    async transact(work, ...rest) {
      let settled = 0
      const watched = noted(inner, (call) => {
        if (call === 'retries.settle') settled += 1
      })
      const result = await watched.transact(work, ...rest)
      if (settled > 0) commits.push(settled)
      return result
    },
  })

describe.each(kinds)('retries of different keys on $name', ({ make }) => {
  it('share commits, and one whose effects fail takes no other along', async () => {
    const state = { broken: true }
    const commits: number[] = []
    const answers = handler('answers', Asked, {
      key: ({ data }) => String(data.n),
      retry: { attempts: 1 },
      run: ({ data }, { append, within }) => {
        if (state.broken) throw new Error('Nobody knows yet.')
        append(`answer-${data.n}`, Answered(data))
        within(() => {
          if (data.n === 5) throw new Error('This one is written where it may not be.')
        })
      },
    })
    const test = await run(make(), (app) => app.use(answers).messages(Answered), {
      around: (database) => counting(database, commits),
    })
    await test.app.append({ events: numbers.map((n) => Asked({ n })) })
    await test.settle()
    state.broken = false
    await startRedrive(
      { database: test.app.database, runtime: test.runtime },
      { canary: false, stopShare: 1 },
    )
    await test.advance('5s')

    const log = await all(test.app.log({ query: [{ types: ['Answered'] }] }))
    const answered = log.map(({ data }) => (data as { readonly n: number }).n)
    expect(answered.toSorted((one, other) => one - other)).toEqual(numbers.filter((n) => n !== 5))
    const { parked, due, queued } = await look(test)(({ retries }) => retries.outlook('answers'))
    expect({ parked, due, queued }).toEqual({ parked: 1, due: 0, queued: 0 })
    // Ten at a time are sent by the job at the beginning.
    expect(commits.reduce((sum, one) => sum + one, 0)).toBe(questions - 1)
    expect(Math.max(...commits)).toBeGreaterThan(5)
    await test.stop()
  })
  it('are held back by the budget, and what only waited behind one of them is not', async () => {
    const done: number[] = []
    const times: number[] = []
    const place = make()
    let tries = 0
    const answers = handler('answers', Asked, {
      key: () => 'one',
      retry: { base: 10, cap: 10, budget: { share: 0, perSecond: 0.01 } },
      run: ({ data: { n } }) => {
        if (n === 0 && (tries += 1) === 1) throw new Error('Nobody knows yet.')
        done.push(n)
        times.push(place.runtime.now())
      },
    })
    const test = await run(place, (app) => app.use(answers))
    await test.app.append({ events: numbers.map((n) => Asked({ n })) })
    await test.settle()
    expect(done).toEqual(numbers)
    expect((times.at(-1) ?? Infinity) - (times[0] ?? 0)).toBeLessThan(5000)
  })
})
