/**
 * What happens after a failure: try again after a back-off, or give up.
 */
import { ThenceError } from '../errors.ts'
import type { Backoff } from '../internal/backoff.ts'
import { fullJitter } from '../internal/backoff.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectObject, expectOptions } from '../message/expect.ts'
import type { Budget, BudgetOptions } from './budget.ts'
import { budgetPolicy, defaultBudget } from './budget.ts'
import type { ErrorKind } from '../errors.ts'
import { classify } from './classify.ts'

export interface RetryPolicy extends Backoff {
  /** Attempts in all before a message is given up; at least 1. */
  readonly attempts: number
  /** Attempts in all if they fail by a bug, at most `attempts`: a change of the code mends it, not time. */
  readonly bugAttempts: number
  readonly budget: Budget
}

/** A policy as it is written; what is left out is as the default says. */
export interface RetryOptions {
  /** Attempts in all before a message is given up; at least 1. Default 10. */
  readonly attempts?: number
  /** Attempts in all if they fail by a bug; at least 1, and never more than `attempts`. Default 3. */
  readonly bugAttempts?: number
  /** The bound of the first wait; it doubles with each failure. Default 200 ms. */
  readonly base?: Duration
  /** The most that a wait may grow to, unless the error asks for more by `retryAfter`. Default 1 min. */
  readonly cap?: Duration
  /** How many retries a handler may begin beside its first attempts; what has no room waits, and is never given up. */
  readonly budget?: BudgetOptions
}

const optionNames: OptionNames<RetryOptions> = {
  attempts: true,
  bugAttempts: true,
  base: true,
  cap: true,
  budget: true,
}

/** About a minute and a half in all: long enough for a restart of a dependency, short enough to be told the same hour. */
export const defaultRetry: RetryPolicy = {
  attempts: 10,
  bugAttempts: 3,
  base: 200,
  cap: 60_000,
  budget: defaultBudget,
}

/** An error may ask for a pause of at most a day; a longer one would be a way to lose a message. */
const longestAfter = 86_400_000

const atLeastOne = (what: string, attempts: number): void => {
  if (Number.isSafeInteger(attempts) && attempts >= 1) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what} is ${attempts}; give a whole number of at least 1.`,
  )
}

/** @throws CONFIG_INVALID */
export function retryPolicy(what: string, options: RetryOptions = {}): RetryPolicy {
  expectObject(`retry of ${what}`, options)
  expectOptions(`retry of ${what}`, options, optionNames)
  const { attempts, bugAttempts, base, cap } = { ...defaultRetry, ...options }
  atLeastOne(`retry.attempts of ${what}`, attempts)
  atLeastOne(`retry.bugAttempts of ${what}`, bugAttempts)
  return {
    attempts,
    bugAttempts: Math.min(attempts, bugAttempts),
    base: milliseconds(`retry.base of ${what}`, base),
    cap: milliseconds(`retry.cap of ${what}`, cap),
    budget: budgetPolicy(what, options.budget),
  }
}

/** How long the error asks to wait, in milliseconds, as a service does by `Retry-After`; 0 if it does not. Never throws. */
export function retryAfter(error: unknown): number {
  try {
    const asked: unknown =
      typeof error === 'object' && error !== null ? Reflect.get(error, 'retryAfter') : undefined
    if (asked === undefined) return 0
    return Math.min(longestAfter, milliseconds('retryAfter', asked as Duration))
  } catch {
    return 0
  }
}

const allowed = (policy: RetryPolicy, kind: ErrorKind): number => {
  if (kind === 'permanent') return 1
  return kind === 'bug' ? policy.bugAttempts : policy.attempts
}

/** Milliseconds until the next attempt, or `undefined` to give up. */
export function nextDelay(
  policy: RetryPolicy,
  failed: { attempts: number; kind?: ErrorKind; error: unknown; random: number },
): number | undefined {
  const { attempts, error, random, kind = classify(error) } = failed
  if (attempts >= allowed(policy, kind)) return undefined
  // Beside what was asked for, so that all who were told the same time do not come back together.
  return retryAfter(error) + fullJitter(policy, attempts, random)
}
