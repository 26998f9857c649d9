/**
 * This process among others: it tells that it is alive, sees who else is, takes the leases of the partitions that are its
 * share, and hands over those that are not, one by one, while everything else goes on.
 */
import type { Signals } from '../observe/signals.ts'
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Lease, Member } from '../ports/leases.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Store } from '../store/store.ts'
import { assign, leaseName } from './assign.ts'
import type { Division } from './division.ts'
import { allDivisions, isDividedAs, undivided } from './division.ts'
import type { Partition } from './partition.ts'
import type { SubscriptionSettings } from './settings.ts'
import { allSettings } from './settings.ts'
import type { Subscription } from './subscription.ts'

/** How often, in milliseconds, a process looks whether its share has changed; more often where leases are short. */
const lookEvery = 1000
/** A process is heard of so many times before it would count as gone. */
const beats = 4

export interface MembershipOptions {
  /** How long a process counts as alive after it was last heard of, in milliseconds. */
  readonly leaseTime: number
  /** What this process can run at the moment: always its parts, and what belongs to them for a while. */
  readonly subscriptions: () => readonly Subscription[]
  /** Finds out, before each look, what there is to run. */
  readonly discover: () => Promise<void>
}

interface Seen {
  readonly members: readonly Member[]
  readonly leases: ReadonlyMap<string, Lease>
  readonly divisions: ReadonlyMap<string, Division>
  readonly checkpoints: readonly Checkpoint[]
  readonly settings: ReadonlyMap<string, SubscriptionSettings>
  /** Of each subscription, before this was read. */
  readonly revisions: ReadonlyMap<Subscription, number>
}

/** A partition that this process should run and doesn't. */
interface Wanted {
  readonly subscription: Subscription
  readonly partition: number
}

const leaseOf = ({ name }: Subscription, partition: number): string => leaseName(name, partition)

export class Membership {
  readonly #options: MembershipOptions
  readonly #store: Store
  readonly #signals: Signals
  readonly #me: Pick<Member, 'id' | 'name' | 'runs'>
  readonly #leaving = new Map<Partition, Promise<void>>()
  #heard = -Infinity
  #cancel: Cancel = () => undefined
  #looking: Promise<void> = Promise.resolve()
  #left = true
  #busy = false
  #hurried = false

  constructor(
    parts: readonly string[],
    store: Store,
    { signals, ...options }: MembershipOptions & { readonly signals: Signals },
  ) {
    this.#options = options
    this.#store = store
    this.#signals = signals
    const { runtime } = store.tools
    const id = runtime.id()
    this.#me = { id, name: runtime.peers?.name ?? id, runs: parts }
  }

  /** This process, as others see it. */
  get member(): Pick<Member, 'id' | 'name'> {
    return this.#me
  }

  /** Takes part: everything that nobody else runs is running when it resolves. */
  async join(): Promise<void> {
    this.#left = false
    this.#busy = true
    await this.#look()
    this.#busy = false
    this.#plan()
  }

