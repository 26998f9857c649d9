/**
 * One connection for the length of one transaction: rows are arrays, errors are typed, and one that has failed can only be
 * rolled back. Nothing is left in its session: settings are local to the transaction, statements have no names.
 */
import { ThenceError } from '../../errors.ts'
import type { PostgresClient, PostgresResult, PostgresValue } from './driver.ts'
import { isUnknown, storeError, unknownOutcome } from './errors.ts'
import { type Patience, Silence } from './patience.ts'
import type { Texts } from './texts.ts'

const asText = (value: string): string => value
const asBoolean = (value: string): boolean => value === 't'
const parsers: ReadonlyMap<number, (value: string) => unknown> = new Map<
  number,
  (value: string) => unknown
>([
  [16, asBoolean],
  [20, Number],
  [21, Number],
  [23, Number],
])
/** Of our own columns: numbers stay below 2^53. */
const types = { getTypeParser: (type: number) => parsers.get(type) ?? asText }

/** What is thrown for whatever comes after the end of a transaction. */
export const ended = (): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    'This transaction has ended. Use what it offers only until its work returns; await everything in it.',
  )

const ignore = (): void => undefined

export class Connection {
  readonly texts: Texts
  readonly #client: PostgresClient
  readonly #patience: Patience
  #pending = 0
  #released = false
  /** It is being ended: nothing more is begun. */
  #ending = false
  /** Why the transaction can only be rolled back, if so. */
  #doom: ThenceError | undefined
  /** The beginning of the transaction, until it is answered. */
  #beginning: Promise<void> | undefined
  /** Until when others wait where the driver takes one after the other: a statement that runs. */
  #running: Promise<void> | undefined
  /** Until when others wait: a statement of the user's is being tried. */
  #trying: Promise<void> | undefined

  /** @param patience for each answer; a connection that exhausts it is closed. */
  constructor(client: PostgresClient, texts: Texts, patience: Patience) {
    this.#client = client
    this.texts = texts
    this.#patience = patience
    // A connection that breaks says so to whoever uses it next; without a listener it would end the process.
    client.on('error', ignore)
  }

  get doom(): ThenceError | undefined {
    return this.#doom
  }

  /** Something runs still, or has failed. */
  get isSpent(): boolean {
    return this.#pending > 0 || this.#doom !== undefined
  }

