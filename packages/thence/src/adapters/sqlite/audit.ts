/**
 * The audit log in SQLite; see ports/audit.ts.
 */
import type { Audit, AuditEntry, AuditFilter } from '../../ports/audit.ts'
import type { Scope } from './scope.ts'

const columns = 'id, time, actor, action, target, details, reason'
const insert = `INSERT INTO thence_audit (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
const select = `SELECT ${columns} FROM thence_audit WHERE`
const remove =
  'DELETE FROM thence_audit WHERE id IN (' +
  'SELECT id FROM thence_audit WHERE time < ? ORDER BY time, id LIMIT ?)'

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

export class SqliteAudit implements Audit {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  add({ id, time, actor, action, target, details, reason }: AuditEntry): void {
    this.#scope.change().run(insert, id, time, actor, action, target, details, reason)
  }

  list(filter: AuditFilter): readonly AuditEntry[] {
    const { target, action, after = '', before, limit } = filter
    const wanted = [
      ['target = ?', target],
      ['action = ?', action],
      ['id > ?', after],
      ['id < ?', before],
    ].filter((one): one is [string, string] => one[1] !== undefined)
    const where = wanted.map(([text]) => text).join(' AND ')
    const order = `ORDER BY id${filter.backwards === true ? ' DESC' : ''} LIMIT ?`
    const values = wanted.map(([, value]) => value)
    return this.#scope
      .use()
      .all<Row>(`${select} ${where} ${order}`, ...values, limit)
      .map(decode)
  }

  trim(before: number, limit: number): number {
    return this.#scope.change().run(remove, before, limit)
  }
}
