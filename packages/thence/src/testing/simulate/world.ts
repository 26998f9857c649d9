/**
 * The time that really passes in a simulation, and everything that is planned in it. Between two planned things all
 * promises come to rest, so that one seed always gives one history.
 */
import { systemRuntime } from '../../app/system-runtime.ts'
import type { Cancel } from '../../ports/runtime.ts'
import { Agenda, type Planned } from './agenda.ts'

/** The event loop's own turn; real time does not matter to it. */
const loop = systemRuntime()
const turn = (): Promise<void> => new Promise((resolve) => loop.soon(resolve))

/** The beginning of 2026 (UTC), in Unix milliseconds. */
const beginning = 1_767_225_600_000

/** More than any run needs that comes to its end. */
const mostSteps = 200_000
const mostCalls = 20_000

export class World {
  readonly #agenda = new Agenda()
  /** Unix milliseconds, with fractions. */
  #now = beginning
  #hash = 0x811c_9dc5
  #steps = 0
  /** Since time went on last. */
  #calls = 0
  #inCircles = false

  get now(): number {
    return this.#now
  }

  /** Milliseconds since the beginning. */
  get age(): number {
    return this.#now - beginning
  }

  /** How many planned things have run. */
  get steps(): number {
    return this.#steps
  }

  /** What stands for everything that has happened so far: two runs of one seed must agree on it. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  /** Takes a call into account; returns false if there are so many that time would never go on. */
  call(): boolean {
    this.#calls += 1
    if (this.#calls < mostCalls) return true
    this.#inCircles = true
    return false
  }

  /** Something was done so often that it would go on for ever: the run ends. */
  circle(): void {
    this.#inCircles = true
  }

  /** Takes something that happened into the hash. */
  mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x0100_0193)
  }

  mixText(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.mix(text.charCodeAt(at))
  }

  after(milliseconds: number, run: () => void): Cancel {
    const planned = this.#agenda.add(this.#now + Math.max(0, milliseconds), run)
    return () => void (planned.run = undefined)
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.after(milliseconds, resolve))
  }

  /** Lets time pass until `done` says so; returns false if that does not come within `milliseconds`. */
  async run(done: () => boolean, milliseconds: number): Promise<boolean> {
    const end = this.#now + milliseconds
    for (;;) {
      await turn()
      if (this.#inCircles) throw new Error('stuck: it goes round in circles')
      if (this.#steps > mostSteps)
        throw new Error(
          `stuck: it goes round in circles, or waits for too long: ${mostSteps} steps were done in ` +
            `${Math.round(this.age / 1000)} s of virtual time, in which processes look for work again and again`,
        )
      if (done()) return true
      const planned = this.#next()
      if (planned === undefined || planned.at > end) return false
      this.#agenda.take()
      this.#now = Math.max(this.#now, planned.at)
      this.#steps += 1
      this.#calls = 0
      this.mix(Math.trunc((this.#now - beginning) * 16))
      planned.run?.()
    }
  }

  /** The first that was not taken back. */
  #next(): Planned | undefined {
    while (this.#agenda.first !== undefined && this.#agenda.first.run === undefined)
      this.#agenda.take()
    return this.#agenda.first
  }
}
