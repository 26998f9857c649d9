/**
 * The database as one life of a process sees it: the real one, behind a network that loses and delays, and behind
 * crashes. What happens at the database happens, whether its caller lives to hear of it or not.
 */
import { ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type {
  Capabilities,
  Database,
  MigrationPlan,
  TransactOptions,
  Transaction,
} from '../../ports/database.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { Life } from './life.ts'
import type { CallStrike, Site } from './schedule.ts'
import type { Network } from './session.ts'
import { lostConnection, never, Session } from './session.ts'
import { lateness, patience, pauseLength, slowness } from './timing.ts'

const unknown = (): ThenceError =>
  new ThenceError(
    'OUTCOME_UNKNOWN',
    'The connection was lost before the answer to the commit came: it may have happened or not.',
  )

interface Caller<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

export class Connection implements Database {
  readonly name: string
  readonly capabilities: Capabilities
  readonly #inner: Database
  readonly #life: Life
  readonly #network: Network
  /** What the database itself runs on. */
  readonly #server: Runtime

  constructor(inner: Database, life: Life, network: Network & { readonly server: Runtime }) {
    this.name = inner.name
    this.capabilities = inner.capabilities
    this.#inner = inner
    this.#life = life
    this.#network = network
    this.#server = network.server
  }

  async open(): Promise<void> {
    await this.#inner.open(this.#server)
  }

  plan(): Awaitable<MigrationPlan> {
    return this.#inner.plan()
  }

  migrate(): Promise<MigrationPlan> {
    return this.#life.deliverAll(this.#inner.migrate())
  }

  identity(): Promise<string> {
    return this.#life.deliverAll(this.#inner.identity())
  }

  close(): Promise<void> {
    return this.#life.deliverAll(this.#inner.close())
  }

  append(requests: readonly AppendRequest[]): Promise<readonly Verdict[]> {
    if (!this.#life.alive) return never()
    const strike = this.#strike('commit', 'append')
    return new Promise((resolve, reject) => {
      const caller = { resolve, reject }
      this.#send(strike, caller, async () => {
        const verdicts = await this.#inner.append(requests)
        this.#network.history.appended(this.#life, requests, verdicts)
        return verdicts
      })
    })
  }

  transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T> {
    return this.#begin((caller) => this.#transact(work, caller, options))
  }

  read<T>(work: (transaction: Transaction) => Awaitable<T>): Promise<T> {
    return this.#begin((caller) => {
      const reading = this.#inner.read(async (transaction) => {
        const session = new Session(this.#life, this.#network, false)
        try {
          return await this.#inside(session, transaction, work)
        } finally {
          session.end()
        }
      })
      this.#answer(reading, caller)
    })
  }

  /** Sends the beginning of a transaction. */
  #begin<T>(begun: (caller: Caller<T>) => void): Promise<T> {
    const life = this.#life
    if (!life.alive) return never()
    const { world, latency } = this.#network
    const strike = this.#strike('begin', 'begin')
    if (strike?.fault === 'crash-before') {
      life.end()
      return never()
    }
    if (strike?.fault === 'pause') life.pause(pauseLength(strike.size))
    return new Promise((resolve, reject) => {
      if (strike?.fault === 'lost-request')
        return void world.after(patience(strike.size), () =>
          life.deliver(() => reject(lostConnection())),
        )
      const delay = strike?.fault === 'slow' ? slowness(strike.size) : latency()
      if (delay === 0 && !life.paused) begun({ resolve, reject })
      else world.after(delay, () => begun({ resolve, reject }))
    })
  }

  #transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    caller: Caller<T>,
    options: TransactOptions | undefined,
  ): void {
    let strike: CallStrike | undefined
    let refused = false
    const done = this.#inner.transact(async (transaction) => {
      const session = new Session(this.#life, this.#network, true)
      try {
        const result = await this.#inside(session, transaction, work)
        strike = this.#strike('commit', 'commit')
        await this.#commit(strike, session, caller)
        // The database may have lost its patience meanwhile.
        if (!refused) session.commit()
        return result
      } finally {
        session.end()
      }
    }, options)
    done.then(
      (value) => {
        if (strike?.fault === 'crash-after') this.#life.end()
        else if (strike?.fault === 'lost-reply') this.#giveUp(strike.size, caller)
        else this.#reply(() => caller.resolve(value))
      },
      (error: unknown) => {
        refused = true
        this.#reply(() => caller.reject(error as Error))
      },
    )
  }

  /** What befalls a commit before it happens; throws if it does not happen. */
  async #commit(
    strike: CallStrike | undefined,
    session: Session,
    caller: Pick<Caller<never>, 'reject'>,
  ): Promise<void> {
    const { world } = this.#network
    if (!this.#life.alive) return session.lost
    if (strike === undefined) return
    const { fault, size } = strike
    if (fault === 'crash-before') this.#life.end()
    if (fault === 'lost-request') {
      this.#giveUp(size, caller)
      session.lose(size)
    }
    if (fault === 'crash-before' || fault === 'lost-request') return session.lost
    if (fault === 'pause') this.#life.pause(pauseLength(size))
    if (fault === 'slow') await world.wait(slowness(size))
    if (fault === 'late-request') {
      this.#giveUp(size, caller)
      await world.wait(lateness(size))
    }
  }

  /** Sends something that is one request and its answer. */
  #send<T>(strike: CallStrike | undefined, caller: Caller<T>, run: () => Promise<T>): void {
    const { world, latency } = this.#network
    const size = strike?.size ?? 0
    switch (strike?.fault) {
      case 'crash-before':
        return this.#life.end()
      case 'crash-after':
        return void run().then(
          () => this.#life.end(),
          () => this.#life.end(),
        )
      case 'lost-request':
        return this.#giveUp(size, caller)
      case 'lost-reply':
        this.#giveUp(size, caller)
        return void run().catch(() => undefined)
      case 'late-request':
        this.#giveUp(size, caller)
        return void world.after(lateness(size), () => void run().catch(() => undefined))
      case 'pause':
        this.#life.pause(pauseLength(size))
        return this.#answer(run(), caller)
      case 'slow':
        return void world.after(slowness(size), () => this.#answer(run(), caller))
      default: {
        const delay = latency()
        if (delay === 0) this.#answer(run(), caller)
        else world.after(delay, () => this.#answer(run(), caller))
      }
    }
  }

  /** Does the work of a transaction, unless the client is lost meanwhile. */
  #inside<T>(
    session: Session,
    transaction: Transaction,
    work: (transaction: Transaction) => Awaitable<T>,
  ): Promise<T> {
    const working = new Promise<T>((resolve, reject) => {
      this.#life.deliver(() => {
        const run = async (): Promise<T> => work(session.open(transaction))
        run().then(resolve, reject)
      })
    })
    if (!this.#life.alive) session.lose(0)
    return Promise.race([working, session.lost])
  }

  #answer<T>(result: Promise<T>, { resolve, reject }: Caller<T>): void {
    result.then(
      (value) => this.#reply(() => resolve(value)),
      (error: unknown) => this.#reply(() => reject(error as Error)),
    )
  }

  #reply(settle: () => void): void {
    const delay = this.#network.latency()
    if (delay === 0) this.#life.deliver(settle)
    else this.#network.world.after(delay, () => this.#life.deliver(settle))
  }

  /** The caller hears nothing, and at some time gives up. */
  #giveUp(size: number, { reject }: Pick<Caller<never>, 'reject'>): void {
    this.#network.world.after(patience(size), () => this.#life.deliver(() => reject(unknown())))
  }

  #strike(site: Site, what: string): CallStrike | undefined {
    const { schedule, history, world } = this.#network
    world.mix(this.#life.process + what.length)
    const strike = schedule.strike(this.#life.process, site)
    if (strike !== undefined) history.struck(this.#life, strike.fault, what)
    return strike
  }
}
