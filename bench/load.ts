/**
 * The work that every store is given: events of 210 bytes on 1000 rotating streams, from one or many callers.
 */
import { performance } from 'node:perf_hooks'

export const streamCount = 1000
const payloadBytes = 210

/** The data of an event; `n` tells which one it is, so that what was stored can be added up. */
export interface Payload {
  readonly n: number
  readonly cart: string
  readonly item: string
  readonly quantity: number
  readonly cents: number
  readonly note: string
}

/** Data whose JSON is 210 bytes. */
export function payload(n: number): Payload {
  const data = {
    n,
    cart: `cart-${n % streamCount}`,
    item: 'a white hanging heart t-light holder',
    quantity: (n % 12) + 1,
    cents: 255,
    note: '',
  }
  const left = payloadBytes - JSON.stringify(data).length
  return { ...data, note: 'n'.repeat(Math.max(0, left)) }
}

/** 0 + 1 + … + (count − 1): what the `n` of `count` events add up to. */
export const sumOf = (count: number): number => (count * (count - 1)) / 2

export const streamOf = (n: number): string => `cart-${n % streamCount}`
/** The version that stream is at before event `n`. */
export const versionBefore = (n: number): number => Math.floor(n / streamCount)

/** How many operations were done in how long. */
export interface Done {
  readonly count: number
  readonly seconds: number
}

/** Lets `callers` loops run `once` until the time is over; `next` numbers the operations. */
export async function keepCalling(
  callers: number,
  seconds: number,
  once: () => Promise<void>,
): Promise<Done> {
  const start = performance.now()
  const end = start + seconds * 1000
  let count = 0
  const loop = async (): Promise<void> => {
    while (performance.now() < end) {
      await once()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, loop))
  return { count, seconds: (performance.now() - start) / 1000 }
}

/** The same for work that does not wait: `once` returns how many operations it did. */
export function keepDoing(seconds: number, once: () => number): Done {
  const start = performance.now()
  const end = start + seconds * 1000
  let count = 0
  while (performance.now() < end) count += once()
  return { count, seconds: (performance.now() - start) / 1000 }
}

/** Warm-up takes this part of the measured time. */
export const warmUp = 0.4

export const rate = ({ count, seconds }: Done): number => count / seconds
