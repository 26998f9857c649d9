/**
 * A process that runs the user's app: it boots, serves, crashes, stops, and boots again, as a supervisor would have it.
 */
import type { App } from '../../app/app.ts'
import { app, type AppBuilder } from '../../app/builder.ts'
import type { AppOptions } from '../../app/options.ts'
import type { Database } from '../../ports/database.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { ThenceError } from '../../errors.ts'
import { Chance } from '../../internal/chance.ts'
import { Connection } from './connection.ts'
import { type Instruments, instrumented } from './instrument.ts'
import { type Clock, Life } from './life.ts'
import type { Part } from '../../app/parts.ts'
import type { Network } from './session.ts'
import { clockError, clockStep, downtime, pauseLength } from './timing.ts'

/** Of an app's options those that a simulation leaves to the user. */
export type SimulatedOptions = Pick<AppOptions, 'leaseTime' | 'retention' | 'classify' | 'freeze'>

/** What a process tells the app that it builds. */
export interface SimulatedProcess {
  /** Which process it is, from 0. */
  readonly process: number
  /** How often it was started, from 1. */
  readonly life: number
  /** Its clock, its chance and its timers. Use no others: the simulation would not repeat. */
  readonly runtime: Runtime
  /** Notes something that is to happen in some seed at least; see `requires`. */
  readonly sometimes: (name: string) => void
  /** Notes something that was done outside of the store, such as a mail that was sent. */
  readonly outside: (name: string, value: unknown) => void
}

export interface ProcessPlan<C extends string, Q extends string> {
  readonly index: number
  readonly seed: number
  readonly network: Network & Instruments & { readonly server: Runtime }
  readonly connect: () => Database
  /** Names of lives that are over, where processes see each other. */
  readonly gone: Set<string> | undefined
  /** Of the app, beside what the simulation says. */
  readonly options: SimulatedOptions
  /** Stands between the app and its connection; for planting bugs. */
  readonly above: ((database: Database, runtime: Runtime) => Database) | undefined
  readonly build: (builder: AppBuilder, context: SimulatedProcess) => AppBuilder<C, Q>
  readonly collect: (part: Part) => void
  readonly outside: (name: string, value: unknown) => void
  /** How often a clock is wrong, relative to what is usual. */
  readonly clockHazard: number
}

const gone = (): ThenceError => new ThenceError('APP_STOPPED', 'The process is not there.')

export class Process<C extends string, Q extends string> {
  readonly index: number
  readonly clock: Clock
  readonly #plan: ProcessPlan<C, Q>
  readonly #chance: Chance
  #lives = 0
  #life: Life | undefined
  #app: App<C, Q> | undefined
  #healed = false
  #ending = false
  #stopping = false

  constructor(plan: ProcessPlan<C, Q>) {
    this.index = plan.index
    this.#plan = plan
    this.#chance = new Chance(plan.seed, 6, plan.index)
    const wrong = this.#chance.is(0.5 * plan.clockHazard)
    const size = this.#chance.number()
    this.clock = { offset: wrong ? clockError(size) : 0 }
  }

  /** Its app, while it is there to be called. */
  get app(): App<C, Q> | undefined {
    return this.#stopping ? undefined : this.#app
  }

  boot(): void {
    const { seed, index, network, connect, above, gone, options, build, collect } = this.#plan
    const { world, history } = network
    this.#lives += 1
    this.#stopping = false
    const life = new Life({
      world,
      seed,
      process: index,
      number: this.#lives,
      clock: this.clock,
      gone,
    })
    this.#life = life
    life.onEnd(() => this.#ended())
    history.tell(life, 'boots')
    const connection = new Connection(connect(), life, network)
    const database = above?.(connection, life.runtime) ?? connection
    const plain = app({ ...options, database, runtime: life.runtime, logger: false })
    const builder = instrumented(plain, { ...network, life, collect })
    const context: SimulatedProcess = {
      process: index,
      life: life.number,
      runtime: life.runtime,
      sometimes: (name) => history.mark(name),
      outside: this.#plan.outside,
    }
    const start = async (): Promise<App<C, Q>> => build(builder, context).start()
    start().then(
      (started) => {
        if (!life.alive) return
        this.#app = started
        started.listen(['message-set-aside'], () => history.mark('a slow call was set aside'))
        history.tell(life, 'is up')
      },
      (error: unknown) => {
        if (!life.alive) return
        history.failed(life, 'a start failed', error)
        life.end()
      },
    )
  }

  /** Runs `work` in the process. Rejects if the process ends meanwhile, or is not there. */
  call<T>(work: (app: App<C, Q>) => Promise<T>): Promise<T> {
    const [life, running] = [this.#life, this.app]
    if (life === undefined || running === undefined) return Promise.reject(gone())
    const answered = new Promise<T>((resolve, reject) => {
      life.deliver(() => void life.deliverAll(work(running)).then(resolve, reject))
    })
    return Promise.race([answered, life.over.then(() => Promise.reject(gone()))])
  }

  kill(): void {
    if (this.#life?.alive !== true) return
    this.#plan.network.history.struck(this.#life, 'kill')
    this.#life.end()
  }

  freeze(size: number): void {
    if (this.#life?.alive !== true) return
    this.#plan.network.history.struck(this.#life, 'freeze', `${Math.floor(pauseLength(size))} ms`)
    this.#life.pause(pauseLength(size))
  }

  stepClock(size: number): void {
    const step = Math.floor(clockStep(size))
    this.clock.offset += step
    this.#plan.network.history.mark('clock-step')
    this.#plan.network.history.say(`p${this.index + 1}`, `clock-step by ${step} ms`)
  }

  /** Ends it in an orderly way; it boots again, unless it is to end for good. */
  async stop(size = 0.5): Promise<void> {
    const [life, running] = [this.#life, this.app]
    if (life === undefined || running === undefined) return
    this.#plan.network.history.struck(life, 'stop')
    this.#stopping = true
    await this.#stopApp(life, running, Math.floor(5000 * size))
    life.end()
  }

  /** No more trouble: it goes on if it was paused, and boots soon if it is down. */
  heal(): void {
    this.#healed = true
    this.#life?.thaw()
  }

  /** It ends for good. */
  async finish(): Promise<void> {
    this.#ending = true
    await this.stop()
  }

  async #stopApp(life: Life, running: App<C, Q>, deadline: number): Promise<void> {
    const stopped = new Promise<void>((resolve, reject) => {
      life.deliver(() => void life.deliverAll(running.stop({ deadline })).then(resolve, reject))
    })
    const failed = (error: unknown): void =>
      this.#plan.network.history.failed(life, 'a stop failed', error)
    await Promise.race([stopped.catch(failed), life.over])
  }

  #ended(): void {
    this.#app = undefined
    if (this.#ending) return
    const { world } = this.#plan.network
    world.after(this.#healed ? 10 : downtime(this.#chance.number()), () => this.boot())
  }
}
