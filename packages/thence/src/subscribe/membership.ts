/**
 * This process among others: it tells that it is alive, sees who else is, takes the leases of the partitions that are its
 * share, and hands over those that are not, one by one, while everything else goes on.
 */
import { Rounds } from '../internal/rounds.ts'
import type { Signals } from '../observe/signals.ts'
import { Upkeep } from '../observe/upkeep.ts'
import type { Member } from '../ports/leases.ts'
import type { Store } from '../store/store.ts'
import { assign, leaseName } from './assign.ts'
import { Departures } from './departures.ts'
import { isDividedAs, undivided } from './division.ts'
import type { Seen } from './look.ts'
import { look } from './look.ts'
import { Pulse } from './pulse.ts'
import type { Subscription } from './subscription.ts'

/** How often, in milliseconds, a process looks whether its share has changed; more often where leases are short. */
const lookEvery = 1000

export interface MembershipOptions {
  /** How long a process counts as alive after it was last heard of, in milliseconds. */
  readonly leaseTime: number
  /** What this process can run at the moment: always its parts, and what belongs to them for a while. */
  readonly subscriptions: () => readonly Subscription[]
  /** Finds out, before each look, what there is to run. */
  readonly discover: () => Promise<void>
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
  readonly #parts: readonly string[]
  readonly #me: Pick<Member, 'id' | 'name'>
  readonly #pulse: Pulse
  readonly #upkeep: Upkeep
  readonly #departures: Departures
  readonly #rounds: Rounds
  /** `ending`: it takes nothing new, and is heard of as long as anything runs. */
  #phase: 'out' | 'in' | 'ending' = 'out'
  /** That it is ending. */
  #isTold = false

