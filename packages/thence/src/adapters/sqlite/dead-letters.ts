/**
 * Dead letters in SQLite; see ports/dead-letters.ts. The message is kept as a copy of its own: retention may take the
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
import type { Scope } from './scope.ts'

const columns =
  'id, subscription, key, state, message, error_name, error_code, error_message, stack, attempts, time, reason, ' +
  'edited, fingerprint, changed, job, kind, replay'
const insert =
  `INSERT INTO thence_dead_letters (${columns}, position, type) ` +
  'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ' +
  "ON CONFLICT (subscription, position) DO UPDATE SET state = 'parked', error_name = excluded.error_name, " +
  'error_code = excluded.error_code, error_message = excluded.error_message, stack = excluded.stack, ' +
  'attempts = excluded.attempts, time = excluded.time, key = excluded.key, reason = excluded.reason, ' +
  'fingerprint = excluded.fingerprint, changed = excluded.changed, kind = excluded.kind, replay = excluded.replay'
const change =
  'UPDATE thence_dead_letters SET state = ?, changed = ?, reason = coalesce(?, reason), ' +
  'job = CASE WHEN ? THEN ? ELSE job END, edited = coalesce(?, edited) WHERE id = ? AND state = ?'
const select = `SELECT ${columns} FROM thence_dead_letters`
const selectOne = `${select} WHERE id = ?`
const selectPosition = `${select} WHERE subscription = ? AND position = ?`
const selectOpen =
  "SELECT DISTINCT position FROM thence_dead_letters WHERE state <> 'resolved' AND position IN (" +
  'SELECT value FROM json_each(?)) ORDER BY position'
const countParked =
  'SELECT count(*) FROM (SELECT 1 FROM thence_dead_letters INDEXED BY thence_dead_letters_group ' +
  "WHERE state = 'parked' AND subscription = ? LIMIT ?)"
const selectUnderWay =
  'SELECT EXISTS (SELECT 1 FROM thence_dead_letters AS letters INDEXED BY thence_dead_letters_job ' +
  'CROSS JOIN thence_retries AS rows ON rows.subscription = letters.subscription AND rows.position = letters.position ' +
  "WHERE letters.job = ? AND letters.state = 'redriven' AND rows.state = 'due')"
const ended = (state: DeadLetterState): string =>
  `SELECT changed, id FROM thence_dead_letters WHERE state = '${state}' AND changed < ?`
const remove =
  'DELETE FROM thence_dead_letters WHERE id IN (SELECT id FROM (' +
  `${ended('resolved')} UNION ALL ${ended('discarded')} ORDER BY changed, id LIMIT ?))`

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
  replay: number,
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
  replay: row[17] === 1,
})

const conditions: readonly (readonly [keyof LetterFilter, string])[] = [
  ['state', 'state = ?'],
  ['subscription', 'subscription = ?'],
  ['fingerprint', 'fingerprint = ?'],
  ['type', 'type = ?'],
  ['key', 'key = ?'],
  ['kind', 'kind = ?'],
  ['since', 'time >= ?'],
  ['until', 'time <= ?'],
  ['job', 'job = ?'],
  ['ids', 'id IN (SELECT value FROM json_each(?))'],
]

type Value = string | number

/** What a filter says, in SQL. */
const where = (
  filter: LetterFilter,
  after: string,
): { readonly text: string; readonly values: Value[] } => {
  const texts = ['id > ?']
  const values: Value[] = [after]
  for (const [name, text] of conditions) {
    const value = filter[name]
    if (value === undefined) continue
    texts.push(text)
    values.push(typeof value === 'object' ? JSON.stringify(value) : value)
  }
  return { text: `WHERE ${texts.join(' AND ')}`, values }
}

export class SqliteDeadLetters implements DeadLetters {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  add(letter: DeadLetter): void {
    this.#scope
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
        letter.replay ? 1 : 0,
        letter.message.position,
        letter.message.type,
      )
  }

  mark(id: string, { from, to, reason, job, edited }: LetterChange): boolean {
    const now = this.#scope.runtime.now()
    const jobs = [job === undefined ? 0 : 1, job ?? null] as const
    const text = edited === undefined ? null : JSON.stringify(edited)
    return this.#scope.change().run(change, to, now, reason ?? null, ...jobs, text, id, from) === 1
  }

  get(id: string): DeadLetter | undefined {
    const row = this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  find(subscription: string, position: number): DeadLetter | undefined {
    const row = this.#scope.use().get<Row>(selectPosition, subscription, position)
    return row && decode(row)
  }

  openAt(positions: readonly number[]): readonly number[] {
    const connection = this.#scope.use()
    return connection.all<[number]>(selectOpen, JSON.stringify(positions)).map(([at]) => at)
  }

  list({
    after = '',
    limit,
    ...filter
  }: LetterFilter & { readonly after?: string; readonly limit: number }): readonly DeadLetter[] {
    const { text, values } = where(filter, after)
    return this.#scope
      .use()
      .all<Row>(`${select} ${text} ORDER BY id LIMIT ?`, ...values, limit)
      .map(decode)
  }

  counts(filter: LetterFilter = {}): Readonly<Record<DeadLetterState, number>> {
    const counts = { parked: 0, redriven: 0, resolved: 0, discarded: 0 }
    const { text, values } = where(filter, '')
    const query = `SELECT state, count(*) FROM thence_dead_letters ${text} GROUP BY state`
    for (const [state, count] of this.#scope.use().all<[DeadLetterState, number]>(query, ...values))
      counts[state] = count
    return counts
  }

  parkedOf(subscription: string, most: number): number {
    return this.#scope.use().get<[number]>(countParked, subscription, most)?.[0] ?? 0
  }

  underWay(job: string): boolean {
    return this.#scope.use().get<[number]>(selectUnderWay, job)?.[0] === 1
  }

  groups({ limit, ...filter }: LetterFilter & { readonly limit: number }): readonly LetterGroup[] {
    const { text, values } = where(filter, '')
    const query =
      'SELECT subscription, fingerprint, count(*), min(time), max(time), max(id) FROM thence_dead_letters ' +
      `${text} GROUP BY subscription, fingerprint ` +
      'ORDER BY count(*) DESC, max(time) DESC, subscription, fingerprint LIMIT ?'
    return this.#scope
      .use()
      .all<[string, string, number, number, number, string]>(query, ...values, limit)
      .map(([subscription, fingerprint, count, first, last, sample]) => ({
        subscription,
        fingerprint,
        count,
        first,
        last,
        sample,
      }))
  }

  trim(before: number, limit: number): number {
    return this.#scope.change().run(remove, before, before, limit)
  }
}
