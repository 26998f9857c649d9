/**
 * Jobs in SQLite; see ports/jobs.ts.
 */
import type { Job, JobFilter, Jobs, JobState } from '../../ports/jobs.ts'
import type { Scope } from './scope.ts'

const columns =
  'id, kind, state, spec, progress, total, next, version, created, updated, actor, error'
const insert =
  `INSERT INTO thence_jobs (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?) ` +
  'ON CONFLICT DO NOTHING'
const update =
  'UPDATE thence_jobs SET kind = ?, state = ?, spec = ?, progress = ?, total = ?, next = ?, version = version + 1, ' +
  'created = ?, updated = ?, actor = ?, error = ? WHERE id = ? AND version = ?'
const select = `SELECT ${columns} FROM thence_jobs`
const selectOne = `${select} WHERE id = ?`
// The plus keeps the states from an index: the rows come by time, and nearly all of them have ended.
const remove =
  'DELETE FROM thence_jobs WHERE id IN (SELECT id FROM thence_jobs ' +
  "WHERE +state IN ('done', 'stopped', 'cancelled') AND updated < ? ORDER BY updated, id LIMIT ?)"

type Row = readonly [
  id: string,
  kind: string,
  state: JobState,
  spec: string,
  progress: string,
  total: number | null,
  next: number,
  version: number,
  created: number,
  updated: number,
  actor: string,
  error: string | null,
]

const decode = (row: Row): Job => ({
  id: row[0],
  kind: row[1],
  state: row[2],
  spec: row[3],
  progress: row[4],
  total: row[5],
  next: row[6],
  version: row[7],
  created: row[8],
  updated: row[9],
  actor: row[10],
  error: row[11],
})

export class SqliteJobs implements Jobs {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  save(job: Job, expected: number): boolean {
    const { id, kind, state, spec, progress, total, next, created, updated, actor, error } = job
    const connection = this.#scope.change()
    const before = [kind, state, spec, progress, total, next] as const
    const behind = [created, updated, actor, error] as const
    if (expected === 0) return connection.run(insert, id, ...before, ...behind) === 1
    return connection.run(update, ...before, ...behind, id, expected) === 1
  }

  get(id: string): Job | undefined {
    const row = this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  list({ kind, state, before, limit }: JobFilter): readonly Job[] {
    const wanted = [
      ['id > ?', ''],
      ['state = ?', state],
      ['kind = ?', kind],
      ['id < ?', before],
    ].filter((one): one is [string, string] => one[1] !== undefined)
    const where = wanted.map(([text]) => text).join(' AND ')
    const values = wanted.map(([, value]) => value)
    return this.#scope
      .use()
      .all<Row>(`${select} WHERE ${where} ORDER BY id DESC LIMIT ?`, ...values, limit)
      .map(decode)
  }

  trim(before: number, limit: number): number {
    return this.#scope.change().run(remove, before, limit)
  }
}
