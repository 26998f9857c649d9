/**
 * Everything of an app that runs: its subscriptions, its timers, and the looks that notice what other processes did.
 */
import { executeIn, streamOf } from '../decide/execute.ts'
import type { Aggregate } from '../decide/aggregate.ts'
import type { Classify } from '../handle/classify.ts'
import { retryPolicy } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import { Upkeep } from '../observe/upkeep.ts'
import type { Transaction } from '../ports/database.ts'
import type { Member } from '../ports/leases.ts'
import { follow } from '../project/follow.ts'
import { builtBeside } from '../project/versions.ts'
import { sagaSubscription } from '../saga/run.ts'
import { TimerClock } from '../schedule/clock.ts'
import type { Store } from '../store/store.ts'
import { commandSubscription } from '../subscribe/command-sink.ts'
import type { Gained } from '../subscribe/division.ts'
import { divide } from '../subscribe/division.ts'
import { handlerSubscription } from '../subscribe/handler-sink.ts'
import { Membership } from '../subscribe/membership.ts'
import { Subscription } from '../subscribe/subscription.ts'
import type { SubscriptionOptions } from '../subscribe/options.ts'
import { JobRunner } from './jobs.ts'
import { behindHistory } from './history.ts'
import { Idle } from './idle.ts'
import { LogEnd } from './log-end.ts'
import { Looks } from './looks.ts'
import { recordParts } from './part-records.ts'
import type { Parts } from './parts.ts'
import { Rebuilds } from './rebuilds.ts'
import { redriveJob } from './redrive-job.ts'
import type { Replayable } from './replay-job.ts'
import { replayJob } from './replay-job.ts'
import { prepareViews, rebuildIfAsked, takeInline } from './views.ts'

/** How often, in milliseconds, a process looks for what an operator asked. */
const tidyEvery = 1000

const commands = (aggregate: Aggregate, store: Store): SubscriptionOptions =>
  commandSubscription({
    name: aggregate.name,
    types: [...aggregate.decide.keys()],
    key: (command) => streamOf(aggregate, command),
    keyVersion: aggregate.keyVersion,
    retry: retryPolicy(`Aggregate ${aggregate.name}`),
    partitions: aggregate.partitions,
    decide: async (writer, command) => {
      const once = { consumer: aggregate.name, id: command.id }
      await executeIn(writer, { aggregate, command, once }, store.tools)
    },
  })

export interface EngineOptions {
  readonly signals: Signals
  /** How long a process counts as alive after it was last heard of, in milliseconds. */
  readonly leaseTime: number
  /** Asked after a handler's own rule what kind of failure an error stands for. */
  readonly classify?: Classify | undefined
}

export class Engine {
  readonly #parts: Parts
  readonly #store: Store
  readonly #signals: Signals
  readonly #clock: TimerClock
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #membership: Membership
  readonly #jobs: JobRunner
  readonly #upkeep: Upkeep
  readonly #looks: Looks
  /** Views that are built beside the ones that serve. */
  readonly rebuilds: Rebuilds
  readonly #end = new LogEnd()
  #tidied = 0
  #unlisten: () => void = () => undefined
  #stopped = true

