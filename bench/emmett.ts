/**
 * What the drivers of the rival have in common, `@event-driven-io/emmett-sqlite` and `-postgresql`: its events, a log to follow, and
 * the time that its consumer takes to hear of one.
 */
import type { Figure } from './bench.ts'
import type { Payload } from './load.ts'
import { payload, streamCount, streamOf } from './load.ts'
import { Arrivals, figureOf, sample } from './sample.ts'

export const added = (n: number) => ({ type: 'ItemAdded', data: { ...payload(n) } })

interface Store {
  appendToStream(stream: string, events: ReturnType<typeof added>[]): Promise<unknown>
}

/** Events 0 … count − 1, 100 per append: consecutive ones in one stream. */
export async function fill(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n += 100)
    await store.appendToStream(
      `cart-${(n / 100) % streamCount}`,
      Array.from({ length: 100 }, (_, index) => added(n + index)),
    )
}

/** How many of its events a case follows: fewer than ours is given, for the rate does not depend on it. */
export const amount = (events: number, scale: number): number => Math.max(1000, events * scale)

/** What its consumer calls for each event, and the times from the call of its append to there. */
export class Waiting {
  readonly #arrivals = new Arrivals()

  get sent(): number {
    return this.#arrivals.sent
  }

  readonly eachMessage = ({ data }: { readonly data: unknown }): void =>
    this.#arrivals.told((data as Payload).n)

  /** Its consumer polls: two warm-ups are enough. */
  async figure(store: Store, seconds: number): Promise<Figure> {
    const send = (n: number) => store.appendToStream(streamOf(n), [added(n)])
    return figureOf(await sample(seconds, () => this.#arrivals.time(send), 2))
  }
}
