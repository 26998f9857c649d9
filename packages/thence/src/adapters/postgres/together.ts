/**
 * A statement of the user's and what is put around it, sent in one call where the library can do that: the connection of `pg` takes the messages
 * of the server's protocol one by one, and one that is pipelined sends what it is asked at once. Else it takes three.
 */
import type { PostgresClient, PostgresQuery, PostgresResult, PostgresValue } from './driver.ts'

export interface Asked {
  /** Statements without parameters, of our own. */
  readonly before: readonly string[]
  readonly statement: Pick<PostgresQuery, 'text' | 'values' | 'types'>
  readonly after: readonly string[]
}

export interface Answered {
  readonly before: readonly PostgresResult[]
  /** Of the statement: what came of it, or what it failed with; then nothing of `after` was done. */
  readonly outcome: { readonly result: PostgresResult } | { readonly error: unknown }
}

/** How the connection of `pg` takes messages. All but `sync` wait for more. */
interface Wire {
  parse(message: { readonly text: string }, more: boolean): void
  bind(message: { readonly values: Statement['values'] }, more: boolean): void
  describe(message: { readonly type: 'P'; readonly name: string }, more: boolean): void
  execute(message: null, more: boolean): void
  sync(): void
  readonly stream: { cork?(): void; uncork?(): void }
}

interface Field {
  readonly name: string
  readonly dataTypeID: number
}

interface Statement {
  readonly text: string
  readonly values: readonly (Buffer | string | null)[]
}

interface Settled {
  readonly results: readonly PostgresResult[]
  /** What the one after them failed with. */
  readonly error: unknown
}

/** What `pg` runs as it runs a query of its own: it is given the connection, then the answers. */
class Batch {
  readonly settled: Promise<Settled>
  /** `pg` calls it too, when it gives up waiting. */
  callback: (error: unknown) => void
  readonly #statements: readonly Statement[]
  readonly #types: PostgresQuery['types']
  readonly #results: PostgresResult[] = []
  #fields: readonly Field[] = []
  #rows: Record<string, unknown>[] = []

  constructor(statements: readonly Statement[], types: PostgresQuery['types']) {
    this.#statements = statements
    this.#types = types
    const { promise, resolve } = Promise.withResolvers<Settled>()
    this.settled = promise
    this.callback = (error) => resolve({ results: this.#results, error })
  }

  submit(wire: Wire): void {
    wire.stream.cork?.()
    try {
      for (const { text, values } of this.#statements) {
        wire.parse({ text }, true)
        wire.bind({ values }, true)
        wire.describe({ type: 'P', name: '' }, true)
        wire.execute(null, true)
      }
      wire.sync()
    } finally {
      wire.stream.uncork?.()
    }
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#fields = fields
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {}
    for (const [index, { name, dataTypeID }] of this.#fields.entries()) {
      const text = fields[index] ?? null
      row[name] = text === null ? null : this.#types.getTypeParser(dataTypeID)(text)
    }
    this.#rows.push(row)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const [count] = /\d+$/.exec(text) ?? []
    const [command = ''] = text.split(' ')
    const rowCount = count === undefined ? null : Number(count)
    this.#results.push({ command, rowCount, rows: this.#rows })
    this.#fields = []
    this.#rows = []
  }

  handleError(error: unknown): void {
    this.callback(error)
  }

  handleReadyForQuery(): void {
    this.callback(undefined)
  }
}

const isWire = (connection: unknown): connection is Wire =>
  typeof connection === 'object' &&
  connection !== null &&
  ['parse', 'bind', 'describe', 'execute', 'sync'].every(
    (name) => typeof Reflect.get(connection, name) === 'function',
  ) &&
  'stream' in connection

/** Bytes as they are, everything else as the server reads it from text. */
const sent = (value: PostgresValue): Buffer | string | null => {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value === null ? null : String(value)
}

const onWire = async (client: PostgresClient, asked: Asked): Promise<Answered> => {
  const { before, statement, after } = asked
  const ours = (text: string): Statement => ({ text, values: [] })
  const own: Statement = { text: statement.text, values: statement.values.map(sent) }
  const batch = new Batch([...before.map(ours), own, ...after.map(ours)], statement.types)
  // What can be submitted is taken by `pg` as it is; it gives it back instead of a promise.
  const submitted: unknown = batch
  void client.query(submitted as PostgresQuery)
  const { results, error } = await batch.settled
  const done = results.slice(0, before.length)
  const result = results[before.length]
  if (error === undefined && result !== undefined) return { before: done, outcome: { result } }
  if (results.length === before.length) return { before: done, outcome: { error } }
  throw error
}

const listOf = (results: PostgresResult | PostgresResult[]): readonly PostgresResult[] =>
  Array.isArray(results) ? results : [results]

const told = async (asking: Promise<PostgresResult>): Promise<Answered['outcome']> => {
  try {
    return { result: await asking }
  } catch (error) {
    return { error }
  }
}

const oneByOne = async (client: PostgresClient, asked: Asked): Promise<Answered> => {
  const before = listOf(await client.query(asked.before.join('; ')))
  const outcome = await told(client.query({ ...asked.statement, queryMode: 'extended' }))
  if ('result' in outcome) await client.query(asked.after.join('; '))
  return { before, outcome }
}

/** All are sent before the first is answered; where one fails the server refuses those after it. */
const ahead = async (client: PostgresClient, asked: Asked): Promise<Answered> => {
  const first = client.query(asked.before.join('; '))
  const second = told(client.query({ ...asked.statement, queryMode: 'extended' }))
  const third = client.query(asked.after.join('; '))
  await Promise.allSettled([first, second, third])
  const outcome = await second
  if ('result' in outcome) await third
  return { before: listOf(await first), outcome }
}

/** Whatever fails but the statement is thrown. */
export async function together(client: PostgresClient, asked: Asked): Promise<Answered> {
  if (client.pipeline === true) return ahead(client, asked)
  return isWire(client.connection) ? onWire(client, asked) : oneByOne(client, asked)
}