  /** Looks at nothing any more; what runs goes on. */
  async pause(): Promise<void> {
    this.#left = true
    this.#cancel()
    await this.#looking
    await Promise.all(this.#leaving.values())
  }

  /** Tells that this process is gone and gives back all its leases; others take over at once. */
  async leave(): Promise<void> {
    await this.pause()
    await this.#store
      .transact(({ transaction }) => transaction.leases.leave(this.#me.id))
      // Then they are free when its time is over.
      .catch(() => undefined)
  }

  /** Looks now, or again if it is just looking, and not only at the next time. */
  hurry(): void {
    this.#hurried = true
    if (this.#busy) return
    this.#cancel()
    this.#plan()
  }

  #plan(): void {
    if (this.#left) return
    const { runtime } = this.#store.tools
    if (this.#hurried) runtime.soon(() => this.#lookAndPlan())
    else {
      const pause = Math.min(lookEvery, this.#options.leaseTime / beats)
      this.#cancel = runtime.after(pause, () => this.#lookAndPlan())
    }
  }

  #lookAndPlan(): void {
    if (this.#left || this.#busy) return
    this.#busy = true
    this.#hurried = false
    this.#looking = this.#look()
      // The subscriptions meet the same failure and tell it; the next look tries again.
      .catch(() => undefined)
      .finally(() => {
        this.#busy = false
        this.#plan()
      })
  }

  async #look(): Promise<void> {
    await this.#options.discover()
    await this.#beat()
    const seen = await this.#read()
    if (!seen.members.some(({ id }) => id === this.#me.id)) {
      // So long did the store let us wait: first be heard of again, then see whether anyone took over.
      this.#heard = -Infinity
      return this.#look()
    }
    const gone = seen.members.filter(({ name }) => this.#isGone(name))
    if (gone.length > 0) {
      await this.#store.transact(async ({ transaction: { leases } }) => {
        for (const { id } of gone) await leases.leave(id)
      })
      return this.#look()
    }
    const missing: Wanted[] = []
    for (const subscription of this.#options.subscriptions()) {
      await this.#observe(subscription, seen)
      missing.push(...this.#compare(subscription, seen))
    }
    await this.#change(missing, this.#idle(seen, missing))
  }

  /** Leases of its own under which nothing runs, nor should: left over when partitions were divided anew. */
  #idle({ leases }: Seen, missing: readonly Wanted[]): readonly string[] {
    const used = new Set([
      ...missing.map(({ subscription, partition }) => leaseOf(subscription, partition)),
      ...this.#options
        .subscriptions()
        .flatMap((subscription) =>
          subscription.running.map(({ hold }) => leaseOf(subscription, hold.partition)),
        ),
    ])
    const own = [...leases.values()].filter(({ owner }) => owner === this.#me.id)
    return own.map(({ name }) => name).filter((name) => !used.has(name))
  }

  async #beat(): Promise<void> {
    const now = this.#store.tools.runtime.now()
    if (Math.abs(now - this.#heard) < this.#options.leaseTime / beats - 1) return
    await this.#store.transact(({ transaction }) =>
      transaction.leases.beat(this.#me, this.#options.leaseTime),
    )
    this.#heard = now
  }

  #isGone(name: string): boolean {
    const { peers } = this.#store.tools.runtime
    return name !== this.#me.name && peers !== undefined && peers.isGone(name)
  }

  #read(): Promise<Seen> {
    const revisions = new Map(this.#options.subscriptions().map((one) => [one, one.revision]))
    return this.#store.read(async (transaction) => {
      const { leases, checkpoints } = transaction
      return {
        members: await leases.members(),
        leases: new Map((await leases.list()).map((lease) => [lease.name, lease])),
        divisions: await allDivisions(transaction),
        checkpoints: await checkpoints.list(),
        settings: await allSettings(transaction),
        revisions,
      }
    })
  }

  /** Ends what is no longer right: another division, or a lease that was lost. */
  async #observe(
    subscription: Subscription,
    { divisions, leases, checkpoints, settings, revisions }: Seen,
  ): Promise<void> {
    const { name } = subscription
    if (subscription.revision === revisions.get(subscription))
      subscription.set(settings.get(name) ?? {})
    const stored = checkpoints.filter((one) => one.subscription === name)
    const isOld = subscription.observe(divisions.get(name) ?? undivided, stored)
    for (const partition of subscription.running) {
      const lease = leases.get(leaseOf(subscription, partition.hold.partition))
      const isLost = lease?.owner !== this.#me.id || lease.epoch !== partition.hold.epoch
      if (!isOld && !isLost && !partition.fenced) continue
      await partition.reload().catch(() => undefined)
      await subscription.end(partition, Promise.resolve())
    }
  }

  /** Hands over what is another's share; gives what is its own and does not run. */
  #compare(subscription: Subscription, { members, leases }: Seen): readonly Wanted[] {
    const { name, division, running } = subscription
    const { part = name } = subscription.options
    const able = members.filter(({ runs }) => runs.includes(part)).map(({ id }) => id)
    const shares = assign(name, division.partitions, able)
    const here = new Map(running.map((partition) => [partition.hold.partition, partition]))
    const alive = new Set(able)
    return shares.flatMap((member, index) => {
      const partition = here.get(index)
      if (partition !== undefined) {
        if (member !== this.#me.id) this.#handOver(subscription, partition)
        return []
      }
      const owner = leases.get(leaseOf(subscription, index))?.owner ?? null
      const isTaken = owner !== null && owner !== this.#me.id && alive.has(owner)
      return member === this.#me.id && !isTaken ? [{ subscription, partition: index }] : []
    })
  }

  #handOver(subscription: Subscription, partition: Partition): void {
    if (this.#leaving.has(partition)) return
    const lease = leaseOf(subscription, partition.hold.partition)
    // One of its own each time: what waits for a promise that lives on would live on with it.
    const noDeadline = new Promise<void>(() => undefined)
    const done = subscription
      .end(partition, noDeadline)
      .then(() =>
        this.#store.transact(({ transaction }) => transaction.leases.release(lease, this.#me.id)),
      )
      .then(() => this.#tell('lease-released', subscription, partition.hold))
      // It stays ours until it is taken back at the next look, or our time is over.
      .catch(() => undefined)
      .finally(() => this.#leaving.delete(partition))
    this.#leaving.set(partition, done)
  }

  async #change(missing: readonly Wanted[], idle: readonly string[]): Promise<void> {
    if (missing.length + idle.length === 0) return
    const taken = await this.#store.transact(async ({ transaction }) => {
      const { leases, checkpoints } = transaction
      const holds = []
      for (const name of idle) await leases.release(name, this.#me.id)
      for (const { subscription, partition } of missing) {
        // It may have been divided anew since it was looked at: then the next look takes what is right.
        if (!(await isDividedAs(transaction, subscription))) continue
        const { isWanted } = subscription.options
        if (isWanted !== undefined && !(await isWanted(transaction))) continue
        const lease = await leases.take(leaseOf(subscription, partition), this.#me.id)
        if (lease === undefined) continue
        const hold = { partition, epoch: lease.epoch }
        await checkpoints.claim(subscription.name, hold)
        holds.push({ subscription, hold })
      }
      return holds
    })
    for (const { subscription, hold } of taken) {
      await subscription.begin(hold)
      this.#tell('lease-taken', subscription, hold)
    }
  }

  #tell(
    name: 'lease-taken' | 'lease-released',
    subscription: Subscription,
    { partition, epoch }: Partition['hold'],
  ): void {
    const told = { subscription: subscription.name, partition, epoch }
    if (name === 'lease-taken') this.#signals.emit({ name, ...told })
    else this.#signals.emit({ name, ...told })
  }
}
