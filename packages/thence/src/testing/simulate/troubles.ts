/**
 * Trouble in the user's own code: handlers that take long, that fail a few times, that fail for ever. What befalls a
 * message follows from the seed, the part and the message's id, so that the checks know what to expect.
 */
import { derive, numberOf } from '../../internal/chance.ts'
import type { Hazards } from './hazards.ts'

/** What befalls one message in one part. */
export interface Trouble {
  /** It fails whenever it is tried. */
  readonly poison: boolean
  /** So many attempts fail. */
  readonly failures: number
  /** Failing attempts fail in the transaction of the effects, after these were written. */
  readonly late: boolean
  /** How long an attempt takes, in milliseconds. */
  readonly delay: number
}

const part = (seed: number, index: number): number => derive(seed, index) / 0x1_0000_0000

/** Probability per message where the hazard is as frequent as usual. */
const usual = { poison: 0.03, passing: 0.06, slow: 0.08, view: 0.03 }

/** Thrown on purpose. */
export class Planted extends Error {
  override readonly name = 'Planted'
}

export class Troubles {
  readonly #seed: number
  readonly #hazards: Hazards
  /** Attempts that failed on purpose, by part and message. */
  readonly #failed = new Map<string, number>()
  /** Messages at which the user's own code has failed, by part and message. */
  readonly #own = new Set<string>()
  #healed = false
  #cured = false

  constructor(seed: number, hazards: Hazards) {
    this.#seed = seed
    this.#hazards = hazards
  }

  /** From now on nothing takes long. What is poison stays poison. */
  heal(): void {
    this.#healed = true
  }

  /** What was poison is none any more, as after a new version of the app. */
  cure(): void {
    this.#cured = true
  }

  /** @param attempts how many the part makes before it gives up. */
  of(name: string, id: string, attempts: number): Trouble {
    const seed = derive(this.#seed, 5, numberOf(name), numberOf(id))
    const { poison, passingError, slowHandler } = this.#hazards
    const fails = attempts > 1 && part(seed, 1) < usual.passing * passingError
    const slow = !this.#healed && part(seed, 2) < usual.slow * slowHandler
    return {
      poison: !this.#cured && part(seed, 3) < usual.poison * poison,
      failures: fails ? 1 + Math.floor(part(seed, 4) * Math.min(2, attempts - 1)) : 0,
      late: part(seed, 6) < 0.4,
      delay: slow ? Math.floor(5 + 3000 * part(seed, 5) ** 2) : 0,
    }
  }

  /** Whether a projection is to fail at this event, once. */
  failsView(name: string, id: string): boolean {
    const seed = derive(this.#seed, 10, numberOf(name), numberOf(id))
    if (part(seed, 1) >= usual.view * this.#hazards.viewError) return false
    return this.fails(name, id, { poison: false, failures: 1, late: false, delay: 0 })
  }

  /** Whether this attempt is to fail; counts it if so. */
  fails(name: string, id: string, { poison, failures }: Trouble): boolean {
    if (poison) return true
    const key = `${name} ${id}`
    const before = this.#failed.get(key) ?? 0
    if (before >= failures) return false
    this.#failed.set(key, before + 1)
    return true
  }

  noteOwn(name: string, id: string): void {
    this.#own.add(`${name} ${id}`)
  }

  /** Whether the user's own code has failed at this message. */
  failedByItself(name: string, id: string): boolean {
    return this.#own.has(`${name} ${id}`)
  }
}
