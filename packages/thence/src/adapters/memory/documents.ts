/** Keyed JSON text in collections. */
import type { Document, DocumentChange, Documents } from '../../ports/documents.ts'
import { page } from './order.ts'
import { type Journal, Tables } from './table.ts'

export class MemoryDocuments implements Documents {
  readonly #collections: Tables<string, string>

  constructor(journal: Journal) {
    this.#collections = new Tables(journal)
  }

  get size(): number {
    return this.#collections.size
  }

  get(collection: string, key: string): string | undefined {
    return this.#collections.of(collection).get(key)
  }

  getAll(collection: string, keys: readonly string[]): readonly Document[] {
    const documents = this.#collections.of(collection)
    return [...new Set(keys)].flatMap((key) => {
      const value = documents.get(key)
      return value === undefined ? [] : [{ key, value }]
    })
  }

  put(collection: string, key: string, value: string): void {
    this.#collections.of(collection).set(key, value)
  }

  putAll(collection: string, changes: readonly DocumentChange[]): void {
    for (const { key, value } of changes)
      if (value === null) this.delete(collection, key)
      else this.put(collection, key, value)
  }

  delete(collection: string, key: string): boolean {
    return this.#collections.of(collection).delete(key)
  }

  list(
    collection: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit: number },
  ): readonly Document[] {
    const documents = this.#collections.of(collection).entries()
    const wanted = documents.filter(([key]) => key.startsWith(options.prefix ?? ''))
    return page(wanted, ([key]) => key, options).map(([key, value]) => ({ key, value }))
  }

  clear(collection: string, limit?: number): number {
    const documents = this.#collections.of(collection)
    if (limit === undefined) return documents.deleteWhere(() => true)
    const first = page(documents.entries(), ([key]) => key, { limit })
    for (const [key] of first) documents.delete(key)
    return first.length
  }
}
