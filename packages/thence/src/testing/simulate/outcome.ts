/** What a store holds in the end, read once for all checks. */
import type { Parts } from '../../app/parts.ts'
import { Codec } from '../../message/codec.ts'
import type { Recorded } from '../../message/message.ts'
import type { Database, Transaction } from '../../ports/database.ts'
import type { DeadLetter } from '../../ports/dead-letters.ts'
import type { StoredMessage } from '../../ports/events.ts'
import type { RetrySummary } from '../../ports/retries.ts'
import type { Timer } from '../../ports/timers.ts'
import type { Books } from './books.ts'
import { effectsCollection } from './effects.ts'
import type { Oracle } from './oracle.ts'
import type { Troubles } from './troubles.ts'

/** Everything that the checks look at. */
export interface Outcome {
  readonly parts: Parts
  readonly log: readonly StoredMessage[]
  /** The same, decoded. */
  readonly messages: readonly Recorded[]
  readonly byId: ReadonlyMap<string, StoredMessage>
  /** Positions that each handler has done, by handler and key. */
  readonly effects: ReadonlyMap<string, readonly number[]>
  readonly letters: readonly DeadLetter[]
  readonly retries: readonly RetrySummary[]
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

const readAll = async ({
  events,
  documents,
  deadLetters,
  retries,
  timers,
}: Transaction): Promise<Pick<Outcome, 'log' | 'effects' | 'letters' | 'retries' | 'timers'>> => {
  const { messages: log } = await events.readAll({ limit })
  const effects = await documents.list(effectsCollection, { limit })
  return {
    log,
    effects: new Map(effects.map(({ key, value }) => [key, JSON.parse(value) as number[]])),
    letters: await deadLetters.list({ limit }),
    retries: await retries.summary(),
    timers: await timers.list({ limit }),
  }
}

/** Reads everything. */
export async function readOutcome(
  known: Pick<Outcome, 'parts' | 'books' | 'oracle' | 'troubles' | 'database' | 'now'>,
): Promise<Outcome> {
  const read = await known.database.read(readAll)
  const codec = new Codec(known.parts.registry, true)
  return {
    ...known,
    ...read,
    messages: read.log.map((stored) => codec.decode(stored)),
    byId: new Map(read.log.map((stored) => [stored.id, stored])),
  }
}
