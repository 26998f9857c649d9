/**
 * Documents in SQLite; see ports/documents.ts.
 */
import type { Document, DocumentChange, Documents } from '../../ports/documents.ts'
import { keyRange } from '../sql/range.ts'
import type { Scope } from './scope.ts'

const selectOne = 'SELECT value FROM thence_documents WHERE collection = ? AND key = ?'
const upsert =
  'INSERT INTO thence_documents (collection, key, value) VALUES (?, ?, ?) ' +
  'ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value'
const remove = 'DELETE FROM thence_documents WHERE collection = ? AND key = ?'
const selectFrom =
  'SELECT key, value FROM thence_documents WHERE collection = ? AND key >= ? ORDER BY key LIMIT ?'
const selectBetween =
  'SELECT key, value FROM thence_documents WHERE collection = ? AND key >= ? AND key < ? ' +
  'ORDER BY key LIMIT ?'
const removeAll = 'DELETE FROM thence_documents WHERE collection = ?'
const removeFirst =
  'DELETE FROM thence_documents WHERE rowid IN ' +
  '(SELECT rowid FROM thence_documents WHERE collection = ? ORDER BY key LIMIT ?)'

export class SqliteDocuments implements Documents {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  get(collection: string, key: string): string | undefined {
    return this.#scope.use().get<[string]>(selectOne, collection, key)?.[0]
  }

  getAll(collection: string, keys: readonly string[]): readonly Document[] {
    return [...new Set(keys)].flatMap((key) => {
      const value = this.get(collection, key)
      return value === undefined ? [] : [{ key, value }]
    })
  }

  put(collection: string, key: string, value: string): void {
    this.#scope.change().run(upsert, collection, key, value)
  }

  putAll(collection: string, changes: readonly DocumentChange[]): void {
    for (const { key, value } of changes)
      if (value === null) this.delete(collection, key)
      else this.put(collection, key, value)
  }

  delete(collection: string, key: string): boolean {
    return this.#scope.change().run(remove, collection, key) === 1
  }

  list(
    collection: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit: number },
  ): readonly Document[] {
    const { from, to } = keyRange(options.prefix, options.after)
    const connection = this.#scope.use()
    const rows =
      to === undefined
        ? connection.all<[string, string]>(selectFrom, collection, from, options.limit)
        : connection.all<[string, string]>(selectBetween, collection, from, to, options.limit)
    return rows.map((row) => ({ key: row[0], value: row[1] }))
  }

  clear(collection: string, limit?: number): number {
    const connection = this.#scope.change()
    return limit === undefined
      ? connection.run(removeAll, collection)
      : connection.run(removeFirst, collection, limit)
  }
}
