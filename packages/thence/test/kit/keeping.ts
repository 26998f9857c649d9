// An app that is told how long to keep what, and clicks to keep.
import type { RetentionOptions } from 'thence'
import { event, plain } from 'thence'
import type { Place } from './places.ts'
import { all, run } from './places.ts'

export const Clicked = event('Clicked', plain<{ n: number }>())
export const Paid = event('Paid', plain<{ n: number }>())

export interface Keeping {
  readonly retention?: RetentionOptions
}

export const keep = (log: RetentionOptions['log'], rest: RetentionOptions = {}): Keeping => ({
  retention: { every: '10s', ...rest, ...(log === undefined ? {} : { log }) },
})

export const start = (place: Place, options: Keeping = {}) =>
  run(place, (app) => app.messages(Clicked, Paid), options)

export type Keeper = Pick<Awaited<ReturnType<typeof start>>, 'app' | 'advance' | 'settle' | 'spy'>

export const click = async (
  test: Pick<Keeper, 'app'>,
  stream: string,
  ...ns: readonly number[]
): Promise<void> => {
  for (const n of ns) await test.app.append({ stream, events: Clicked({ n }) })
}

/** The clicks that are left in a stream. */
export const left = async (test: Pick<Keeper, 'app'>, stream: string): Promise<unknown[]> =>
  (await all(test.app.stream(stream))).map(({ data }) => (data as { n: number }).n)

export const oldClicks = { category: 'clicks', olderThan: '1m' } as const
