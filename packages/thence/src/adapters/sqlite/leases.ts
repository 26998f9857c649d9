/**
 * Members and leases in SQLite; see ports/leases.ts. The processes share one machine, so the clock of each is the
 * database's clock.
 */
import type { Lease, Leases, Member } from '../../ports/leases.ts'
import type { Scope } from './scope.ts'

const forget = 'DELETE FROM thence_members WHERE until <= ?'
const keep =
  'INSERT INTO thence_members (id, name, runs, started, until) VALUES (?, ?, ?, ?, ?) ' +
  'ON CONFLICT (id) DO UPDATE SET name = excluded.name, runs = excluded.runs, until = excluded.until'
const remove = 'DELETE FROM thence_members WHERE id = ?'
const freeAll = 'UPDATE thence_leases SET owner = NULL WHERE owner = ?'
const selectAlive =
  'SELECT id, name, runs, started, until FROM thence_members WHERE until > ? ORDER BY id'
const isAlive = 'SELECT 1 FROM thence_members WHERE id = ? AND until > ?'
const selectOne = 'SELECT name, owner, epoch FROM thence_leases WHERE name = ?'
const selectAll = 'SELECT name, owner, epoch FROM thence_leases ORDER BY name'
const give =
  'INSERT INTO thence_leases (name, owner, epoch) VALUES (?, ?, ?) ' +
  'ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch'
const free = 'UPDATE thence_leases SET owner = NULL WHERE name = ? AND owner = ?'

type LeaseRow = readonly [name: string, owner: string | null, epoch: number]
type MemberRow = readonly [id: string, name: string, runs: string, started: number, until: number]

const decode = ([name, owner, epoch]: LeaseRow): Lease => ({ name, owner, epoch })

export class SqliteLeases implements Leases {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  beat(
    { id, name, runs }: Pick<Member, 'id' | 'name' | 'runs'>,
    duration: number,
  ): readonly Member[] {
    const connection = this.#scope.change()
    const now = this.#scope.runtime.now()
    connection.run(forget, now)
    connection.run(keep, id, name, JSON.stringify(runs), now, now + duration)
    return this.members()
  }

  leave(member: string): void {
    const connection = this.#scope.change()
    connection.run(remove, member)
    connection.run(freeAll, member)
  }

  take(name: string, member: string): Lease | undefined {
    const connection = this.#scope.change()
    if (!this.#isAlive(member)) return undefined
    const row = connection.get<LeaseRow>(selectOne, name)
    const lease = row === undefined ? { name, owner: null, epoch: 0 } : decode(row)
    if (lease.owner === member) return lease
    if (lease.owner !== null && this.#isAlive(lease.owner)) return undefined
    connection.run(give, name, member, lease.epoch + 1)
    return { name, owner: member, epoch: lease.epoch + 1 }
  }

  release(name: string, member: string): boolean {
    return this.#scope.change().run(free, name, member) === 1
  }

  members(): readonly Member[] {
    const rows = this.#scope.use().all<MemberRow>(selectAlive, this.#scope.runtime.now())
    return rows.map(([id, name, runs, started, until]) => ({
      id,
      name,
      runs: JSON.parse(runs) as string[],
      started,
      until,
    }))
  }

  list(): readonly Lease[] {
    return this.#scope.use().all<LeaseRow>(selectAll).map(decode)
  }

  #isAlive(member: string): boolean {
    return this.#scope.use().get(isAlive, member, this.#scope.runtime.now()) !== undefined
  }
}
