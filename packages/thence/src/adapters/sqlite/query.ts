/**
 * Positions that match a query, in either direction, by leapfrogging over the index entries of its tags and types:
 * each list jumps to the candidate of the others, so the rarest one sets the cost and no table is scanned.
 */
import type { Query, QueryItem } from '../../ports/events.ts'
import type { Connection } from './connection.ts'

export type Direction = 'forwards' | 'backwards'

/** Gives the first matching position at or beyond `from`, in its direction; `from` only ever moves that way. */
interface Cursor {
  seek(from: number): number | undefined
}

type Texts = Readonly<Record<Direction, string>>

const both = (select: string): Texts => ({
  forwards: `SELECT position FROM ${select} position >= ? ORDER BY position LIMIT ?`,
  backwards: `SELECT position FROM ${select} position <= ? ORDER BY position DESC LIMIT ?`,
})

const byTag = both('thence_tags WHERE tag = ? AND')
const byType = both('thence_events WHERE type = ? AND')
const everything = both('thence_events WHERE')

/** Entries fetched at once: few for a leap, more and more while they are taken one by one. */
const largestBatch = 128
/** Fetching anew costs about as much as reading so many entries in vain. */
const worthwhile = 8

/** The index entries of one tag or type (or all positions). */
class Entries implements Cursor {
  readonly #connection: Connection
  readonly #sql: string
  readonly #name: readonly string[]
  readonly #forwards: boolean
  #rows: readonly (readonly [number])[] = []
  #next = 0
  /** How many seeks the rows have answered. */
  #taken = 0
  #batch = 1
  #done = false

  constructor(
    connection: Connection,
    texts: Texts,
    options: {
      readonly direction: Direction
      readonly name?: string
    },
  ) {
    this.#connection = connection
    this.#sql = texts[options.direction]
    this.#name = options.name === undefined ? [] : [options.name]
    this.#forwards = options.direction === 'forwards'
  }

  seek(from: number): number | undefined {
    for (; this.#next < this.#rows.length; this.#next += 1) {
      const position = this.#rows[this.#next]![0]
      if (this.#forwards ? position < from : position > from) continue
      this.#taken += 1
      return position
    }
    if (this.#done) return undefined
    // Reading ahead pays while a fair part is taken; if the others are much sparser, it is waste.
    const ahead = this.#taken * worthwhile >= this.#batch
    this.#batch = ahead ? Math.min(this.#batch * 2, largestBatch) : 1
    this.#rows = this.#connection.all<[number]>(this.#sql, ...this.#name, from, this.#batch)
    this.#done = this.#rows.length < this.#batch
    this.#next = 0
    this.#taken = 1
    return this.#rows[0]?.[0]
  }
}

class AnyOf implements Cursor {
  readonly #cursors: readonly Cursor[]
  readonly #forwards: boolean

  constructor(cursors: readonly Cursor[], direction: Direction) {
    this.#cursors = cursors
    this.#forwards = direction === 'forwards'
  }

  seek(from: number): number | undefined {
    let nearest: number | undefined
    for (const cursor of this.#cursors) {
      const found = cursor.seek(from)
      if (found === undefined) continue
      if (nearest === undefined || (this.#forwards ? found < nearest : found > nearest))
        nearest = found
    }
    return nearest
  }
}

class AllOf implements Cursor {
  readonly #cursors: readonly Cursor[]
  /** The one that leapt last: likely the sparsest, so it goes first. */
  #leader = 0

  constructor(cursors: readonly Cursor[]) {
    this.#cursors = cursors
  }

  seek(from: number): number | undefined {
    let candidate = from
    for (let agreed = 0, index = this.#leader; agreed < this.#cursors.length; index += 1) {
      const which = index % this.#cursors.length
      const found = this.#cursors[which]!.seek(candidate)
      if (found === undefined) return undefined
      if (found !== candidate) {
        agreed = 0
        this.#leader = which
      }
      agreed += 1
      candidate = found
    }
    return candidate
  }
}

const ofItem = (connection: Connection, item: QueryItem, direction: Direction): Cursor => {
  const cursors: Cursor[] = [...new Set(item.tags)].map(
    (name) => new Entries(connection, byTag, { direction, name }),
  )
  if (item.types !== undefined) {
    const types = [...new Set(item.types)].map(
      (name) => new Entries(connection, byType, { direction, name }),
    )
    cursors.push(types.length === 1 ? types[0]! : new AnyOf(types, direction))
  }
  if (cursors.length === 0) return new Entries(connection, everything, { direction })
  return cursors.length === 1 ? cursors[0]! : new AllOf(cursors)
}

/** The positions from `from` on that match, nearest first, while they are within `to`; at most `limit`. */
export function positions(
  connection: Connection,
  query: Query,
  range: {
    readonly direction: Direction
    readonly from: number
    readonly to: number
    readonly limit: number
  },
): number[] {
  const { direction, to, limit } = range
  const cursor = new AnyOf(
    query.map((item) => ofItem(connection, item, direction)),
    direction,
  )
  const step = direction === 'forwards' ? 1 : -1
  const found: number[] = []
  let from = range.from
  while (found.length < limit) {
    const position = cursor.seek(from)
    if (position === undefined || (position - to) * step > 0) break
    found.push(position)
    from = position + step
  }
  return found
}
