/**
 * Many times or sizes in little memory: counts in buckets that grow by a fixed factor, as OpenTelemetry's exponential
 * histogram of scale 3 has them. It keeps no single value, so a quantile is near the true one, not equal to it.
 */

/** So many buckets for each doubling: bucket `i` holds what is above 2^(i/8) and not above 2^((i+1)/8). */
const perDoubling = 8
/** They reach from 2^-10 (0.001) to 2^40 (in milliseconds: 34 years). What is smaller counts as 0, what is larger as 2^40. */
const lowest = -10 * perDoubling
const highest = 40 * perDoubling - 1
const size = highest - lowest + 1

/**
 * How far a quantile may be from the value of that rank, as a part of it: the middle of a bucket is at most so far from
 * its edges. Values below 0.001 are told as 0.
 */
export const quantileError: number = (2 ** (1 / perDoubling) - 1) / (2 ** (1 / perDoubling) + 1)

/** What was counted, in a form that can be stored as JSON and added up over processes. */
export interface Buckets {
  readonly count: number
  readonly sum: number
  readonly max: number
  /** Index and count of every bucket that holds any, one after the other: `[index, count, index, count, …]`. */
  readonly filled: readonly number[]
}

/** What is told of many values. Quantiles are within 4.4 % of the value of that rank; the maximum is exact. */
export interface Distribution {
  readonly count: number
  readonly sum: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Where a value is counted: its bucket, counted from 1; 0 is for what is below all of them. */
const bucketOf = (value: number): number => {
  // Also for what is no number.
  if (!(value > 0)) return 0
  const index = Math.ceil(Math.log2(value) * perDoubling) - 1
  return index < lowest ? 0 : Math.min(index, highest) - lowest + 1
}

/** The value that stands for a bucket: equally far, in parts, from both its edges. */
const middleOf = (bucket: number): number => {
  if (bucket === 0) return 0
  const low = 2 ** ((bucket - 1 + lowest) / perDoubling)
  return low * (1 + quantileError)
}

export class Histogram {
  /** Made when it is first needed: most of what could be counted never occurs. */
  #counts: Float64Array | undefined
  #count = 0
  #sum = 0
  #max = 0

  /** @param value at least 0; anything below, and what is no number, counts as 0. */
  record(value: number): void {
    const known = value > 0 ? value : 0
    this.#raise(bucketOf(known), 1)
    this.#count += 1
    this.#sum += known
    if (known > this.#max) this.#max = known
  }

  add({ count, sum, max, filled }: Buckets): void {
    this.#count += count
    this.#sum += sum
    this.#max = Math.max(this.#max, max)
    for (let at = 0; at < filled.length; at += 2)
      this.#raise(Math.min(filled[at] ?? 0, size), filled[at + 1] ?? 0)
  }

  clear(): void {
    this.#counts?.fill(0)
    this.#count = 0
    this.#sum = 0
    this.#max = 0
  }

  get buckets(): Buckets {
    const filled: number[] = []
    this.#counts?.forEach((count, bucket) => {
      if (count > 0) filled.push(bucket, count)
    })
    return { count: this.#count, sum: rounded(this.#sum), max: rounded(this.#max), filled }
  }

  #raise(bucket: number, by: number): void {
    const counts = (this.#counts ??= new Float64Array(size + 1))
    counts[bucket] = (counts[bucket] ?? 0) + by
  }
}

/** To a thousandth: more is noise, and takes room where it is stored. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** The value of rank ⌈part × count⌉, up to {@link quantileError}; 0 if there is none. */
export function quantile({ count, max, filled }: Buckets, part: number): number {
  let left = Math.max(1, Math.ceil(part * count))
  for (let at = 0; at < filled.length; at += 2) {
    left -= filled[at + 1] ?? 0
    if (left <= 0) return rounded(Math.min(max, middleOf(filled[at] ?? 0)))
  }
  return rounded(max)
}

export function distributionOf(buckets: Buckets): Distribution {
  const { count, sum, max } = buckets
  return {
    count,
    sum,
    p50: quantile(buckets, 0.5),
    p95: quantile(buckets, 0.95),
    p99: quantile(buckets, 0.99),
    max,
  }
}
