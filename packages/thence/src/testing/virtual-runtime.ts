/**
 * A runtime whose clock stands still until it is told to move, and whose chance and ids repeat with the seed. What is
 * in hand at each moment comes to rest before time goes on, so no test waits and every run is the same.
 */
import { ThenceError } from '../errors.ts'
import { systemRuntime } from '../app/system-runtime.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import { UuidSource } from '../internal/uuid.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions, shown } from '../message/expect.ts'
import type { Cancel, Runtime } from '../ports/runtime.ts'
import { Seeded } from '../internal/seeded.ts'

export interface VirtualRuntimeOptions {
  /** The same seed gives the same random numbers and ids; default 1. */
  readonly seed?: number
  /** The time at which the clock stands first, in Unix milliseconds; default: the beginning of 2026 (UTC). */
  readonly start?: number
}

const optionNames: OptionNames<VirtualRuntimeOptions> = { seed: true, start: true }

export interface UntilOptions {
  /** How far time may move while waiting; default one day. */
  readonly within?: Duration
  /** What is waited for, for the error. */
  readonly what?: string
}

export interface VirtualRuntime extends Runtime {
  /** When the next timer is due, in Unix milliseconds; `undefined` if there is none. */
  readonly next: number | undefined
  /** How many timers are planned. */
  readonly planned: number
  /** Lets what can run without time passing come to rest: promises and what was planned `soon`. */
  rest(): Promise<void>
  /** Lets time pass: timers run in order of time, and what each sets off comes to rest before the next. */
  advance(duration: Duration): Promise<void>
  /** Lets the clock jump, as when a computer slept: what is due by then runs late, and then what follows at that time. */
  jump(duration: Duration): Promise<void>
  /** Lets time pass to the next timer and runs it; returns false if none is planned. */
  step(): Promise<boolean>
  /**
   * Lets time pass, from timer to timer, until the promise settles, and gives what it gave.
   * @throws TIMEOUT if that does not happen `within` the given time, or nothing is planned that could make it happen.
   */
  until<T>(promise: Promise<T>, options?: UntilOptions): Promise<T>
}

interface Plan {
  readonly due: number
  readonly callback: () => void
}

/** The event loop's own turn; real time does not matter to it. */
const loop = systemRuntime()
const turn = (): Promise<void> => new Promise((resolve) => loop.soon(resolve))

/** So many turns without a planned timer are given to work outside, such as a file, before waiting is given up. */
const patience = 1000

class VirtualClock implements VirtualRuntime {
  readonly #chance: Seeded
  readonly #ids: UuidSource
  /** In the order in which they were planned. */
  readonly #plans = new Set<Plan>()
  #now: number
  #elapsed = 0
  #soon = 0

  constructor({ seed = 1, start = Date.UTC(2026, 0, 1) }: VirtualRuntimeOptions) {
    this.#now = start
    this.#chance = new Seeded(seed)
    // Of its own, so that an id more does not change what is drawn.
    const bytes = new Seeded(seed ^ 0x5eed)
    this.#ids = new UuidSource(
      () => this.#now,
      (array) => bytes.fill(array),
    )
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#elapsed
  }

  random(): number {
    return this.#chance.number()
  }

  id(): string {
    return this.#ids.next()
  }

  after(delay: number, callback: () => void): Cancel {
    if (delay === Infinity) return () => undefined
    const plan = { due: this.#now + Math.max(0, delay), callback }
    this.#plans.add(plan)
    return () => void this.#plans.delete(plan)
  }

  soon(callback: () => void): void {
    this.#soon += 1
    loop.soon(() => {
      this.#soon -= 1
      callback()
    })
  }

  get next(): number | undefined {
    return this.#first()?.due
  }

  get planned(): number {
    return this.#plans.size
  }

  async rest(): Promise<void> {
    // A turn runs every microtask to its end; only what was planned `soon` can bring more.
    do await turn()
    while (this.#soon > 0)
  }

  async advance(duration: Duration): Promise<void> {
    const until = this.#now + milliseconds('The time to advance', duration)
    await this.rest()
    while (await this.#step(until));
    this.#pass(until)
  }

  async jump(duration: Duration): Promise<void> {
    await this.rest()
    this.#pass(this.#now + milliseconds('The time to jump', duration))
    await this.advance(0)
  }

  async step(): Promise<boolean> {
    await this.rest()
    return this.#step(Infinity)
  }

  async until<T>(promise: Promise<T>, options: UntilOptions = {}): Promise<T> {
    const { within = '1d', what = 'What was waited for' } = options
    const limit = this.#now + milliseconds('within', within)
    let settled = false
    const settle = (): void => void (settled = true)
    promise.then(settle, settle)
    await this.rest()
    for (let idle = 0; !settled && idle < patience;) {
      if (await this.#step(limit)) idle = 0
      else {
        idle += 1
        await turn()
      }
    }
    if (settled) return promise
    const next = this.next === undefined ? 'no timer is planned' : 'the next timer is later'
    const text = `${what} did not happen within ${within} of virtual time; ${next}.`
    throw new ThenceError('TIMEOUT', text, { details: { now: this.#now, next: this.next } })
  }

  /** Runs the first timer that is due up to `until`; returns whether there was one. */
  async #step(until: number): Promise<boolean> {
    const plan = this.#first()
    if (plan === undefined || plan.due > until) return false
    this.#plans.delete(plan)
    this.#pass(plan.due)
    plan.callback()
    await this.rest()
    return true
  }

  /** Lets the clock go on to `until`, if that is later. */
  #pass(until: number): void {
    const passed = Math.max(0, until - this.#now)
    this.#now += passed
    this.#elapsed += passed
  }

  #first(): Plan | undefined {
    let first: Plan | undefined
    for (const plan of this.#plans) if (first === undefined || plan.due < first.due) first = plan
    return first
  }
}

/** A runtime for tests: a clock that you move, repeatable chance, repeatable ids. */
export function virtualRuntime(options: VirtualRuntimeOptions = {}): VirtualRuntime {
  expectOptions('virtualRuntime', options, optionNames)
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !Number.isFinite(value))
      throw new ThenceError(
        'CONFIG_INVALID',
        `${name} of virtualRuntime is ${shown(value)}; give a number.`,
      )
  return new VirtualClock(options)
}
