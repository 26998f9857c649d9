/**
 * Views of keyed JSON documents: they work on every adapter.
 */
import { ThenceError } from '../errors.ts'
import type { JsonValue } from '../message/json.ts'
import { encodeJson } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { ViewDefinition } from './view.ts'

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
/** So many pages in a row may be read ahead in vain, where fewer than a quarter of the documents were asked for. */
const patience = 3

/** Whether reading ahead is worth it for a view, as far as was seen. */
interface Foresight {
  vain: number
}
/** So few that whoever wants to write does not wait long. */
const removedAtOnce = 1000

/** Held back until the end of the transaction: a document that many messages touch is written once. */
class HeldDocuments<Doc> implements Documents<Doc> {
  readonly #transaction: Transaction
  readonly #collection: string
  /** JSON text, or null where there is no document. */
  readonly #known = new Map<string, string | null>()
  readonly #changed = new Set<string>()
  readonly #foresight: Foresight
  /** Read ahead and not asked for. */
  readonly #ahead = new Set<string>()
  #guessed = 0
  #ended = false

  constructor(transaction: Transaction, collection: string, foresight: Foresight) {
    this.#transaction = transaction
    this.#foresight = foresight
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

  async ahead(keys: readonly string[]): Promise<void> {
    if (this.#foresight.vain >= patience) return
    this.#guessed = keys.length
    for (const key of keys) {
      this.#ahead.add(key)
      this.#known.set(key, null)
    }
    const found = await this.#transaction.documents.getAll(this.#collection, keys)
    for (const { key, value } of found) this.#known.set(key, value)
  }

  async flush(): Promise<void> {
    const { documents } = this.#transaction
    const changes = Array.from(this.#changed, (key) => ({
      key,
      value: this.#known.get(key) ?? null,
    }))
    this.#changed.clear()
    for (let at = 0; at < changes.length; at += pageSize)
      await documents.putAll(this.#collection, changes.slice(at, at + pageSize))
  }

  end(): void {
    if (this.#guessed > 0) {
      const isVain = this.#ahead.size > this.#guessed * 0.75
      this.#foresight.vain = isVain ? this.#foresight.vain + 1 : 0
    }
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
    this.#ahead.delete(key)
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
  const foresight: Foresight = { vain: 0 }
  return {
    kind: 'documents',
    beside: true,
    open(transaction, name) {
      const view = new HeldDocuments<Doc>(transaction, name, foresight)
      return {
        view,
        ahead: (keys) => view.ahead(keys),
        flush: () => view.flush(),
        end: () => view.end(),
      }
    },
    create: async () => undefined,
    async clear(transaction, name) {
      await transaction.documents.clear(name)
    },
    async remove(transaction, name) {
      return (await transaction.documents.clear(name, removedAtOnce)) === removedAtOnce
    },
  }
}
