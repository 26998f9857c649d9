/**
 * Jobs in PostgreSQL; see ports/jobs.ts.
 */
import type { Job, JobFilter, Jobs, JobState } from '../../ports/jobs.ts'
import type { Scope } from './scope.ts'

const columns =
  'id, kind, state, spec, progress, total, next, version, created, updated, actor, error'
const insert =
  `INSERT INTO thence.jobs (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $11) ` +
  'ON CONFLICT DO NOTHING'
const update =
  'UPDATE thence.jobs SET kind = $2, state = $3, spec = $4, progress = $5, total = $6, next = $7, version = version + 1, ' +
  'created = $8, updated = $9, actor = $10, error = $11 WHERE id = $1 AND version = $12'
const select = `SELECT ${columns} FROM thence.jobs`
const selectOne = `${select} WHERE id = $1`
const remove =
  'DELETE FROM thence.jobs WHERE id IN (SELECT id FROM thence.jobs ' +
  "WHERE state IN ('done', 'stopped', 'cancelled') AND updated < $1 ORDER BY updated, id LIMIT $2)"

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

export class PostgresJobs implements Jobs {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async save(job: Job, expected: number): Promise<boolean> {
    const { id, kind, state, spec, progress, total, next, created, updated, actor, error } = job
    const connection = this.#scope.change()
    const row = [id, kind, state, spec, progress, total, next, created, updated, actor, error]
    if (expected === 0) return (await connection.run(insert, ...row)) === 1
    return (await connection.run(update, ...row, expected)) === 1
  }

  async get(id: string): Promise<Job | undefined> {
    const row = await this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  async list({ kind, state, before, limit }: JobFilter): Promise<readonly Job[]> {
    const wanted = [
      ['id >', ''],
      ['state =', state],
      ['kind =', kind],
      ['id <', before],
    ].filter((one): one is [string, string] => one[1] !== undefined)
    const where = wanted.map(([text], index) => `${text} $${index + 2}`).join(' AND ')
    const values = wanted.map(([, value]) => value)
    const text = `${select} WHERE ${where} ORDER BY id DESC LIMIT $1`
    return (await this.#scope.use().all<Row>(text, limit, ...values)).map(decode)
  }

  async trim(before: number, limit: number): Promise<number> {
    return this.#scope.change().run(remove, before, limit)
  }
}
