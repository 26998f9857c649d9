// Readers that follow the log while the server is killed: each has to see the same messages in the same order, and to skip none.
import { Client } from 'pg'
import { isThenceError, systemRuntime } from 'thence'
import type { Database } from 'thence'
import { onTestFinished } from 'vitest'
import { openAt } from './place.ts'
import { until } from './until.ts'

const runtime = systemRuntime()

const log = 'SELECT id FROM thence.events ORDER BY position'

/** What it read, and what it reads from. */
class Reader {
  readonly ids: string[] = []
  readonly #database: Database
  readonly #reading: Promise<void>
  #after = 0
  #isOpen = false
  #ended = false

  constructor(url: string) {
    this.#database = openAt(url)
    this.#reading = this.#follow()
    this.#reading.catch(() => undefined)
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#reading
    await this.#database.close()
  }

  async #follow(): Promise<void> {
    while (!this.#ended) {
      try {
        await this.#page()
      } catch (error) {
        // The server is away, or the store is not made yet.
        if (!isThenceError(error) || !error.code.startsWith('STORE_')) throw error
      }
      await new Promise<void>((resolve) => void runtime.after(2, resolve))
    }
  }

  async #page(): Promise<void> {
    if (!this.#isOpen) await this.#database.open(runtime)
    this.#isOpen = true
    const { messages } = await this.#database.read(({ events }) =>
      events.readAll({ after: this.#after, limit: 20 }),
    )
    this.ids.push(...messages.map(({ id }) => id))
    this.#after = messages.at(-1)?.position ?? this.#after
  }
}

export class Readers {
  readonly #url: string
  readonly #readers: readonly Reader[]

  constructor(url: string, many: number) {
    this.#url = url
    this.#readers = Array.from({ length: many }, () => new Reader(url))
    onTestFinished(async () => void (await Promise.all(this.#readers.map((one) => one.end()))))
  }

  /** The ids of the log, and what each has read of it. Nothing is written any more. */
  async atEnd(): Promise<{ readonly log: readonly string[]; readonly read: readonly string[][] }> {
    const client = new Client(this.#url)
    await client.connect()
    const { rows } = await client.query<{ id: string }>(log)
    await client.end()
    const all = rows.map(({ id }) => id)
    const isDone = ({ ids }: Reader): boolean => ids.at(-1) === all.at(-1)
    await until('readers to come to the end', () => this.#readers.every(isDone) || undefined)
    return { log: all, read: this.#readers.map(({ ids }) => ids) }
  }
}
