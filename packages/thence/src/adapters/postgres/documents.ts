/**
 * Documents in PostgreSQL; see ports/documents.ts.
 */
import type { Document, DocumentChange, Documents } from '../../ports/documents.ts'
import type { Scope } from './scope.ts'
import { startOf } from './streams.ts'

const selectOne = 'SELECT value FROM thence.documents WHERE collection = $1 AND key = $2'
const selectSome =
  'SELECT key, value FROM thence.documents WHERE collection = $1 AND key = ANY ($2)'
const upsertAll =
  'INSERT INTO thence.documents (collection, key, value) ' +
  'SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS of (key, value) ' +
  'ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value'
const removeSome = 'DELETE FROM thence.documents WHERE collection = $1 AND key = ANY ($2)'
const upsert =
  'INSERT INTO thence.documents (collection, key, value) VALUES ($1, $2, $3) ' +
  'ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value'
const remove = 'DELETE FROM thence.documents WHERE collection = $1 AND key = $2'
const from = (compare: string, bound: string): string =>
  `SELECT key, value FROM thence.documents WHERE collection = $1 AND key ${compare} $2${bound} ` +
  'ORDER BY key LIMIT $3'
const removeAll = 'DELETE FROM thence.documents WHERE collection = $1'
const removeFirst =
  'DELETE FROM thence.documents WHERE collection = $1 AND key IN ' +
  '(SELECT key FROM thence.documents WHERE collection = $1 ORDER BY key LIMIT $2)'

export class PostgresDocuments implements Documents {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async get(collection: string, key: string): Promise<string | undefined> {
    return (await this.#scope.use().get<[string]>(selectOne, collection, key))?.[0]
  }

  async getAll(collection: string, keys: readonly string[]): Promise<readonly Document[]> {
    const rows = await this.#scope.use().all<[string, string]>(selectSome, collection, keys)
    return rows.map(([key, value]) => ({ key, value }))
  }

  async put(collection: string, key: string, value: string): Promise<void> {
    await this.#scope.change().run(upsert, collection, key, value)
  }

  async putAll(collection: string, changes: readonly DocumentChange[]): Promise<void> {
    const connection = this.#scope.change()
    const last = new Map(changes.map(({ key, value }) => [key, value]))
    const removed = [...last.keys()].filter((key) => last.get(key) === null)
    const kept = [...last].flatMap(([key, value]) => (value === null ? [] : [{ key, value }]))
    const keys = kept.map(({ key }) => key)
    const values = kept.map(({ value }) => value)
    if (kept.length > 0) await connection.run(upsertAll, collection, keys, values)
    if (removed.length > 0) await connection.run(removeSome, collection, removed)
  }

  async delete(collection: string, key: string): Promise<boolean> {
    return (await this.#scope.change().run(remove, collection, key)) === 1
  }

  async list(
    collection: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit: number },
  ): Promise<readonly Document[]> {
    const { key, inclusive, to } = startOf(options.prefix, options.after)
    const text = from(inclusive ? '>=' : '>', to === undefined ? '' : ' AND key < $4')
    const values = [collection, key, options.limit, ...(to === undefined ? [] : [to])]
    const rows = await this.#scope.use().all<[string, string]>(text, ...values)
    return rows.map((row) => ({ key: row[0], value: row[1] }))
  }

  async clear(collection: string, limit?: number): Promise<number> {
    const connection = this.#scope.change()
    return limit === undefined
      ? connection.run(removeAll, collection)
      : connection.run(removeFirst, collection, limit)
  }
}
