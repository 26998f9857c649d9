/**
 * How many retries there may be beside first attempts: a share of those and a small reserve. So a dependency that fails
 * is not given a multiple of its usual load to fail under. The idea and the defaults are those of Finagle, "Retry
 * Budgets" (finagle.github.io/blog/2016/02/08/retry-budgets); here a retry that has no room waits, and is never dropped.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectObject, expectOptions } from '../message/expect.ts'

/** A budget as it is written. It holds for one process. */
export interface BudgetOptions {
  /** Retries for each first attempt; default 0.2. */
  readonly share?: number
  /** Retries for each second, whatever there is of first attempts; default 10, above 0 so that retries never starve. */
  readonly perSecond?: number
}

const optionNames: OptionNames<BudgetOptions> = { share: true, perSecond: true }

export type Budget = Required<BudgetOptions>

export const defaultBudget: Budget = { share: 0.2, perSecond: 10 }

/** Seconds of the reserve that can be saved up. */
const saved = 10

/** @throws CONFIG_INVALID */
export function budgetPolicy(what: string, options: BudgetOptions = {}): Budget {
  expectObject(`retry.budget of ${what}`, options)
  expectOptions(`retry.budget of ${what}`, options, optionNames)
  const budget = { ...defaultBudget, ...options }
  const { share, perSecond } = budget
  if (Number.isFinite(share) && share >= 0 && Number.isFinite(perSecond) && perSecond > 0)
    return budget
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: retry.budget is ${share} of first attempts and ${perSecond} a second; the share is at least 0, the reserve above 0.`,
  )
}

export class RetryBudget {
  readonly #budget: Budget
  readonly #most: number
  #tokens: number
  #filled = 0

  constructor(budget: Budget) {
    this.#budget = budget
    this.#most = Math.max(1, budget.perSecond * saved)
    this.#tokens = this.#most
  }

  /** A first attempt began. */
  earn(): void {
    this.#tokens = Math.min(this.#most, this.#tokens + this.#budget.share)
  }

  /**
   * Spends one retry and gives 0, or gives how many milliseconds to wait before asking again.
   * @param now milliseconds of a clock that never goes back.
   */
  take(now: number): number {
    const { perSecond } = this.#budget
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#filled) / 1000) * perSecond)
    this.#filled = now
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1000) / perSecond)
    this.#tokens -= 1
    return 0
  }
}
