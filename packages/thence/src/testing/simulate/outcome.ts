/** What a store holds in the end, read once for all checks. */
import type { Parts } from '../../app/parts.ts'
import { Codec } from '../../message/codec.ts'
import type { Recorded } from '../../message/message.ts'
import type { Database, Transaction } from '../../ports/database.ts'
import type { DeadLetter } from '../../ports/dead-letters.ts'
import type { StoredMessage } from '../../ports/events.ts'
import type { Document } from '../../ports/documents.ts'
import type { Job } from '../../ports/jobs.ts'
import type { RetrySummary } from '../../ports/retries.ts'
import type { Timer } from '../../ports/timers.ts'
import { allVersions, servingName, sideName } from '../../project/versions.ts'
import type { Books } from './books.ts'
import { effectsCollection, replaysCollection } from './effects.ts'
import type { Oracle } from './oracle.ts'
import type { Troubles } from './troubles.ts'

/** Everything that the checks look at. */
export interface Outcome {
  readonly parts: Parts
  /** With what retention has removed of it. */
  readonly log: readonly StoredMessage[]
  /** The same, decoded. */
  readonly messages: readonly Recorded[]
  readonly byId: ReadonlyMap<string, StoredMessage>
  /** Positions that each handler has done, by handler and key. */
  readonly effects: ReadonlyMap<string, readonly number[]>
  readonly letters: readonly DeadLetter[]
  readonly retries: readonly RetrySummary[]
  /** Positions that wait to be done, by subscription. */
  readonly waiting: ReadonlyMap<string, ReadonlySet<number>>
  /** Subscriptions for which an operator has said what becomes of a message that fails. */
  readonly decided: ReadonlySet<string>
  readonly jobs: readonly Job[]
  /** Positions that each handler has done again on purpose, by handler and key. */
  readonly replays: ReadonlyMap<string, readonly number[]>
  /** Subscriptions of views that are kept as a way back: what they had to try again waits until they serve again. */
  readonly kept: ReadonlySet<string>
  /** Documents of each projection that serves, by its name. */
  readonly views: ReadonlyMap<string, readonly Document[]>
  readonly timers: readonly Timer[]
  readonly books: Books
  readonly oracle: Oracle
  readonly troubles: Troubles
  /** The database, without any trouble. */
  readonly database: Database
  /** Milliseconds, by the database's clock. */
  readonly now: number
}

const limit = 1_000_000

type Read = Omit<Outcome, 'messages' | 'byId' | keyof Known>
type Known = Pick<Outcome, 'parts' | 'books' | 'oracle' | 'troubles' | 'database' | 'now'>

const doneIn = async (
  { documents }: Transaction,
  collection: string,
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const done = await documents.list(collection, { limit })
  return new Map(done.map(({ key, value }) => [key, JSON.parse(value) as number[]]))
}

const waitingOf = async (
  { retries }: Transaction,
  log: readonly StoredMessage[],
  subscriptions: readonly string[],
): Promise<Read['waiting']> => {
  const waiting = new Map(subscriptions.map((name) => [name, new Set<number>()]))
  for (const position of await retries.waitingAt(log.map((one) => one.position)))
    for (const [name, positions] of waiting)
      if ((await retries.find(name, position)) !== undefined) positions.add(position)
  return waiting
}

const viewsOf = async (
  transaction: Transaction,
  { projections }: Parts,
): Promise<Read['views']> => {
  const views = new Map<string, readonly Document[]>()
  for (const { name, view } of projections) {
    if (view.kind !== 'documents') continue
    const collection = await servingName(transaction, name)
    views.set(name, await transaction.documents.list(collection, { limit }))
  }
  return views
}

const keptOf = async (transaction: Transaction): Promise<Read['kept']> => {
  const versions = [...(await allVersions(transaction))]
  return new Set(
    versions.flatMap(([name, { kept }]) =>
      kept === undefined ? [] : [sideName(name, kept.version)],
    ),
  )
}

const readAll = async (transaction: Transaction, { parts, books }: Known): Promise<Read> => {
  const { events, deadLetters, retries, timers, audit, jobs } = transaction
  const log = books.chronicle.whole((await events.readAll({ limit })).messages)
  const policies = await audit.list({ action: 'subscription.policy', limit })
  return {
    log,
    effects: await doneIn(transaction, effectsCollection),
    replays: await doneIn(transaction, replaysCollection),
    letters: await deadLetters.list({ limit }),
    retries: await retries.summary(),
    waiting: await waitingOf(
      transaction,
      log,
      parts.handlers.map(({ name }) => name),
    ),
    decided: new Set(policies.map(({ target }) => target)),
    jobs: await jobs.list({ limit }),
    timers: await timers.list({ limit }),
    kept: await keptOf(transaction),
    views: await viewsOf(transaction, parts),
  }
}

/** Reads everything. */
export async function readOutcome(known: Known): Promise<Outcome> {
  const read = await known.database.read((transaction) => readAll(transaction, known))
  const codec = new Codec(known.parts.registry, true)
  return {
    ...known,
    ...read,
    messages: read.log.map((stored) => codec.decode(stored)),
    byId: new Map(read.log.map((stored) => [stored.id, stored])),
  }
}
