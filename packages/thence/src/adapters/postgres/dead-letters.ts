/**
 * Dead letters in PostgreSQL; see ports/dead-letters.ts. The message is kept as a copy of its own: retention may take the
 * original out of the log.
 */
import type {
  DeadLetter,
  DeadLetters,
  DeadLetterState,
  LetterChange,
  LetterFilter,
  LetterGroup,
} from '../../ports/dead-letters.ts'
import type { ErrorKind } from '../../errors.ts'
import type { StoredMessage } from '../../ports/events.ts'
import type { Attempt } from '../../ports/retries.ts'
import { nowOr } from './clock.ts'
import type { PostgresValue } from './driver.ts'
import type { Scope } from './scope.ts'

const columns =
  'id, subscription, key, state, message, error_name, error_code, error_message, stack, attempts, time, reason, ' +
  'edited, fingerprint, changed, job, kind, replay'
const insert =
  `INSERT INTO thence.dead_letters (${columns}, position, type) ` +
  `VALUES (${Array.from({ length: 20 }, (_, index) => `$${index + 1}`).join(', ')}) ` +
  "ON CONFLICT (subscription, position) DO UPDATE SET state = 'parked', error_name = excluded.error_name, " +
  'error_code = excluded.error_code, error_message = excluded.error_message, stack = excluded.stack, ' +
  'attempts = excluded.attempts, time = excluded.time, key = excluded.key, reason = excluded.reason, ' +
  'fingerprint = excluded.fingerprint, changed = excluded.changed, kind = excluded.kind, replay = excluded.replay'
const change =
  `UPDATE thence.dead_letters SET state = $3, changed = ${nowOr('$8')}, reason = coalesce($4, reason), ` +
  'job = CASE WHEN $5::boolean THEN $6 ELSE job END, edited = coalesce($7, edited) WHERE id = $1 AND state = $2'
const select = `SELECT ${columns} FROM thence.dead_letters`
const selectOne = `${select} WHERE id = $1`
const selectPosition = `${select} WHERE subscription = $1 AND position = $2`
const selectOpen =
  "SELECT DISTINCT position FROM thence.dead_letters WHERE state <> 'resolved' AND position = ANY ($1::bigint[]) " +
  'ORDER BY position'
const countParked =
  'SELECT count(*) FROM (SELECT FROM thence.dead_letters ' +
  "WHERE state = 'parked' AND subscription = $1 LIMIT $2) AS parked"
const selectUnderWay =
  'SELECT EXISTS (SELECT FROM thence.dead_letters AS letter JOIN thence.retries AS r ' +
  'ON r.subscription = letter.subscription AND r.position = letter.position ' +
  "WHERE letter.job = $1 AND letter.state = 'redriven' AND r.state = 'due')"
const ended = (state: DeadLetterState): string =>
  `SELECT changed, id FROM thence.dead_letters WHERE state = '${state}' AND changed < $1`
const remove =
  'DELETE FROM thence.dead_letters WHERE id IN (SELECT id FROM (' +
  `${ended('resolved')} UNION ALL ${ended('discarded')} ORDER BY changed, id LIMIT $2) AS ended)`

type Row = readonly [
  id: string,
  subscription: string,
  key: string,
  state: DeadLetterState,
  message: string,
  errorName: string,
  errorCode: string | null,
  errorMessage: string,
  stack: string,
  attempts: string,
  time: number,
  reason: string | null,
  edited: string | null,
  fingerprint: string,
  changed: number,
  job: string | null,
  kind: ErrorKind,
  replay: boolean,
]

const decode = (row: Row): DeadLetter => ({
  id: row[0],
  subscription: row[1],
  key: row[2],
  state: row[3],
  message: JSON.parse(row[4]) as StoredMessage,
  errorName: row[5],
  errorCode: row[6],
  errorMessage: row[7],
  stack: row[8],
  attempts: JSON.parse(row[9]) as Attempt[],
  time: row[10],
  reason: row[11],
  edited: row[12] === null ? null : (JSON.parse(row[12]) as StoredMessage),
  fingerprint: row[13],
  changed: row[14],
  job: row[15],
  kind: row[16],
  replay: row[17],
})

/** What each name of a filter compares, and with which type of parameter. */
const conditions: readonly (readonly [keyof LetterFilter, string])[] = [
  ['state', 'state ='],
  ['subscription', 'subscription ='],
  ['fingerprint', 'fingerprint ='],
  ['type', 'type ='],
  ['key', 'key ='],
  ['kind', 'kind ='],
  ['since', 'time >='],
  ['until', 'time <='],
  ['job', 'job ='],
]

