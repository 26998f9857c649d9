/**
 * Two ways to write a view: keyed documents, or plain SQL. Both are handles on the transaction of the effect; a view
 * knows nothing of subscriptions.
 */
import { ThenceError } from '../errors.ts'
import type { JsonValue } from '../message/json.ts'
import { encodeJson } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { SqlRow, SqlValue } from '../ports/sql.ts'

/** A view's handle in one transaction. */
export interface Opened<View> {
  readonly view: View
  /** Writes what was held back. */
  readonly flush: () => Promise<void>
  /** The work is over: what is asked of the view later is refused, because it would be lost. */
  readonly end: () => void
}

/** How a projection keeps what it knows. `View` is what its functions are given. */
export interface ViewDefinition<View> {
  readonly kind: 'documents' | 'tables'
  open(transaction: Transaction, name: string): Opened<View>
  /** Makes what must be there before the first message; safe to call again. */
  create(transaction: Transaction, name: string): Promise<void>
  clear(transaction: Transaction, name: string): Promise<void>
}

export interface ListOptions {
  /** Only keys that start with it. */
  readonly prefix?: string
  /** Only keys after this one. */
  readonly after?: string
  /** At most so many; default: all. */
  readonly limit?: number
}

/** Keyed documents, in the order of their keys. What is read is a copy: change it only by `put` or `update`. */
export interface Documents<Doc> {
  get(key: string): Promise<Doc | undefined>
  /** @throws VALUE_NOT_STORABLE */
  put(key: string, document: Doc): Promise<void>
  /** Replaces the document by what `change` makes of it; `undefined` deletes it. */
  update(key: string, change: (document: Doc | undefined) => Doc | undefined): Promise<void>
  delete(key: string): Promise<void>
  /** Reads a page at a time; what was written in this transaction is included. */
  list(options?: ListOptions): AsyncGenerator<{ readonly key: string; readonly document: Doc }>
}

const pageSize = 500

/** Held back until the end of the transaction: a document that many messages touch is written once. */
class HeldDocuments<Doc> implements Documents<Doc> {
  readonly #transaction: Transaction
  readonly #collection: string
  /** JSON text, or null where there is no document. */
  readonly #known = new Map<string, string | null>()
  readonly #changed = new Set<string>()
  #ended = false

  constructor(transaction: Transaction, collection: string) {
    this.#transaction = transaction
    this.#collection = collection
  }

  async get(key: string): Promise<Doc | undefined> {
    const text = await this.#text(key)
    return text === null ? undefined : (JSON.parse(text) as Doc)
  }

  async put(key: string, document: Doc): Promise<void> {
    this.#set(key, encodeJson(`${this.#collection} "${key}"`, document))
  }

  async update(key: string, change: (document: Doc | undefined) => Doc | undefined): Promise<void> {
    const next = change(await this.get(key))
    if (next === undefined) await this.delete(key)
    else await this.put(key, next)
  }

  async delete(key: string): Promise<void> {
    this.#set(key, null)
  }

  async *list({ prefix = '', after, limit = Infinity }: ListOptions = {}): AsyncGenerator<{
    readonly key: string
    readonly document: Doc
  }> {
    await this.flush()
    let last = after
    let left = limit
    while (left > 0) {
      const size = Math.min(left, pageSize)
      const page = await this.#transaction.documents.list(this.#collection, {
        prefix,
        limit: size,
        ...(last === undefined ? {} : { after: last }),
      })
      for (const { key, value } of page) yield { key, document: JSON.parse(value) as Doc }
      if (page.length < size) return
      last = page.at(-1)?.key
      left -= page.length
    }
  }

  async flush(): Promise<void> {
    const { documents } = this.#transaction
    for (const key of this.#changed) {
      const text = this.#known.get(key) ?? null
      if (text === null) await documents.delete(this.#collection, key)
      else await documents.put(this.#collection, key, text)
    }
    this.#changed.clear()
  }

  end(): void {
    this.#ended = true
  }

  #checkOpen(): void {
    if (!this.#ended) return
    throw new ThenceError(
      'STATE_INVALID',
      `The view ${this.#collection} was asked after its event was done; nothing of it would be kept. Await everything.`,
    )
  }

  async #text(key: string): Promise<string | null> {
    this.#checkOpen()
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const text = (await this.#transaction.documents.get(this.#collection, key)) ?? null
    this.#known.set(key, text)
    return text
  }

  #set(key: string, text: string | null): void {
    this.#checkOpen()
    this.#known.set(key, text)
    this.#changed.add(key)
  }
}

/** A view of keyed JSON documents, in a collection named like the projection. Works on every adapter. */
export function documents<Doc extends JsonValue | object>(): ViewDefinition<Documents<Doc>> {
  return {
    kind: 'documents',
    open(transaction, name) {
      const view = new HeldDocuments<Doc>(transaction, name)
      return { view, flush: () => view.flush(), end: () => view.end() }
    },
    create: async () => undefined,
    async clear(transaction, name) {
      await transaction.documents.clear(name)
    },
  }
}

/** Tables of your own, in the same database and transaction, in the database's own SQL. */
export interface Tables {
  /** Runs one statement; gives how many rows it changed. */
  run(text: string, ...parameters: readonly SqlValue[]): Promise<number>
  /** All rows of one statement. */
  all<Row = SqlRow>(text: string, ...parameters: readonly SqlValue[]): Promise<readonly Row[]>
  /** The first row of one statement. */
  first<Row = SqlRow>(text: string, ...parameters: readonly SqlValue[]): Promise<Row | undefined>
}

export interface TablesOptions {
  /** Statements that make the tables if they are not there, for example `CREATE TABLE IF NOT EXISTS …`. */
  readonly create: readonly string[]
  /** Statements that empty them before a rebuild, for example `DELETE FROM …`. */
  readonly clear: readonly string[]
}

const tablesOf = ({ sql }: Transaction): Tables => ({
  run: async (text, ...parameters) => sql.run(text, ...parameters),
  all: async <Row>(text: string, ...parameters: readonly SqlValue[]) =>
    (await sql.all(text, ...parameters)) as readonly Row[],
  first: async <Row>(text: string, ...parameters: readonly SqlValue[]) =>
    (await sql.all(text, ...parameters)).at(0) as Row | undefined,
})

/**
 * A view in plain SQL. Needs an adapter with SQL.
 * @throws CONFIG_INVALID if nothing is created or cleared.
 */
export function tables(options: TablesOptions): ViewDefinition<Tables> {
  if (options.create.length === 0 || options.clear.length === 0)
    throw new ThenceError(
      'CONFIG_INVALID',
      'tables({ create, clear }) needs statements that create the tables and that empty them for a rebuild.',
    )
  const runAll = async ({ sql }: Transaction, statements: readonly string[]): Promise<void> => {
    for (const statement of statements) await sql.run(statement)
  }
  return {
    kind: 'tables',
    open: (transaction) => ({
      view: tablesOf(transaction),
      flush: async () => undefined,
      // The transaction itself refuses what comes after its end.
      end: () => undefined,
    }),
    create: (transaction) => runAll(transaction, options.create),
    clear: (transaction) => runAll(transaction, options.clear),
  }
}
