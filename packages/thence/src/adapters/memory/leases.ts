/** Processes that are alive, and who of them holds which lease. */
import type { Lease, Leases, Member } from '../../ports/leases.ts'
import { byBytes } from './order.ts'
import { frozenCopy, type Journal, Table } from './table.ts'

export class MemoryLeases implements Leases {
  readonly #members: Table<string, Member>
  readonly #leases: Table<string, Lease>
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#members = new Table(journal)
    this.#leases = new Table(journal)
    this.#now = now
  }

  beat(member: Pick<Member, 'id' | 'name' | 'runs'>, duration: number): readonly Member[] {
    const now = this.#now()
    this.#members.deleteWhere(({ until }) => until <= now)
    const started = this.#members.get(member.id)?.started ?? now
    const { id, name, runs } = member
    this.#members.set(id, frozenCopy({ id, name, runs, started, until: now + duration }))
    return this.members()
  }

  leave(member: string): void {
    this.#members.delete(member)
    for (const lease of this.#leases.values())
      if (lease.owner === member) this.#save({ ...lease, owner: null })
  }

  take(name: string, member: string): Lease | undefined {
    if (!this.#isAlive(member)) return undefined
    const lease = this.#leases.get(name) ?? { name, owner: null, epoch: 0 }
    if (lease.owner === member) return lease
    if (lease.owner !== null && this.#isAlive(lease.owner)) return undefined
    return this.#save({ name, owner: member, epoch: lease.epoch + 1 })
  }

  release(name: string, member: string): boolean {
    const lease = this.#leases.get(name)
    if (lease?.owner !== member) return false
    this.#save({ ...lease, owner: null })
    return true
  }

  members(): readonly Member[] {
    return this.#members
      .values()
      .filter(({ id }) => this.#isAlive(id))
      .sort((left, right) => byBytes(left.id, right.id))
  }

  list(): readonly Lease[] {
    return this.#leases.values().sort((left, right) => byBytes(left.name, right.name))
  }

  #isAlive(member: string): boolean {
    return (this.#members.get(member)?.until ?? 0) > this.#now()
  }

  #save(lease: Lease): Lease {
    this.#leases.set(lease.name, Object.freeze(lease))
    return lease
  }
}
