/**
 * What differs between two versions of a view, row by row, read in one transaction. It tells how many rows were added,
 * removed and changed, with a few of each; it never holds more than a page of either.
 */
import { byBytes } from '../internal/by-bytes.ts'
import type { JsonValue } from '../message/json.ts'
import type { Document } from '../ports/documents.ts'
import type { Transaction } from '../ports/database.ts'

/** A row of one version or of both; what is not there is absent. */
export interface RowDiff {
  /** Of a table also its suffix. */
  readonly table?: string
  readonly key: string
  readonly old?: unknown
  readonly new?: unknown
}

export interface ViewDiff {
  readonly same: number
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** The first of those that differ, by key. */
  readonly examples: readonly RowDiff[]
}

export interface DiffOptions {
  /** How many examples at most; default 10. */
  readonly limit?: number
}

const pageSize = 500

/** A collection in the order of its keys, a page at a time. */
class Cursor {
  readonly #transaction: Transaction
  readonly #collection: string
  #page: readonly Document[] = []
  #at = 0
  #ended = false

  constructor(transaction: Transaction, collection: string) {
    this.#transaction = transaction
    this.#collection = collection
  }

  /** The document at hand; undefined behind the last. */
  async peek(): Promise<Document | undefined> {
    if (this.#at === this.#page.length && !this.#ended) {
      const after = this.#page.at(-1)?.key
      const options = { limit: pageSize, ...(after === undefined ? {} : { after }) }
      this.#page = await this.#transaction.documents.list(this.#collection, options)
      this.#at = 0
      this.#ended = this.#page.length < pageSize
    }
    return this.#page[this.#at]
  }

  next(): void {
    this.#at += 1
  }
}

/** With the properties of every object in the order of their names. */
const sorted = (value: JsonValue): JsonValue => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const entries = Object.entries(value).sort(([left], [right]) => byBytes(left, right))
  return Object.fromEntries(entries.map(([name, one]) => [name, sorted(one)]))
}

const canonical = (text: string): string => JSON.stringify(sorted(JSON.parse(text) as JsonValue))

/** Two texts may be one value: the order of properties means nothing. */
const isSame = (left: string, right: string): boolean =>
  left === right || canonical(left) === canonical(right)

/** Compares two collections of documents. */
export async function diffDocuments(
  transaction: Transaction,
  { old, new: built }: { readonly old: string; readonly new: string },
  { limit = 10 }: DiffOptions = {},
): Promise<ViewDiff> {
  const [before, after] = [new Cursor(transaction, old), new Cursor(transaction, built)]
  const counts = { same: 0, added: 0, removed: 0, changed: 0 }
  const examples: RowDiff[] = []
  for (;;) {
    const [left, right] = [await before.peek(), await after.peek()]
    if (left === undefined && right === undefined) return { ...counts, examples }
    const order = compare(left, right)
    if (order <= 0) before.next()
    if (order >= 0) after.next()
    const what = kindOf(order, left, right)
    counts[what] += 1
    if (what !== 'same' && examples.length < limit) examples.push(exampleOf(order, left, right))
  }
}

/** Below 0: only the old one is there; above: only the new one; 0: both are. */
const compare = (left: Document | undefined, right: Document | undefined): number => {
  if (left === undefined) return 1
  if (right === undefined) return -1
  return byBytes(left.key, right.key)
}

type Pair = readonly [order: number, left: Document | undefined, right: Document | undefined]

const kindOf = (...[order, left, right]: Pair): 'same' | 'added' | 'removed' | 'changed' => {
  if (order !== 0) return order < 0 ? 'removed' : 'added'
  return isSame(left?.value ?? '', right?.value ?? '') ? 'same' : 'changed'
}

const exampleOf = (...[order, left, right]: Pair): RowDiff => ({
  key: (order <= 0 ? left : right)?.key ?? '',
  ...(order <= 0 && left !== undefined ? { old: JSON.parse(left.value) as unknown } : {}),
  ...(order >= 0 && right !== undefined ? { new: JSON.parse(right.value) as unknown } : {}),
})
