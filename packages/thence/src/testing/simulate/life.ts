/**
 * One life of a process, from its start to its end: its clock, its timers, and the answers that reach it. When it
 * crashes nothing reaches it any more: no error is thrown, no `finally` runs, its promises stay open for ever. While it
 * is paused everything waits for it, as for a process that was sent SIGSTOP.
 */
import type { Cancel, Runtime } from '../../ports/runtime.ts'
import { Chance } from '../../internal/chance.ts'
import type { World } from './world.ts'

/** The clock of a process, which may be wrong and may jump. */
export interface Clock {
  /** Milliseconds that it is ahead of the time that really passes. */
  offset: number
}

export interface Birth {
  readonly world: World
  readonly seed: number
  /** Which process. */
  readonly process: number
  /** Which life of the process, from 1. */
  readonly number: number
  readonly clock: Clock
  /** Names of lives that are over; absent: processes do not see each other. */
  readonly gone?: Set<string> | undefined
}

const nameOf = ({ process, number }: Pick<Birth, 'process' | 'number'>): string =>
  `p${process + 1}.${number}`

const digits = (value: number, length: number): string => value.toString(16).padStart(length, '0')

export class Life {
  readonly process: number
  readonly number: number
  readonly runtime: Runtime
  /** Resolves when it is over, however it ended. */
  readonly over: Promise<void>
  readonly #world: World
  #alive = true
  /** When its pause is over, by the time that really passes. */
  #pausedUntil = 0
  #held: (() => void)[] = []
  readonly #end: () => void
  readonly #listeners = new Set<() => void>()

  constructor(birth: Birth) {
    this.process = birth.process
    this.number = birth.number
    this.#world = birth.world
    this.runtime = this.#makeRuntime(birth)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#end = resolve
    const { gone } = birth
    if (gone !== undefined) this.onEnd(() => void gone.add(nameOf(birth)))
  }

  get alive(): boolean {
    return this.#alive
  }

  get paused(): boolean {
    return this.#pausedUntil > this.#world.now
  }

  /** Lets something reach the process: at once, when its pause is over, or never. */
  deliver(callback: () => void): void {
    if (!this.#alive) return
    if (this.paused) this.#held.push(callback)
    else callback()
  }

  /** A promise that settles as `promise` does, as far as that reaches the process. */
  deliverAll<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.deliver(() => resolve(value)),
        (error: Error) => this.deliver(() => reject(error)),
      )
    })
  }

  /** Stands still for so long. */
  pause(milliseconds: number): void {
    if (!this.#alive) return
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#world.now + milliseconds)
    this.#world.after(milliseconds, () => this.#resume())
  }

  /** Its pause is over now. */
  thaw(): void {
    this.#pausedUntil = 0
    this.#resume()
  }

  /** Ends it, in an orderly way or by a crash: nothing reaches it any more. */
  end(): void {
    if (!this.#alive) return
    this.#alive = false
    this.#held = []
    for (const listener of this.#listeners) listener()
    this.#end()
  }

  /** Calls `listener` when it ends; returns how to stop that. */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** One at a time: what runs first may pause it again. */
  #resume(): void {
    while (this.#alive && !this.paused) {
      const next = this.#held.shift()
      if (next === undefined) return
      next()
    }
  }

  #makeRuntime({ world, seed, process, number, clock, gone }: Birth): Runtime {
    const chance = new Chance(seed, 4, process, number)
    const after = (milliseconds: number, callback: () => void): Cancel => {
      if (milliseconds === Infinity) return () => undefined
      let wanted = true
      const cancel = world.after(milliseconds, () =>
        this.deliver(() => {
          if (wanted) callback()
        }),
      )
      return () => {
        wanted = false
        cancel()
      }
    }
    let ids = 0
    let idTime = 0
    const now = (): number => Math.floor(world.now + clock.offset)
    return {
      now,
      elapsed: () => world.age,
      random: () => chance.number(),
      id: () => {
        // The clock may step back; ids still sort by creation.
        idTime = Math.max(idTime, now())
        ids += 1
        const time = digits(idTime, 12)
        const life = digits(process * 4096 + number, 8)
        return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(ids >> 12, 3)}-8${digits(ids & 0xfff, 3)}-${life}${digits(seed & 0xffff, 4)}`
      },
      after,
      soon: (callback) => void after(0, callback),
      ...(gone === undefined
        ? {}
        : { peers: { name: nameOf({ process, number }), isGone: (name) => gone.has(name) } }),
    }
  }
}
