/**
 * What becomes of a message that is given up, and of what comes after it. Whatever is chosen, a dead letter keeps the
 * message with its why.
 */
import { ThenceError } from '../errors.ts'

/**
 * - `park-key`: it is parked, and the later messages of its key wait behind it until someone redrives or discards it.
 * - `park-message`: it is parked, and its key goes on without it.
 * - `skip`: its key goes on without it, and its dead letter is discarded from the beginning: nobody is to look after it.
 * - `stop`: it is parked, and the whole subscription pauses until someone resumes it.
 */
export type OnFailure = 'park-key' | 'park-message' | 'skip' | 'stop'

export const onFailurePolicies: readonly OnFailure[] = ['park-key', 'park-message', 'skip', 'stop']

/** Why the dead letter of a skipped message is discarded. */
export const skippedReason = 'skipped by policy'

export const isOnFailure = (value: unknown): value is OnFailure =>
  onFailurePolicies.some((one) => one === value)

/** Checks a policy; default `park-key`. @throws CONFIG_INVALID */
export function onFailurePolicy(what: string, value: unknown = 'park-key'): OnFailure {
  if (isOnFailure(value)) return value
  throw new ThenceError(
    'CONFIG_INVALID',
    `onFailure of ${what} is ${JSON.stringify(value)}; it is one of ${onFailurePolicies.join(', ')}.`,
  )
}
