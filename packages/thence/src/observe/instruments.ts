/**
 * Counters and histograms that belong together, over two spans of time: since the start, and of late. What they give adds
 * up over processes.
 */
import type { Buckets, Distribution } from './histogram.ts'
import { distributionOf, Histogram } from './histogram.ts'

/** `recent`: since the rotation before the last one. */
export type Span = 'total' | 'recent'

/** What counters and histograms hold, by field. */
export type Measured = Readonly<Record<string, number | Buckets>>

/** Which field is counted and which is spread. */
export type Shape<F> = {
  readonly [K in keyof F]: F[K] extends number ? 'counter' : 'histogram'
}

type Counted<F> = { [K in keyof F]: F[K] extends number ? K : never }[keyof F]
type Spreading<F> = Exclude<keyof F, Counted<F>>

class Counter {
  #old = 0
  #before = 0
  #now = 0

  add(by: number): void {
    this.#now += by
  }

  rotate(): void {
    this.#old += this.#before
    this.#before = this.#now
    this.#now = 0
  }

  read(span: Span): number {
    const recent = this.#before + this.#now
    return span === 'recent' ? recent : this.#old + recent
  }
}

class Spread {
  readonly #old = new Histogram()
  #before = new Histogram()
  #now = new Histogram()

  record(value: number): void {
    this.#now.record(value)
  }

  rotate(): void {
    const oldest = this.#before
    this.#old.add(oldest.buckets)
    this.#before = this.#now
    oldest.clear()
    this.#now = oldest
  }

  read(span: Span): Buckets {
    const recent = [this.#before.buckets, this.#now.buckets]
    return sum(span === 'recent' ? recent : [this.#old.buckets, ...recent])
  }
}

const sum = (parts: readonly Buckets[]): Buckets => {
  const whole = new Histogram()
  for (const part of parts) whole.add(part)
  return whole.buckets
}

/** The instruments of one thing that is measured. `F` is what is told of it. */
export class Instruments<F extends object> {
  readonly #counters = new Map<PropertyKey, Counter>()
  readonly #spreads = new Map<PropertyKey, Spread>()

  constructor(shape: Shape<F>) {
    for (const [field, kind] of Object.entries(shape))
      if (kind === 'counter') this.#counters.set(field, new Counter())
      else this.#spreads.set(field, new Spread())
  }

  /** Raises a counter. */
  count(field: Counted<F>, by = 1): void {
    this.#counters.get(field)?.add(by)
  }

  /** Adds a value to a histogram. */
  record(field: Spreading<F>, value: number): void {
    this.#spreads.get(field)?.record(value)
  }

  rotate(): void {
    for (const one of this.#counters.values()) one.rotate()
    for (const one of this.#spreads.values()) one.rotate()
  }

  read(span: Span): Measured {
    const all = [...this.#counters, ...this.#spreads]
    return Object.fromEntries(all.map(([field, one]) => [field, one.read(span)]))
  }
}

/** The same of several things, or of several processes, as if they were one. */
export function addUp(all: readonly Measured[]): Measured {
  const fields = new Set(all.flatMap((one) => Object.keys(one)))
  return Object.fromEntries(
    [...fields].map((field): [string, number | Buckets] => {
      const values = all.map((one) => one[field]).filter((value) => value !== undefined)
      const numbers = values.filter((value) => typeof value === 'number')
      if (numbers.length === 0)
        return [field, sum(values.filter((value) => typeof value !== 'number'))]
      return [field, numbers.reduce((total, value) => total + value, 0)]
    }),
  )
}

/** As it is told: quantiles instead of buckets. */
export function told(measured: Measured): Readonly<Record<string, number | Distribution>> {
  return Object.fromEntries(
    Object.entries(measured).map(([field, value]) => [
      field,
      typeof value === 'number' ? value : distributionOf(value),
    ]),
  )
}
