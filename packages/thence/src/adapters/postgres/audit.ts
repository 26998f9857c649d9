/**
 * The audit log in PostgreSQL; see ports/audit.ts.
 */
import type { Audit, AuditEntry, AuditFilter } from '../../ports/audit.ts'
import type { Scope } from './scope.ts'

const columns = 'id, time, actor, action, target, details, reason'
const insert = `INSERT INTO thence.audit (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
const select = `SELECT ${columns} FROM thence.audit WHERE`
const remove =
  'DELETE FROM thence.audit WHERE id IN (' +
  'SELECT id FROM thence.audit WHERE time < $1 ORDER BY time, id LIMIT $2)'

type Row = readonly [string, number, string, string, string, string, string | null]

const decode = (row: Row): AuditEntry => ({
  id: row[0],
  time: row[1],
  actor: row[2],
  action: row[3],
  target: row[4],
  details: row[5],
  reason: row[6],
})

export class PostgresAudit implements Audit {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async add({ id, time, actor, action, target, details, reason }: AuditEntry): Promise<void> {
    await this.#scope.change().run(insert, id, time, actor, action, target, details, reason)
  }

  async list(filter: AuditFilter): Promise<readonly AuditEntry[]> {
    const { target, action, after = '', before, limit } = filter
    const wanted = [
      ['target =', target],
      ['action =', action],
      ['id >', after],
      ['id <', before],
    ].filter((one): one is [string, string] => one[1] !== undefined)
    const where = wanted.map(([text], index) => `${text} $${index + 2}`).join(' AND ')
    const order = `ORDER BY id${filter.backwards === true ? ' DESC' : ''} LIMIT $1`
    const values = wanted.map(([, value]) => value)
    const rows = await this.#scope.use().all<Row>(`${select} ${where} ${order}`, limit, ...values)
    return rows.map(decode)
  }

  async trim(before: number, limit: number): Promise<number> {
    return this.#scope.change().run(remove, before, limit)
  }
}