  constructor(parts: Parts, store: Store, options: EngineOptions) {
    const { signals } = options
    this.#parts = parts
    this.#store = store
    this.#signals = signals
    this.#upkeep = new Upkeep(signals, 'poll')
    this.#looks = new Looks(store, {
      signals,
      look: () => this.#poll(),
      heard: (head) => this.#heard(head),
    })
    this.#clock = new TimerClock(store, signals, parts.schedules)
    const { tools } = store
    const all = [
      ...parts.aggregates.map((aggregate) => commands(aggregate, store)),
      ...parts.sagas.map((saga) =>
        sagaSubscription(saga, tools, { signals, onTimer: () => this.#clock.wake() }),
      ),
      ...parts.handlers.map((handler) => handlerSubscription(handler, tools)),
      ...parts.projections.filter(({ inline }) => !inline).map(follow),
    ]
    const common = options.classify === undefined ? [] : [options.classify]
    const subscribe = (one: SubscriptionOptions): Subscription =>
      new Subscription({ ...one, rules: [...(one.rules ?? []), ...common] }, store, signals)
    for (const one of all) this.#subscriptions.set(one.name, subscribe(one))
    this.rebuilds = new Rebuilds(parts.projections, store, {
      signals,
      subscribe,
      head: () => this.head,
      switched: (projection) => this.#switched(projection),
    })
    const names = parts.projections.map(({ name }) => name)
    this.#membership = new Membership([...this.#subscriptions.keys(), ...names], store, {
      ...options,
      subscriptions: () => this.#all,
      discover: () => this.rebuilds.discover(),
    })
    this.#jobs = new JobRunner(store, signals, {
      kinds: [redriveJob, replayJob((name) => this.#replayable(name))],
      advanced: () => this.#tidyAll(),
    })
  }

  get subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions.values()]
  }

  /** This process, as others see it. */
  get member(): Pick<Member, 'id' | 'name'> {
    return this.#membership.member
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Where this process knows that the log goes. */
  get head(): number {
    return this.#end.known
  }

  /** Those of the parts, and those that build views beside the ones that serve. */
  get #all(): readonly Subscription[] {
    return [...this.#subscriptions.values(), ...this.rebuilds.subscriptions]
  }

  subscription(name: string): Subscription | undefined {
    return (
      this.#subscriptions.get(name) ?? this.rebuilds.subscriptions.find((one) => one.name === name)
    )
  }

  /** What is to be built, or is built no more, changed just now. */
  lookAtViews(): void {
    this.#membership.hurry()
  }

  async start(): Promise<void> {
    const { runtime } = this.#store.tools
    await prepareViews(this.#store, this.#parts.projections, this.#signals)
    const { gained, behind } = await this.#store.transact(async ({ transaction }) => {
      const divided = await this.#divide(transaction)
      const came = [...divided, ...(await takeInline(transaction, this.#parts.projections))]
      await recordParts(transaction, this.#parts, runtime.now())
      const all = this.subscriptions.map(({ options }) => options)
      return { gained: came, behind: await behindHistory(transaction, all) }
    })
    for (const one of gained) this.#signals.emit({ name: 'types-gained', ...one })
    for (const one of behind) this.#signals.emit({ name: 'history-truncated', ...one })
    this.#stopped = false
    for (const subscription of this.subscriptions) subscription.start()
    await this.#membership.join()
    this.#unlisten = this.#store.onCommit((commit) => {
      this.#end.committed(commit)
      for (const subscription of this.#all) subscription.offer(commit)
    })
    await this.#clock.start()
    this.#jobs.start()
    this.#looks.start()
  }

  /** Gives the types that came to subscriptions which had begun without them. */
  async #divide(transaction: Transaction): Promise<readonly Gained[]> {
    const views = new Set(this.#parts.projections.map(({ name }) => name))
    const gained: Gained[] = []
    for (const { options } of this.subscriptions) {
      const { name, partitions = 1, from = 'start', types, keyVersion = 1 } = options
      const beside = views.has(name) ? await builtBeside(transaction, name) : []
      const came = await divide(transaction, {
        name,
        partitions,
        from,
        keyVersion,
        beside,
        ...(views.has(name) ? {} : { types }),
      })
      if (came !== undefined) gained.push(came)
    }
    return gained
  }

  /**
   * Views follow the log until `calls` are answered, because they may wait for it; nothing else is begun.
   * @param deadline resolves when what is still in hand is to be given back.
   */
  async stop(deadline: Promise<void>, calls: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#stopped = true
    const inTime = (work: Promise<unknown>): Promise<unknown> => Promise.race([work, deadline])
    const upkeep = Promise.all([
      this.#jobs.stop(),
      this.rebuilds.stop(),
      this.#clock.stop(),
      this.#looks.stop(),
    ])
    await inTime(this.#membership.retire())
    const views = new Set(this.#parts.projections.map(({ name }) => name))
    const stop = (some: readonly Subscription[]): Promise<unknown> =>
      Promise.all(some.map((subscription) => subscription.stop(deadline)))
    for (const view of this.subscriptions) view.endWaits()
    const acting = stop(this.#all.filter(({ name }) => !views.has(name)))
    await inTime(calls)
    await Promise.all([acting, stop(this.subscriptions.filter(({ name }) => views.has(name)))])
    await inTime(upkeep)
    this.#unlisten()
    await this.#membership.leave(deadline)
  }

  #replayable(name: string): Replayable | undefined {
    const handler = this.#parts.handlers.find((one) => one.name === name)
    const subscription = this.#subscriptions.get(name)
    // By another key the rows would not stand where they belong.
    if (handler === undefined || subscription?.isFit !== true) return undefined
    return { replay: handler.replay, item: (stored) => subscription.item(stored) }
  }

  /** There may be something to do for anyone. */
  wake(): void {
    for (const subscription of this.#all) subscription.wake()
  }

  /** A timer was set that may be due soon. */
  timerSet(due = 0): void {
    this.#clock.set(due)
  }

  /** Looks now for what others did, and at the timers, without waiting for the next poll. */
  look(): void {
    this.wake()
    this.#tidyAll()
    this.#clock.wake()
    this.#jobs.wake()
  }

  #tidyAll(): void {
    for (const subscription of this.#all) subscription.askTidy()
  }

  /** See {@link Idle.wait}. */
  idle(signal?: AbortSignal): Promise<void> {
    return new Idle(this.#store, this).wait(signal)
  }

  /** Whoever follows the projection in this process looks at once where it is now. */
  #switched(projection: string): void {
    const subscription = this.#subscriptions.get(projection)
    void subscription?.reload().catch(() => undefined)
    this.lookAtViews()
  }

  #heard(head: number): void {
    if (this.#end.heard(head)) this.wake()
  }

  /** Gives whether others have added to the log. */
  async #poll(): Promise<boolean> {
    let found = false
    try {
      const head = await this.#store.read(({ events }) => events.head(), { apart: true })
      this.#store.saw(head)
      found = this.#end.read(head)
      if (found) this.wake()
      const now = this.#store.tools.runtime.now()
      if (Math.abs(now - this.#tidied) < tidyEvery) return found
      this.#tidied = now
      await this.#tidy()
      this.#upkeep.done()
    } catch (error) {
      // The next poll looks again.
      this.#upkeep.failed(error)
    }
    return found
  }

  async #tidy(): Promise<void> {
    // Timers and jobs are looked at by themselves as often.
    this.#tidyAll()
    for (const projection of this.#parts.projections)
      if (projection.inline && !projection.view.beside)
        await rebuildIfAsked(this.#store, projection)
  }
}