interface Where {
  readonly text: string
  readonly values: readonly PostgresValue[]
}

/** What a filter says, in SQL. */
const where = ({ ids, ...filter }: LetterFilter, after: string): Where => {
  const texts = ['id > $1']
  const values: PostgresValue[] = [after]
  for (const [name, text] of conditions) {
    const value = filter[name as Exclude<keyof LetterFilter, 'ids'>]
    if (value !== undefined) texts.push(`${text} $${values.push(value)}`)
  }
  if (ids !== undefined) texts.push(`id = ANY ($${values.push(ids)}::text[])`)
  return { text: `WHERE ${texts.join(' AND ')}`, values }
}

export class PostgresDeadLetters implements DeadLetters {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async add(letter: DeadLetter): Promise<void> {
    await this.#scope
      .change()
      .run(
        insert,
        letter.id,
        letter.subscription,
        letter.key,
        letter.state,
        JSON.stringify(letter.message),
        letter.errorName,
        letter.errorCode,
        letter.errorMessage,
        letter.stack,
        JSON.stringify(letter.attempts),
        letter.time,
        letter.reason,
        letter.edited === null ? null : JSON.stringify(letter.edited),
        letter.fingerprint,
        letter.changed,
        letter.job,
        letter.kind,
        letter.replay,
        letter.message.position,
        letter.message.type,
      )
  }

  async mark(id: string, { from, to, reason, job, edited }: LetterChange): Promise<boolean> {
    const text = edited === undefined ? null : JSON.stringify(edited)
    const values = [id, from, to, reason ?? null, job !== undefined, job ?? null, text]
    return (await this.#scope.change().run(change, ...values, this.#scope.time)) === 1
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    const row = await this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  async find(subscription: string, position: number): Promise<DeadLetter | undefined> {
    const row = await this.#scope.use().get<Row>(selectPosition, subscription, position)
    return row && decode(row)
  }

  async openAt(positions: readonly number[]): Promise<readonly number[]> {
    const rows = await this.#scope.use().all<[number]>(selectOpen, positions)
    return rows.map(([at]) => at)
  }

  async list({
    after = '',
    limit,
    ...filter
  }: LetterFilter & { readonly after?: string; readonly limit: number }): Promise<
    readonly DeadLetter[]
  > {
    const { text, values } = where(filter, after)
    const query = `${select} ${text} ORDER BY id LIMIT $${values.length + 1}`
    return (await this.#scope.use().all<Row>(query, ...values, limit)).map(decode)
  }

  async counts(filter: LetterFilter = {}): Promise<Readonly<Record<DeadLetterState, number>>> {
    const counts = { parked: 0, redriven: 0, resolved: 0, discarded: 0 }
    const { text, values } = where(filter, '')
    const query = `SELECT state, count(*) FROM thence.dead_letters ${text} GROUP BY state`
    const rows = await this.#scope.use().all<[DeadLetterState, number]>(query, ...values)
    for (const [state, count] of rows) counts[state] = count
    return counts
  }

  async parkedOf(subscription: string, most: number): Promise<number> {
    return (await this.#scope.use().get<[number]>(countParked, subscription, most))?.[0] ?? 0
  }

  async underWay(job: string): Promise<boolean> {
    return (await this.#scope.use().get<[boolean]>(selectUnderWay, job))?.[0] === true
  }

  async groups({
    limit,
    ...filter
  }: LetterFilter & { readonly limit: number }): Promise<readonly LetterGroup[]> {
    const { text, values } = where(filter, '')
    const query =
      'SELECT subscription, fingerprint, count(*), min(time), max(time), max(id) FROM thence.dead_letters ' +
      `${text} GROUP BY subscription, fingerprint ` +
      `ORDER BY count(*) DESC, max(time) DESC, subscription, fingerprint LIMIT $${values.length + 1}`
    const rows = await this.#scope
      .use()
      .all<[string, string, number, number, number, string]>(query, ...values, limit)
    return rows.map(([subscription, fingerprint, count, first, last, sample]) => ({
      subscription,
      fingerprint,
      count,
      first,
      last,
      sample,
    }))
  }

  async trim(before: number, limit: number): Promise<number> {
    return this.#scope.change().run(remove, before, limit)
  }
}
