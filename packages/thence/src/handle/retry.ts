/**
 * What happens after a failure: try again after a back-off, or give up and park.
 */
import { ThenceError } from '../errors.ts'
import type { Backoff } from '../internal/backoff.ts'
import { fullJitter } from '../internal/backoff.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'

export interface RetryPolicy extends Backoff {
  /** Attempts in all before a message is parked; at least 1. */
  readonly attempts: number
}

/** A policy as it is written; what is left out is as the default says. */
export interface RetryOptions {
  /** Attempts in all before a message is parked; at least 1. */
  readonly attempts?: number
  /** The bound of the first wait; it doubles with each failure. */
  readonly base?: Duration
  /** The most that a wait may grow to. */
  readonly cap?: Duration
}

/** About a minute and a half in all: long enough for a restart of a dependency, short enough to be told the same hour. */
export const defaultRetry: RetryPolicy = { attempts: 10, base: 200, cap: 60_000 }

/** @throws CONFIG_INVALID */
export function retryPolicy(what: string, options: RetryOptions = {}): RetryPolicy {
  const { attempts, base, cap } = { ...defaultRetry, ...options }
  if (Number.isFinite(attempts) && attempts >= 1)
    return {
      attempts,
      base: milliseconds(`retry.base of ${what}`, base),
      cap: milliseconds(`retry.cap of ${what}`, cap),
    }
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: retry.attempts is ${attempts}; at least one attempt is made.`,
  )
}

/** Whether trying again cannot help: the error says so itself by `retryable: false`. */
export function isPermanent(error: unknown): boolean {
  try {
    return (
      typeof error === 'object' &&
      error !== null &&
      'retryable' in error &&
      error.retryable === false
    )
  } catch {
    return false
  }
}

/** Milliseconds until the next attempt, or `undefined` to park. */
export function nextDelay(
  policy: RetryPolicy,
  { attempts, error, random }: { attempts: number; error: unknown; random: number },
): number | undefined {
  if (attempts >= policy.attempts || isPermanent(error)) return undefined
  return fullJitter(policy, attempts, random)
}
