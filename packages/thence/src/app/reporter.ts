/**
 * What a process tells of itself into the store, so that others can see the figures of all processes without talking to
 * any; and what it notices by looking from time to time: how far its subscriptions are behind, and how late its timers run.
 */
import type { Reading } from '../observe/board.ts'
import type { Lag, Meter, Seen, SizeReading } from '../observe/metrics.ts'
import type { Transaction } from '../ports/database.ts'
import type { Member } from '../ports/leases.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../subscribe/subscription.ts'

/** What a process has last told of itself. */
export interface Report extends Reading {
  /** Of its member. */
  readonly name: string
  /** Unix milliseconds, by the clock of the process. */
  readonly time: number
  /** Whether it begins nothing new, and only finishes what it has in hand. */
  readonly stopping?: boolean
  /** Messages that its handlers work on, and calls that it has not answered yet. */
  readonly inHand?: number
}

/** The collection of documents that holds the report of each process, by the id of its member. */
export const reports = '$processes'

/** How often the process looks at its clock, in milliseconds, and at how many of these it reports. */
const lookEvery = 1000
const reportEvery = 5
/** So long a process ends before it says so, in milliseconds: most are done by then. */
const quietEnd = 250
/** At how many of its reports it looks how large the store is: once a minute; and how many rows of a table it counts. */
const sizesEvery = 12
const countedRows = 10_000
/** So many parked letters of one subscription are counted. */
export const mostParked = 10_000

export interface Reporting {
  readonly store: Store
  readonly meter: Meter
  readonly member: Pick<Member, 'id' | 'name'>
  readonly subscriptions: () => readonly Subscription[]
  /** How many calls of the app are not answered yet. */
  readonly calls: () => number
}

const lagOf = async (
  { events, retries, deadLetters }: Transaction,
  { name, position, options: { types } }: Subscription,
  at: { readonly head: number; readonly now: number },
): Promise<Lag> => {
  const { due, queued } = await retries.outlook(name)
  const page = await events.readAll({ query: [{ types }], after: position, limit: 1 })
  const [first] = page.messages
  return {
    subscription: name,
    position,
    behind: first === undefined ? 0 : at.head - first.position + 1,
    behindMs: first === undefined ? 0 : Math.max(0, at.now - first.time),
    due,
    parked: await deadLetters.parkedOf(name, mostParked),
    queued,
  }
}

export class Reporter {
  readonly #of: Reporting
  #lags: readonly Lag[] = []
  #sizes: SizeReading | null = null
  #looks = 0
  #reports = 0
  #cancel: Cancel = () => undefined
  #reporting: Promise<void> = Promise.resolve()
  #stopped = true
  #stopping = false

  constructor(of: Reporting) {
    this.#of = of
  }

  /** What it saw when it looked last: lags at most five seconds ago, sizes at most a minute. */
  get seen(): Seen {
    return { lags: this.#lags, sizes: this.#sizes }
  }

  start(): void {
    this.#stopped = false
    this.#plan()
  }

  /** The process begins nothing new: how much it has in hand is told every second until `stop`. */
  drain(): void {
    if (this.#stopped) return
    this.#stopping = true
    this.#cancel()
    this.#plan(quietEnd)
  }

  /** Its report goes with it. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#cancel()
    await this.#reporting
    const { store, member } = this.#of
    await store
      .transact(({ transaction: { documents } }) => documents.delete(reports, member.id))
      // Then another process, or the next one, removes it.
      .catch(() => undefined)
  }

  #plan(pause = lookEvery): void {
    if (this.#stopped) return
    const { store, meter } = this.#of
    const { runtime } = store.tools
    const planned = runtime.elapsed() + pause
    this.#cancel = runtime.after(pause, () => {
      meter.delayed(Math.max(0, runtime.elapsed() - planned))
      // The first one soon, so that a new process is seen.
      if (this.#stopping || this.#looks % reportEvery === 0)
        this.#reporting = this.#reporting.then(() => this.#report())
      this.#looks += 1
      this.#plan()
    })
  }

  /** A store that fails is told by the subscriptions; the next report tries again. */
  async #report(): Promise<void> {
    const { store, subscriptions } = this.#of
    try {
      const now = store.tools.runtime.now()
      this.#lags = await store.read(async (transaction) => {
        const head = await transaction.events.head()
        const lags: Lag[] = []
        for (const one of subscriptions()) lags.push(await lagOf(transaction, one, { head, now }))
        return lags
      })
      if (this.#reports % sizesEvery === 0)
        this.#sizes = {
          time: now,
          ...(await store.read(({ sizes }) => sizes.read(countedRows))),
        }
      this.#reports += 1
      await store.transact(({ transaction }) => this.#write(transaction, now))
    } catch {
      // See above.
    }
  }

  /** Writes the report of this process and removes those of processes that are gone. */
  async #write({ documents, leases }: Transaction, time: number): Promise<void> {
    const { meter, member, subscriptions, calls } = this.#of
    const handled = subscriptions().reduce((sum, one) => sum + one.inHand, 0)
    const report: Report = {
      name: member.name,
      time,
      stopping: this.#stopping,
      inHand: handled + calls(),
      ...meter.recent(),
    }
    await documents.put(reports, member.id, JSON.stringify(report))
    const alive = new Set((await leases.members()).map(({ id }) => id))
    for (const { key } of await documents.list(reports, { limit: 1000 }))
      if (key !== member.id && !alive.has(key)) await documents.delete(reports, key)
  }
}
