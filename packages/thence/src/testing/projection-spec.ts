/**
 * Given events, then a view: a projection's rules on a database that lives as long as the check. Each check is made
 * twice, the second time after a rebuild, so a view that cannot be rebuilt fails here.
 */
import { memory } from '../adapters/memory/database.ts'
import type { EventMessage, Recorded } from '../message/message.ts'
import type { QueryMessage } from '../message/query.ts'
import { parse } from '../message/schema.ts'
import type { Database, Transaction } from '../ports/database.ts'
import { project } from '../project/follow.ts'
import type { Projection } from '../project/projection.ts'
import type { Documents } from '../project/documents.ts'
import { fail, same } from './assertion.ts'
import { Recorder } from './recorder.ts'
import { virtualRuntime } from './virtual-runtime.ts'

/** The document that a view of documents keeps. */
export type DocumentOf<View> = View extends Documents<infer Doc> ? Doc : never

export interface ProjectionSpecOptions {
  /** Where the view is kept; default: a new one in memory. A view of tables needs one with SQL, new for each use. */
  readonly database?: () => Database
}

/** What has happened; now the view is looked at. Every check is awaited. */
export interface GivenProjection<Q extends string, View> {
  /** Then these happen too. */
  when(...events: readonly EventMessage[]): GivenProjection<Q, View>
  /** Looks at the view as the projection itself does; it is called again after a rebuild. */
  then(check: (view: View) => Promise<void> | void): Promise<void>
  /** There is this document under the key; `undefined`: there is none. */
  thenDocument(key: string, document: DocumentOf<View> | undefined): Promise<void>
  /** These documents are all there are. */
  thenDocuments(documents: Readonly<Record<string, DocumentOf<View>>>): Promise<void>
  /** Asks a query that the projection answers. */
  ask<Type extends Q, Answer>(
    query: QueryMessage<Type, unknown, Answer>,
  ): { gives(answer: Answer): Promise<void> }
}

type Check = (transaction: Transaction) => Promise<void>

class ProjectionSpec implements GivenProjection<string, unknown> {
  readonly #projection: Projection
  readonly #history: readonly EventMessage[]
  readonly #make: () => Database

  constructor(projection: Projection, history: readonly EventMessage[], make: () => Database) {
    this.#projection = projection
    this.#history = history
    this.#make = make
  }

  when(...events: readonly EventMessage[]): ProjectionSpec {
    return new ProjectionSpec(this.#projection, [...this.#history, ...events], this.#make)
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is the word of the specification; awaiting one is told below
  then(check: (view: unknown) => Promise<void> | void, ...rest: readonly unknown[]): Promise<void> {
    if (rest.length > 0)
      fail('A specification of a projection ends with a check: .then(…), .thenDocument(…), .ask(…)')
    return this.#check(async (transaction) => {
      const { view, flush } = this.#open(transaction)
      await check(view)
      await flush()
    })
  }

  thenDocument(key: string, document: unknown): Promise<void> {
    return this.#check(async (transaction) => {
      const found = await this.#documents(transaction).get(key)
      same(`${this.#projection.name}: another document under ${key}`, found, document)
    })
  }

  thenDocuments(documents: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#check(async (transaction) => {
      const found: Record<string, unknown> = {}
      for await (const { key, document } of this.#documents(transaction).list())
        found[key] = document
      same(`${this.#projection.name}: other documents than expected`, found, documents)
    })
  }

  ask(query: QueryMessage): { gives(answer: unknown): Promise<void> } {
    const { name, answers } = this.#projection
    const entry = answers.get(query.type) ?? fail(`${name} does not answer ${query.type}.`)
    const gives = (expected: unknown): Promise<void> =>
      this.#check(async (transaction) => {
        const input = parse(query.type, entry.definition.input, query.data)
        const given = await entry.run(input, this.#open(transaction).view)
        const answer = parse(`The answer to ${query.type}`, entry.definition.output, given)
        same(`${name}: another answer to ${query.type}`, answer, expected)
      })
    return { gives }
  }

  /** First as it follows the log, one event per transaction; then rebuilt, all in one. */
  async #check(check: Check): Promise<void> {
    const runtime = virtualRuntime()
    const { view, name, on } = this.#projection
    const definitions = [...on.values()].map(({ definition }) => definition)
    const recorder = new Recorder(`Projection ${name}`, definitions, runtime)
    const events = this.#history.map((event) => recorder.record(event, 'given'))
    const database = this.#make()
    try {
      await database.open(runtime)
      await database.migrate()
      await database.transact((transaction) => view.create(transaction, name))
      for (const event of events)
        await database.transact((transaction) => this.#apply(transaction, [event]))
      await database.transact(check)
      await database.transact(async (transaction) => {
        await view.clear(transaction, name)
        await this.#apply(transaction, events)
        await this.#afterRebuild(transaction, check)
      })
    } finally {
      await database.close()
    }
  }

  async #afterRebuild(transaction: Transaction, check: Check): Promise<void> {
    try {
      await check(transaction)
    } catch (error) {
      if (error instanceof Error)
        error.message =
          `After a rebuild the view is another one: it is not cleared wholly, or it follows from more than its ` +
          `events.\n${error.message}`
      throw error
    }
  }

  async #apply(transaction: Transaction, events: readonly Recorded[]): Promise<void> {
    const { view, flush } = this.#open(transaction)
    for (const event of events) await project(this.#projection, event, view)
    await flush()
  }

  #open(transaction: Transaction): ReturnType<Projection['view']['open']> {
    return this.#projection.view.open(transaction, this.#projection.name)
  }

  #documents(transaction: Transaction): Documents<unknown> {
    const { view, name } = this.#projection
    if (view.kind !== 'documents') fail(`${name} keeps tables; look at them by .then(…).`)
    return this.#open(transaction).view as Documents<unknown>
  }
}

export const givenProjection = <Q extends string, View>(
  projection: Projection<Q, View>,
  history: readonly EventMessage[],
  { database = memory }: ProjectionSpecOptions,
): GivenProjection<Q, View> =>
  new ProjectionSpec(projection, history, database) as unknown as GivenProjection<Q, View>
