/**
 * Documents in PostgreSQL; see ports/documents.ts.
 */
import type { Document, Documents } from '../../ports/documents.ts'
import type { Scope } from './scope.ts'
import { startOf } from './streams.ts'

const selectOne = 'SELECT value FROM thence.documents WHERE collection = $1 AND key = $2'
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

  async put(collection: string, key: string, value: string): Promise<void> {
    await this.#scope.change().run(upsert, collection, key, value)
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
