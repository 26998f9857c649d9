/**
 * Fewer hazards that still fail: first none, then halves, quarters and single strikes are left out, and each kind of hazard
 * that is no single strike, as long as what remains fails in the same way.
 */
import type { LastingHazard } from './hazards.ts'
import { runSeed } from './run.ts'
import type { Scenario, Verdict } from './scenario.ts'
import type { Strike } from './schedule.ts'

/** At most about so many runs; each takes as long as the seed itself. */
const mostRuns = 200

/** In which way a run failed: the words before the first colon. */
const kindOf = ({ problems }: Verdict): string => problems[0]?.split(':', 1)[0] ?? ''

/** What is still in a run. */
type Rest = Pick<Verdict, 'strikes' | 'lasting'>

class Shrinking<C extends string, Q extends string> {
  readonly #scenario: Scenario<C, Q>
  readonly #failed: Verdict
  #rest: Rest
  #runs = 0

  constructor(scenario: Scenario<C, Q>, failed: Verdict) {
    this.#scenario = scenario
    this.#failed = failed
    this.#rest = failed
  }

  async run(): Promise<Verdict> {
    const none = await this.#keep({ strikes: [], lasting: [] })
    if (!none) await this.#keep({ ...this.#rest, strikes: [] })
    // What was needed beside something may not be without it.
    for (let before: Rest | undefined; before !== this.#rest && this.#runs < mostRuns;) {
      before = this.#rest
      await this.#fewerStrikes()
      await this.#fewerLasting()
    }
    const shrunk = await this.#verdict(this.#rest, true)
    return this.#isSame(shrunk) ? shrunk : this.#verdict(this.#failed, true)
  }

  #isSame(verdict: Verdict): boolean {
    return kindOf(verdict) === kindOf(this.#failed)
  }

  #verdict({ strikes, lasting }: Rest, detailed: boolean): Promise<Verdict> {
    const { seed, lasting: all } = this.#failed
    const without = all.filter((name) => !lasting.includes(name))
    return runSeed(this.#scenario, seed, { strikes, without, detailed })
  }

  /** Goes on with less, if that fails too. Whether it does. */
  async #keep(less: Rest): Promise<boolean> {
    this.#runs += 1
    const fails = this.#isSame(await this.#verdict(less, false))
    if (fails) this.#rest = less
    return fails
  }

  async #fewerStrikes(): Promise<void> {
    let size = Math.ceil(this.#rest.strikes.length / 2)
    while (this.#rest.strikes.length > 0 && this.#runs < mostRuns) {
      const before = this.#rest.strikes.length
      await this.#leaveOut(size)
      const { length } = this.#rest.strikes
      if (length === before && size === 1) break
      if (length === before) size = Math.ceil(size / 2)
      size = Math.min(size, Math.max(1, length))
    }
  }

  /** Leaves out each group of `size` strikes that is not needed. */
  async #leaveOut(size: number): Promise<void> {
    for (let from = 0; from < this.#rest.strikes.length;) {
      const { strikes } = this.#rest
      const fewer: readonly Strike[] = [...strikes.slice(0, from), ...strikes.slice(from + size)]
      if (!(await this.#keep({ ...this.#rest, strikes: fewer }))) from += size
    }
  }

  async #fewerLasting(): Promise<void> {
    for (const left of this.#rest.lasting) {
      const lasting: readonly LastingHazard[] = this.#rest.lasting.filter((name) => name !== left)
      await this.#keep({ ...this.#rest, lasting })
    }
  }
}

/** Gives the verdict on the least that was found to fail, with its timeline. */
export const shrink = <C extends string, Q extends string>(
  scenario: Scenario<C, Q>,
  failed: Verdict,
): Promise<Verdict> => new Shrinking(scenario, failed).run()