  constructor(
    parts: readonly string[],
    store: Store,
    { signals, ...options }: MembershipOptions & { readonly signals: Signals },
  ) {
    this.#options = options
    this.#store = store
    this.#signals = signals
    this.#upkeep = new Upkeep(signals, 'membership')
    const { runtime } = store.tools
    const id = runtime.id()
    this.#parts = parts
    this.#me = { id, name: runtime.peers?.name ?? id }
    const me = () => ({ ...this.#me, runs: this.#phase === 'ending' ? [] : this.#runs })
    this.#pulse = new Pulse(store, { leaseTime: options.leaseTime, me })
    this.#departures = new Departures(store, { signals, owner: id, dropped: () => this.hurry() })
    this.#rounds = new Rounds(
      (delay, callback) => runtime.after(delay, callback),
      () => this.#round(),
    )
  }

  /** This process, as others see it. */
  get member(): Pick<Member, 'id' | 'name'> {
    return this.#me
  }

  /** Takes part: everything that nobody else runs is running when it resolves. */
  async join(): Promise<void> {
    this.#phase = 'in'
    await this.#look()
    this.#pulse.start()
    this.#rounds.start(this.#pause)
  }

  /**
   * Takes nothing new from now on, which others see. What runs goes on under its lease; a lease under which nothing runs
   * any more is given back while the others are held.
   */
  async retire(): Promise<void> {
    this.#phase = 'ending'
    await this.#rounds.stop()
    // It may have left meanwhile.
    if (this.#phase === 'ending') this.#rounds.start()
  }

  /**
   * Tells that this process is gone and gives back all its leases; others take over at once.
   * @param deadline resolves when what is still under way is waited for no longer.
   */
  async leave(deadline: Promise<void>): Promise<void> {
    this.#phase = 'out'
    const ends = [this.#rounds.stop(), this.#departures.ended()]
    await Promise.race([Promise.all(ends), deadline])
    await this.#pulse.stop()
    await this.#store
      .transact(({ transaction }) => transaction.leases.leave(this.#me.id))
      // Then they are free when its time is over.
      .catch(() => undefined)
  }

  /** Looks now, or again if it is just looking, and not only at the next time. */
  hurry(): void {
    this.#store.tools.runtime.soon(() => this.#rounds.wake())
  }

  /** Milliseconds between two looks. */
  get #pause(): number {
    return Math.min(lookEvery, this.#pulse.every)
  }

  async #round(): Promise<number> {
    try {
      await this.#look()
      this.#upkeep.done()
    } catch (error) {
      // The next look tries again.
      this.#upkeep.failed(error)
    }
    return this.#pause
  }

  async #look(): Promise<void> {
    if (this.#phase !== 'in') return this.#giveBack()
    await this.#pulse.beat()
    await this.#options.discover()
    const seen = await look(this.#store, this.#options.subscriptions())
    if (!seen.members.some(({ id }) => id === this.#me.id)) {
      // So long did the store let us wait: first be heard of again, then see whether anyone took over.
      await this.#pulse.again()
      return this.#look()
    }
    const gone = seen.members.filter(({ name }) => this.#isGone(name))
    if (gone.length > 0) {
      await this.#store.transact(async ({ transaction: { leases } }) => {
        for (const { id } of gone) await leases.leave(id)
      })
      return this.#look()
    }
    const subscriptions = this.#options.subscriptions()
    for (const subscription of subscriptions) this.#observe(subscription, seen)
    if (this.#hasChanged(seen)) {
      // Who runs what follows from what each can run: the others have to know first.
      await this.#pulse.again()
      return this.#look()
    }
    const missing = subscriptions.flatMap((subscription) => this.#compare(subscription, seen))
    await this.#change(missing, this.#idle(seen.leases, missing))
  }

  /** Tells that it takes nothing more, once, and frees the leases of what has ended. */
  async #giveBack(): Promise<void> {
    await (this.#isTold ? this.#pulse.beat() : this.#pulse.again())
    this.#isTold = true
    const list = await this.#store.read(({ leases }) => leases.list(), { apart: true })
    const idle = this.#idle(new Map(list.map((lease) => [lease.name, lease])), [])
    if (idle.length === 0) return
    await this.#store.transact(async ({ transaction: { leases } }) => {
      for (const name of idle) await leases.release(name, this.#me.id)
    })
  }

  /** Leases of its own under which nothing runs, nor should: left over when partitions were divided anew. */
  #idle(leases: Seen['leases'], missing: readonly Wanted[]): readonly string[] {
    const used = new Set([
      ...missing.map(({ subscription, partition }) => leaseOf(subscription, partition)),
      ...this.#options
        .subscriptions()
        .flatMap((subscription) =>
          subscription.running
            .filter(({ ended }) => !ended)
            .map(({ hold }) => leaseOf(subscription, hold.partition)),
        ),
    ])
    const own = [...leases.values()].filter(({ owner }) => owner === this.#me.id)
    return own.map(({ name }) => name).filter((name) => !used.has(name))
  }

  /** What this process can run: all of its parts but those that take more types by now, or go by another key. */
  get #runs(): readonly string[] {
    const subscriptions = this.#options.subscriptions()
    const unable = new Set(subscriptions.filter(({ isFit }) => !isFit).map(({ name }) => name))
    return this.#parts.filter((part) => !unable.has(part))
  }

  /** Whether it can run something else than others believe. */
  #hasChanged({ members }: Seen): boolean {
    const told = members.find(({ id }) => id === this.#me.id)?.runs ?? []
    return told.join() !== this.#runs.join()
  }

  #isGone(name: string): boolean {
    const { peers } = this.#store.tools.runtime
    return name !== this.#me.name && peers !== undefined && peers.isGone(name)
  }

  /** Ends what is no longer right: another division, or a lease that was lost. */
  #observe(
    subscription: Subscription,
    { divisions, leases, checkpoints, settings, revisions }: Seen,
  ): void {
    const { name } = subscription
    if (subscription.revision === revisions.get(subscription))
      subscription.set(settings.get(name) ?? {})
    const stored = checkpoints.filter((one) => one.subscription === name)
    const isOld = subscription.observe(divisions.get(name) ?? undivided, stored)
    for (const partition of subscription.running) {
      const lease = leases.get(leaseOf(subscription, partition.hold.partition))
      const isLost = lease?.owner !== this.#me.id || lease.epoch !== partition.hold.epoch
      if (isOld || isLost || partition.fenced) this.#departures.drop(subscription, partition)
    }
  }

  /** Hands over what is another's share; gives what is its own and does not run. */
  #compare(subscription: Subscription, { members, leases }: Seen): readonly Wanted[] {
    const { name, division, running } = subscription
    // First all of it ends that is not right any more.
    if (running.some((partition) => this.#departures.isDropping(partition))) return []
    const { part = name } = subscription.options
    const able = members.filter(({ runs }) => runs.includes(part)).map(({ id }) => id)
    const shares = assign(name, division.partitions, able)
    const here = new Map(running.map((partition) => [partition.hold.partition, partition]))
    const alive = new Set(members.map(({ id }) => id))
    return shares.flatMap((member, index) => {
      const partition = here.get(index)
      if (partition !== undefined) {
        if (member === this.#me.id) this.#departures.keep(partition)
        else this.#departures.handOver(subscription, partition)
        return []
      }
      const owner = leases.get(leaseOf(subscription, index))?.owner ?? null
      const isTaken = owner !== null && owner !== this.#me.id && alive.has(owner)
      return member === this.#me.id && !isTaken ? [{ subscription, partition: index }] : []
    })
  }

  async #change(missing: readonly Wanted[], idle: readonly string[]): Promise<void> {
    if (missing.length + idle.length === 0 || this.#phase !== 'in') return
    const taken = await this.#store.transact(async ({ transaction }) => {
      const { leases, checkpoints } = transaction
      const holds = []
      const lacking = []
      for (const name of idle) await leases.release(name, this.#me.id)
      for (const { subscription, partition } of missing) {
        // It may have been divided anew since it was looked at: then the next look takes what is right.
        if (!(await isDividedAs(transaction, subscription))) continue
        const { isWanted, onTake } = subscription.options
        if (isWanted !== undefined && !(await isWanted(transaction))) continue
        const lease = await leases.take(leaseOf(subscription, partition), this.#me.id)
        if (lease === undefined) continue
        const hold = { partition, epoch: lease.epoch }
        const { position } = await checkpoints.claim(subscription.name, hold)
        holds.push({ subscription, hold })
        const one = await onTake?.(transaction, position)
        if (one !== undefined) lacking.push(one)
      }
      return { holds, lacking }
    })
    for (const one of taken.lacking) this.#signals.emit({ name: 'types-gained', ...one })
    for (const { subscription, hold } of taken.holds) {
      // The process may have begun to end meanwhile: then it gives back what it has just taken.
      if (this.#phase !== 'in') return
      await subscription.begin(hold)
      this.#signals.emit({ name: 'lease-taken', subscription: subscription.name, ...hold })
    }
  }
}