  /** Runs one statement; returns how many rows it changed. */
  async run(text: string, ...values: PostgresValue[]): Promise<number> {
    return (await this.#query(text, values)).rowCount ?? 0
  }

  /** The first row as an array of its columns. The caller knows which they are. */
  async get<Row extends readonly unknown[]>(
    text: string,
    ...values: PostgresValue[]
  ): Promise<Row | undefined> {
    return (await this.#query(text, values)).rows[0] as Row | undefined
  }

  /** All rows as arrays of their columns. */
  async all<Row extends readonly unknown[]>(
    text: string,
    ...values: PostgresValue[]
  ): Promise<Row[]> {
    return (await this.#query(text, values)).rows as Row[]
  }

  /** Begins a transaction; what it fails with is what the first statement fails with, and the transaction is doomed. */
  begin(text: string): Promise<PostgresResult | PostgresResult[]> {
    const answer = this.#several(text)
    this.#beginning = answer.then(ignore).finally(() => (this.#beginning = undefined))
    // Whoever asks for something meets the failure.
    this.#beginning.catch(ignore)
    return answer
  }

  /** Runs several statements without parameters, in one call. */
  async exec(text: string): Promise<void> {
    await this.#several(text)
  }

  /** Has the connection to itself while `work` tries what may fail; it is given the client. */
  async alone<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    // Without a tick where nobody is tried: what is asked for next must find this one before it.
    while (this.#before !== undefined) await this.#before
    this.#refuse()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#trying = promise
    try {
      return await this.#counted(() => work(this.#client))
    } catch (error) {
      throw error instanceof Silence ? this.#failed(error) : error
    } finally {
      this.#trying = undefined
      resolve()
    }
  }

  /** @throws OUTCOME_UNKNOWN if it failed where the commit may have happened. */
  async commit(): Promise<void> {
    if (this.#doom !== undefined) {
      const doom = this.#doom
      await this.rollback()
      throw doom
    }
    this.#ending = true
    if (this.#trying !== undefined) {
      await this.rollback()
      throw new ThenceError(
        'STATE_INVALID',
        'The transaction was to commit before a statement of it was done, so it was rolled back. Await everything in it.',
      )
    }
    let result: PostgresResult | PostgresResult[]
    try {
      result = await this.#answered(() => this.#client.query('COMMIT'))
    } catch (error) {
      this.release(true)
      throw isUnknown(error) ? unknownOutcome(error) : storeError(error)
    }
    this.release()
    // What the server answers to COMMIT when a statement before it had failed.
    if (!Array.isArray(result) && result.command !== 'COMMIT')
      throw new ThenceError(
        'STORE_FAILED',
        'The transaction was rolled back: it had failed before.',
      )
  }

  /**
   * Rolls back after what still runs; whatever goes wrong, the connection carries no transaction afterwards.
   * `now`: if something runs still, the connection is closed instead, which ends the transaction too.
   */
  async rollback(now = false): Promise<void> {
    if (this.#released) return
    this.#ending = true
    if (now && this.#pending > 0) return this.release(true)
    // A statement that is being tried goes on by several; after the end of the transaction they would stand for themselves.
    while (this.#trying !== undefined) await this.#trying
    try {
      await this.#answered(() => this.#client.query('ROLLBACK'))
      this.release()
    } catch {
      this.release(true)
    }
  }

  /** Back to the pool, where no transaction was begun; if something runs still, or has failed, it is closed. */
  leave(): void {
    this.release(this.isSpent)
  }

  release(destroy = false): void {
    if (this.#released) return
    this.#released = true
    this.#client.off('error', ignore)
    if (destroy) this.#client.on('error', ignore)
    this.#client.release(destroy)
  }

  /** Makes the transaction unable to commit. */
  condemn(error: ThenceError): void {
    this.#doom ??= error
  }

  /** Runs one statement and throws what the driver throws: for one that is a transaction of its own. */
  ask(text: string, values: PostgresValue[]): Promise<PostgresResult> {
    const query = { text: this.texts.of(text), values, rowMode: 'array', types } as const
    return this.#counted(() => this.#client.query(query))
  }

  async #several(text: string): Promise<PostgresResult | PostgresResult[]> {
    try {
      return await this.#counted(() => this.#client.query(this.texts.of(text)))
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async #query(text: string, values: PostgresValue[]): Promise<PostgresResult> {
    // Where the driver sends one after the other, two would only wait in line.
    const isAhead = this.#client.pipeline === true
    const before = (): Promise<void> | undefined => (isAhead ? this.#trying : this.#before)
    while (before() !== undefined) await before()
    this.#refuse()
    const answer = this.ask(text, values)
    const done = answer.then(ignore, ignore).then(() => {
      if (this.#running === done) this.#running = undefined
    })
    this.#running = done
    try {
      if (this.#beginning !== undefined) await this.#beginning
      return await answer
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** What is waited for by whoever wants the connection to itself. */
  get #before(): Promise<void> | undefined {
    return this.#trying ?? this.#beginning ?? this.#running
  }

  #refuse(): void {
    if (this.#doom !== undefined) throw this.#doom
    if (this.#ending) throw ended()
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#pending += 1
    try {
      return await this.#answered(work)
    } finally {
      this.#pending -= 1
    }
  }

  /** What is still sent on a connection whose server is silent would wait behind what was sent before. */
  async #answered<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#patience.run(work)
    } catch (error) {
      if (error instanceof Silence) this.release(true)
      throw error
    }
  }

  #failed(error: unknown): ThenceError {
    return (this.#doom ??= storeError(error))
  }
}
