/**
 * The same instruments for several things, told apart by one or two labels. There are never more than so many of them,
 * whatever occurs: what comes later is counted as `other`.
 */
import type { Measured, Shape, Span } from './instruments.ts'
import { Instruments } from './instruments.ts'

/** The label of what has no room of its own. */
export const other = 'other'
const most = 200

/** What was measured of one thing. */
export interface Row {
  readonly labels: readonly [string, string]
  readonly measured: Measured
}

export class Family<F extends object> {
  readonly #shape: Shape<F>
  readonly #rows = new Map<string, Map<string, Instruments<F>>>()
  #size = 0

  constructor(shape: Shape<F>) {
    this.#shape = shape
  }

  /** The instruments of these labels; a label that is not needed is empty. */
  of(first = '', second = ''): Instruments<F> {
    return this.#rows.get(first)?.get(second) ?? this.#add(first, second)
  }

  rotate(): void {
    for (const { instruments } of this.#all()) instruments.rotate()
  }

  read(span: Span): readonly Row[] {
    return [...this.#all()].map(({ labels, instruments }) => ({
      labels,
      measured: instruments.read(span),
    }))
  }

  #add(first: string, second: string): Instruments<F> {
    // Each first label has an `other` of its own, until there are too many of those as well.
    if (this.#size >= most && second !== '' && second !== other) return this.of(first, other)
    if (this.#size >= 2 * most && first !== other) return this.of(other, second)
    const instruments = new Instruments(this.#shape)
    const row = this.#rows.get(first) ?? new Map<string, Instruments<F>>()
    this.#rows.set(first, row.set(second, instruments))
    this.#size += 1
    return instruments
  }

  *#all(): Generator<{ labels: readonly [string, string]; instruments: Instruments<F> }> {
    for (const [first, row] of this.#rows)
      for (const [second, instruments] of row) yield { labels: [first, second], instruments }
  }
}
