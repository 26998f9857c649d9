/**
 * What happens after a failure: try again after a back-off, or give up and park.
 */
import { ThenceError } from '../errors.ts'
import type { Backoff } from '../internal/backoff.ts'
import { fullJitter } from '../internal/backoff.ts'

export interface RetryPolicy extends Backoff {
  /** Attempts in all before a message is parked; at least 1. */
  readonly attempts: number
}

/** About a minute and a half in all: long enough for a restart of a dependency, short enough to be told the same hour. */
export const defaultRetry: RetryPolicy = { attempts: 10, base: 200, cap: 60_000 }

/** @throws CONFIG_INVALID */
export function retryPolicy(what: string, options: Partial<RetryPolicy> = {}): RetryPolicy {
  const policy = { ...defaultRetry, ...options }
  const valid = (value: number, least: number): boolean => Number.isFinite(value) && value >= least
  if (valid(policy.attempts, 1) && valid(policy.base, 0) && valid(policy.cap, 0)) return policy
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: retry needs attempts ≥ 1 and base, cap ≥ 0 milliseconds; got ${JSON.stringify(options)}.`,
  )
}

/** Whether trying again cannot help: the error says so itself by `retryable: false`. */
export function isPermanent(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false
  )
}

/** Milliseconds until the next attempt, or `undefined` to park. */
export function nextDelay(
  policy: RetryPolicy,
  { attempts, error, random }: { attempts: number; error: unknown; random: number },
): number | undefined {
  if (attempts >= policy.attempts || isPermanent(error)) return undefined
  return fullJitter(policy, attempts, random)
}
