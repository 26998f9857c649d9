/**
 * The inbox in PostgreSQL; see ports/inbox.ts. Appends with `once` write the same rows (migrations/0002-append.ts).
 */
import type { Inbox, Outcome, Remembered, Remembering } from '../../ports/inbox.ts'
import { nowOr } from './clock.ts'
import type { Scope } from './scope.ts'

const selectOne =
  'SELECT stream, version, position, count, result, time, digest FROM thence.inbox WHERE consumer = $1 AND id = $2'
const selectSome =
  'SELECT stream, version, position, count, result, time, digest, wanted.place ' +
  'FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted(consumer, id, place) ' +
  'JOIN thence.inbox ON inbox.consumer = wanted.consumer AND inbox.id = wanted.id'
const insert =
  'INSERT INTO thence.inbox (consumer, id, stream, version, position, count, result, digest, time) ' +
  `VALUES ($1, $2, $3, $4, $5, $6, $7, $8, ${nowOr('$9')}) ON CONFLICT (consumer, id) DO NOTHING`
const update =
  'UPDATE thence.inbox SET stream = $3, version = $4, position = $5, count = $6, result = $7 ' +
  'WHERE consumer = $1 AND id = $2'
const removeOld =
  'DELETE FROM thence.inbox WHERE (consumer, id) IN ' +
  '(SELECT consumer, id FROM thence.inbox WHERE time < $1 ORDER BY time, consumer, id LIMIT $2)'

interface Wanted {
  readonly consumer: string
  readonly id: string
}

type Row = readonly [
  stream: string,
  version: number,
  position: number,
  count: number,
  result: string | null,
  time: number,
  digest: string | null,
]

type Placed = readonly [...Row, place: number]

const decode = ([stream, version, position, count, result, time, digest]:
  | Row
  | Placed): Remembered => ({
  stream,
  version,
  position,
  count,
  ...(result === null ? {} : { result }),
  ...(digest === null ? {} : { digest }),
  time,
})

export class PostgresInbox implements Inbox {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async remember(consumer: string, id: string, outcome: Remembering): Promise<boolean> {
    const { stream, version, position, count, result = null, digest = null } = outcome
    const row = [stream, version, position, count, result, digest, this.#scope.time]
    return (await this.#scope.change().run(insert, consumer, id, ...row)) === 1
  }

  async conclude(consumer: string, id: string, outcome: Outcome): Promise<boolean> {
    const { stream, version, position, count, result = null } = outcome
    const row = [stream, version, position, count, result]
    return (await this.#scope.change().run(update, consumer, id, ...row)) === 1
  }

  async recall(consumer: string, id: string): Promise<Remembered | undefined> {
    this.#scope.use()
    return this.#scope.gather.ask(this.#recalling, id, { consumer, id })
  }

  async trim(before: number, limit: number): Promise<number> {
    return this.#scope.change().run(removeOld, before, limit)
  }

  readonly #recalling = async (
    wanted: readonly Wanted[],
  ): Promise<readonly (Remembered | undefined)[]> => {
    const connection = this.#scope.use()
    const [first] = wanted
    if (wanted.length === 1 && first !== undefined) {
      const row = await connection.get<Row>(selectOne, first.consumer, first.id)
      return [row && decode(row)]
    }
    const [consumers, ids] = [wanted.map(({ consumer }) => consumer), wanted.map(({ id }) => id)]
    const rows = await connection.all<Placed>(selectSome, consumers, ids)
    const found = new Map(rows.map((row) => [row[7], decode(row)]))
    return wanted.map((_, index) => found.get(index + 1))
  }
}
