/**
 * What becomes of a message that is given up, and of what comes after it. Whatever is chosen, a dead letter keeps the
 * message with its why.
 */
import { ThenceError } from '../errors.ts'

/**
 * What becomes of a message whose attempts are used up:
 * - `park-key`: it is parked, and the later messages of its key wait behind it until someone redrives or discards it.
 * - `park-message`: it is parked, and its key goes on without it.
 * - `stop`: it is parked, and the whole subscription pauses until someone resumes it.
 * - `skip`: its key goes on without it, and its dead letter is discarded from the start: nobody is to look after it.
 */
export type FailurePolicy = 'park-key' | 'park-message' | 'stop' | 'skip'

export const failurePolicies: readonly FailurePolicy[] = [
  'park-key',
  'park-message',
  'stop',
  'skip',
]

/** Why the dead letter of a message that was passed over is discarded. */
export const skippedReason = 'skipped by policy'

/** Checks a policy; default `park-key`. @throws CONFIG_INVALID */
export function failurePolicy(what: string, value: FailurePolicy = 'park-key'): FailurePolicy {
  if (failurePolicies.includes(value)) return value
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: there is no failure policy "${String(value)}"; it is one of ${failurePolicies.join(', ')}.`,
  )
}
