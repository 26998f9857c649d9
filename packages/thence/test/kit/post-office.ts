// A post office whose letters come back: a handler that fails for the letters named, on a virtual clock, in every place.
import { handler } from 'thence'
import type { Database, FailurePolicy } from 'thence'
import * as admin from 'thence/admin'
import type { Kind, Place } from './places.ts'
import { run } from './places.ts'
import { Delivered, Posted } from './post-office-messages.ts'

export interface Post {
  /** Numbers of letters that fail, while they are in it; `all`: every one. */
  readonly broken: Set<number | 'all'>
  /** Each try, in order. */
  readonly tries: { readonly n: number; readonly time: number; readonly id: string }[]
  /** Told of each try. */
  tried?: (tries: number) => void
}

export interface PostOptions {
  readonly onFailure?: FailurePolicy
  readonly attempts?: number
  /** Milliseconds of back-off after the first failure; default: none. */
  readonly base?: number
  /** The database between the app and the place. */
  readonly around?: (one: Database) => Database
}

/** Starts it at a place. */
export const startPost = async (
  place: Place,
  post: Post,
  { onFailure = 'park-key', attempts = 1, base = 0, around = (one) => one }: PostOptions = {},
) => {
  const carrier = handler('carrier', Posted, {
    key: ({ data }) => data.to,
    retry: { attempts, base, cap: base },
    onFailure,
    run: ({ data, id }, { append }) => {
      post.tries.push({ n: data.n, time: place.runtime.now(), id })
      post.tried?.(post.tries.length)
      if (post.broken.has(data.n) || post.broken.has('all'))
        throw new Error(`no such house: ${data.to}`)
      append('round', Delivered(data))
    },
  })
  const test = await run(place, (app) => app.use(carrier).messages(Delivered), { around })
  const on = { database: test.app.database, runtime: place.runtime }
  const delivered = async (): Promise<number[]> => {
    const numbers: number[] = []
    for await (const { data } of test.app.stream('round')) numbers.push((data as { n: number }).n)
    return numbers
  }
  return {
    test,
    on,
    post: async (...letters: readonly { readonly n: number; readonly to: string }[]) => {
      await test.app.append({ stream: 'box', events: letters.map((one) => Posted(one)) })
      await test.settle()
    },
    delivered,
    counts: async () => (await admin.status(on)).deadLetters,
    letters: (filter: admin.DeadLettersOptions = {}) =>
      admin.deadLetters(on, { limit: 5000, ...filter }),
  }
}

/** So many letters, each to a house of its own. */
export const letters = (count: number, from = 1): { n: number; to: string }[] =>
  Array.from({ length: count }, (_, index) => ({ n: from + index, to: `house-${from + index}` }))

/** A post office in which so many letters came back, and whose cause is mended but for `stillBroken`. */
export const returned = async (
  kind: Kind,
  count: number,
  {
    stillBroken = [],
    ...options
  }: PostOptions & { stillBroken?: readonly (number | 'all')[] } = {},
) => {
  const place = kind.make()
  const state: Post = { broken: new Set(['all']), tries: [] }
  const office = await startPost(place, state, options)
  await office.post(...letters(count))
  state.broken.clear()
  for (const n of stillBroken) state.broken.add(n)
  state.tries.length = 0
  return { ...office, place, state }
}
