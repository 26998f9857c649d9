/**
 * Members and leases in PostgreSQL; see ports/leases.ts. Who is alive is judged by the clock of the server.
 */
import type { Lease, Leases, Member } from '../../ports/leases.ts'
import { nowOr } from './clock.ts'
import type { Scope } from './scope.ts'

const forget = `DELETE FROM thence.members WHERE until <= ${nowOr('$1')}`
const keep =
  'INSERT INTO thence.members (id, name, runs, started, until) ' +
  `SELECT $1, $2, $3, now, now + $4 FROM (SELECT ${nowOr('$5')} AS now) AS clock ` +
  'ON CONFLICT (id) DO UPDATE SET name = excluded.name, runs = excluded.runs, until = excluded.until'
const remove = 'DELETE FROM thence.members WHERE id = $1'
const freeAll = 'UPDATE thence.leases SET owner = NULL WHERE owner = $1'
const selectAlive = `SELECT id, name, runs, started, until FROM thence.members WHERE until > ${nowOr('$1')} ORDER BY id`
const selectAll = 'SELECT name, owner, epoch FROM thence.leases ORDER BY name'
const alive = (id: string): string =>
  `EXISTS (SELECT FROM thence.members WHERE id = ${id} AND until > ${nowOr('$3')})`
const take =
  `INSERT INTO thence.leases AS own (name, owner, epoch) SELECT $1, $2, 1 WHERE ${alive('$2')} ` +
  'ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, ' +
  'epoch = CASE WHEN own.owner = excluded.owner THEN own.epoch ELSE own.epoch + 1 END ' +
  `WHERE own.owner IS NULL OR own.owner = excluded.owner OR NOT ${alive('own.owner')} ` +
  'RETURNING name, owner, epoch'
const free = 'UPDATE thence.leases SET owner = NULL WHERE name = $1 AND owner = $2'

type LeaseRow = readonly [name: string, owner: string | null, epoch: number]
type MemberRow = readonly [id: string, name: string, runs: string, started: number, until: number]

const decode = ([name, owner, epoch]: LeaseRow): Lease => ({ name, owner, epoch })

export class PostgresLeases implements Leases {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async beat(
    { id, name, runs }: Pick<Member, 'id' | 'name' | 'runs'>,
    duration: number,
  ): Promise<readonly Member[]> {
    const connection = this.#scope.change()
    const { time } = this.#scope
    await connection.run(forget, time)
    await connection.run(keep, id, name, JSON.stringify(runs), duration, time)
    return this.members()
  }

  async leave(member: string): Promise<void> {
    const connection = this.#scope.change()
    await connection.run(remove, member)
    await connection.run(freeAll, member)
  }

  async take(name: string, member: string): Promise<Lease | undefined> {
    const row = await this.#scope.change().get<LeaseRow>(take, name, member, this.#scope.time)
    return row && decode(row)
  }

  async release(name: string, member: string): Promise<boolean> {
    return (await this.#scope.change().run(free, name, member)) === 1
  }

  async members(): Promise<readonly Member[]> {
    const rows = await this.#scope.use().all<MemberRow>(selectAlive, this.#scope.time)
    return rows.map(([id, name, runs, started, until]) => ({
      id,
      name,
      runs: JSON.parse(runs) as string[],
      started,
      until,
    }))
  }

  async list(): Promise<readonly Lease[]> {
    return (await this.#scope.use().all<LeaseRow>(selectAll)).map(decode)
  }
}
