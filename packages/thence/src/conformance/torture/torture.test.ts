// A store of which something never comes back: the kit gives it up, says so and goes on with the next.
import { expect, test } from 'vitest'
import type { TortureMake } from './subject.ts'
import { torture } from './torture.ts'

const never = <T>(): Promise<T> => new Promise(() => undefined)

const parts = ['append', 'next', 'close', 'dispose'] as const

/** A log in memory that gets stuck in one of its parts. */
const stuckIn =
  (part: (typeof parts)[number]): TortureMake =>
  async () => {
    const log: { readonly id: string; readonly stream: string }[] = []
    const orNever = <T>(one: (typeof parts)[number], value: () => T): Promise<T> =>
      one === part ? never() : Promise.resolve().then(value)
    let connected = 0
    return {
      async connect() {
        let at = 0
        connected += 1
        const first = connected === 1
        return {
          append: ({ stream, ids }) =>
            orNever('append', () => {
              log.push(...ids.map((id) => ({ id, stream })))
              return 'appended' as const
            }),
          reader: () => ({
            next: (limit) =>
              orNever('next', () => {
                const page = log.slice(at, at + limit)
                at += page.length
                return page
              }),
          }),
          // The first is asked for what it can do, outside of any trap.
          close: () => (first ? Promise.resolve() : orNever('close', () => undefined)),
        }
      },
      dispose: () => (log.length === 0 ? undefined : orNever('dispose', () => undefined)),
    }
  }

test.each([
  ['append', { longest: 200 }, ['hung']],
  ['next', { longest: 200 }, ['hung']],
  ['close', {}, []],
  ['dispose', {}, []],
] as const)('a store whose %s never answers is given up', async (part, limits, kinds) => {
  const { results } = await torture(stuckIn(part), {
    ...limits,
    only: 'on one stream',
    seeds: 0,
    writers: 2,
    subscribers: 1,
    appends: 2,
    hang: 100,
  })
  expect(results.flatMap(({ problems }) => problems.map(({ kind }) => kind))).toEqual(kinds)
})

test('a run in which nothing was played did not hold', async () => {
  const { results, held } = await torture(stuckIn('dispose'), { only: 'nosuch', seeds: 2 })
  expect({ results, held }).toEqual({ results: [], held: false })
})
