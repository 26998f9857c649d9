/**
 * Commits whose answer was lost. The ids of a prepared append never change, so it is sent again: what was written then
 * is found and read back, and what was not is written now. Only when that fails too is the outcome unknown to the caller.
 */
import { isStoreFailure, isThenceError, ThenceError } from '../errors.ts'
import { fullJitter } from '../internal/backoff.ts'
import type { AppendRequest } from '../ports/events.ts'
import type { Runtime } from '../ports/runtime.ts'
import { wait } from '../ports/wait.ts'
import type { AppendResult, Prepared } from './writer.ts'

/** How often it is sent again, and read again; with full jitter that takes about 0.8 s, and 1.6 s at the most. */
const retries = 5
const backoff = { base: 50, cap: 1000 }

type Clock = Pick<Runtime, 'after' | 'random'>

/** Waits after so many failures. */
const pause = (runtime: Clock, failures: number): Promise<void> =>
  wait(runtime, fullJitter(backoff, failures, runtime.random()))

/**
 * Runs `attempt`, and again after OUTCOME_UNKNOWN; from then on it is told that an answer was lost.
 * @throws OUTCOME_UNKNOWN, the first one, when no attempt after it got an answer.
 */
export async function untilKnown<T>(
  runtime: Clock,
  attempt: (lost: boolean) => Promise<T>,
): Promise<T> {
  let lost: unknown
  for (let again = 0; ; again += 1) {
    try {
      return await attempt(lost !== undefined)
    } catch (error) {
      // Any other failure before it is an answer; after it, it tells nothing about what was lost.
      if (lost === undefined && !isThenceError(error, 'OUTCOME_UNKNOWN')) throw error
      lost ??= error
      if (again === retries || isThenceError(error, 'STORE_CLOSED')) throw lost
      await pause(runtime, again + 1)
    }
  }
}

/**
 * Reads back what a batch had written when its answer was lost. A read that fails says nothing of the commit. All of the batch
 * share the tries, so it takes no longer than one append if the store is gone.
 */
export class Rereading {
  readonly #runtime: Clock
  #failures = 0
  /** Why nothing more is read. */
  #over: ThenceError | undefined

  constructor(runtime: Clock) {
    this.#runtime = runtime
  }

  /** @throws OUTCOME_UNKNOWN when reading fails too often, and whatever else `read` throws. */
  async of<T>(request: AppendRequest, read: () => Promise<T>): Promise<T> {
    while (this.#over === undefined) {
      try {
        return await read()
      } catch (error) {
        if (!isStoreFailure(error)) throw error
        this.#failures += 1
        if (this.#failures > retries || error.code === 'STORE_CLOSED') this.#over = error
        else await pause(this.#runtime, this.#failures)
      }
    }
    throw lostAppend(request, this.#over)
  }
}

/**
 * What was found when an append was sent again. What this very call has written is not a duplicate to its caller: its
 * messages have the time at which they were prepared. (Another call with the same ids in the same millisecond cannot be
 * told from it.)
 */
export function found({ request }: Prepared, result: AppendResult): AppendResult {
  const { events } = result
  const isOwn =
    events.length > 0 &&
    events.length === request.messages.length &&
    request.messages.every(
      ({ id, time }, index) => events[index]?.id === id && events[index].time === time,
    )
  return isOwn ? { ...result, duplicate: false } : result
}

/** What the caller of one append is told of a batch whose outcome is unknown. */
export function lostAppend({ stream, messages }: AppendRequest, cause: unknown): ThenceError {
  const ids = messages.map(({ id }) => id)
  return new ThenceError(
    'OUTCOME_UNKNOWN',
    `It is not known whether the append to ${stream} was committed: the store gave no answer, nor when it was asked again. ` +
      'The same call again is safe if its messages have ids of your own. Else look first whether the ids in details are in the log, but ' +
      'not before a write would have given up its wait for a lock (lockTimeout on PostgreSQL): until then it may still be committed.',
    { cause, details: { stream, ids } },
  )
}
