/**
 * Rows in memory that can be taken back. Every write notes its inverse in a journal; a rollback runs the inverses in
 * reverse, so that a transaction costs what it changes and not what is stored.
 */
import { ThenceError } from '../../errors.ts'
import { deepFreeze } from '../../message/json.ts'

/** The inverses of what the open transaction has written so far. */
export class Journal {
  readonly #inverses: (() => void)[] = []
  #writable = false

  begin(writable: boolean): void {
    this.#writable = writable
  }

  /** Call it before the write: it refuses where nothing may be written. */
  note(inverse: () => void): void {
    if (!this.#writable)
      throw new ThenceError(
        'STATE_INVALID',
        'This transaction only reads. Write inside `transact`.',
      )
    this.#inverses.push(inverse)
  }

  /** Where we are, for a savepoint. */
  mark(): number {
    return this.#inverses.length
  }

  undo(mark: number): void {
    while (this.#inverses.length > mark) this.#inverses.pop()?.()
  }

  end(): void {
    this.#inverses.length = 0
    this.#writable = false
  }
}

/** Told of each row that came, changed or went, also when that is taken back. */
export type Changed<V> = (before: V | undefined, after: V | undefined) => void

/** A Map that can be rolled back. Its order means nothing: a row that was put back stands last. */
export class Table<K, V> {
  readonly #rows = new Map<K, V>()
  readonly #journal: Journal
  readonly #changed: Changed<V> | undefined

  constructor(journal: Journal, changed?: Changed<V>) {
    this.#journal = journal
    this.#changed = changed
  }

  get size(): number {
    return this.#rows.size
  }

  get(key: K): V | undefined {
    return this.#rows.get(key)
  }

  set(key: K, value: V): void {
    this.#noteInverse(key)
    this.#write(key, value)
  }

  delete(key: K): boolean {
    if (!this.#rows.has(key)) return false
    this.#noteInverse(key)
    this.#write(key, undefined)
    return true
  }

  /** Removes the rows that `which` picks; returns how many. */
  deleteWhere(which: (value: V) => boolean): number {
    const keys = [...this.#rows].filter(([, value]) => which(value)).map(([key]) => key)
    for (const key of keys) this.delete(key)
    return keys.length
  }

  entries(): (readonly [K, V])[] {
    return [...this.#rows]
  }

  values(): V[] {
    return [...this.#rows.values()]
  }

  #noteInverse(key: K): void {
    const before = this.#rows.get(key)
    this.#journal.note(() => this.#write(key, before))
  }

  #write(key: K, value: V | undefined): void {
    const before = this.#changed && this.#rows.get(key)
    if (value === undefined) this.#rows.delete(key)
    else this.#rows.set(key, value)
    this.#changed?.(before, value)
  }
}

/** One table per name. An empty one cannot be told from an absent one, so making it needs no rollback. */
export class Tables<K, V> {
  readonly #tables = new Map<string, Table<K, V>>()
  readonly #journal: Journal

  constructor(journal: Journal) {
    this.#journal = journal
  }

  of(name: string): Table<K, V> {
    let table = this.#tables.get(name)
    if (table === undefined) this.#tables.set(name, (table = new Table(this.#journal)))
    return table
  }

  all(): Table<K, V>[] {
    return [...this.#tables.values()]
  }

  /** Rows in all of them. */
  get size(): number {
    return this.all().reduce((sum, { size }) => sum + size, 0)
  }
}

/** A copy that neither the caller who wrote it nor one who reads it can change. */
export const frozenCopy = <T>(value: T): T => deepFreeze(structuredClone(value))
