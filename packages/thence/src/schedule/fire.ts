/**
 * Firing one timer: its row goes and its message is appended in one transaction. One that can't be fired stays, with
 * its error: it is tried again after a pause, and in the end waits for a person. Nothing is dropped.
 */
import { isStoreFailure } from '../errors.ts'
import { describe } from '../handle/describe.ts'
import { nextDelay, retryPolicy } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Timer } from '../ports/timers.ts'
import type { Writer } from '../store/writer.ts'

/** Tells after the commit what has happened. */
export type Tell = (signals: Signals) => void

export interface Firing {
  /** By the database's clock. */
  readonly now: number
  readonly runtime: Pick<Runtime, 'random'>
}

/** What a timer's message meets is the store itself and inline views: seconds mend it, or nothing does. */
const policy = retryPolicy('timers', { attempts: 10, base: '1s', cap: '1m' })

const longestError = 1000

/** @throws MESSAGE_ID_REUSED, and whatever an inline view throws */
export async function fireOne(writer: Writer, timer: Timer, { now }: Firing): Promise<Tell> {
  const { id, owner, stream, message } = timer
  await writer.transaction.timers.cancel(id)
  await writer.appendStored(stream, [{ ...message, time: now }])
  return (signals) =>
    signals.emitFrequent({
      name: 'timer-fired',
      id,
      owner,
      type: message.type,
      late: Math.max(0, now - timer.due),
    })
}

/** As {@link fireOne}, but a failure is kept with the timer instead of being thrown. */
export async function fireOrFail(writer: Writer, timer: Timer, firing: Firing): Promise<Tell> {
  try {
    return await writer.savepoint(() => fireOne(writer, timer, firing))
  } catch (error) {
    if (isStoreFailure(error)) throw error
    return failed(writer, timer, { error, runtime: firing.runtime })
  }
}

const failed = async (
  { transaction }: Writer,
  { id, owner, attempts: before }: Timer,
  { error, runtime }: Pick<Firing, 'runtime'> & { readonly error: unknown },
): Promise<Tell> => {
  const attempts = before + 1
  const retryIn = nextDelay(policy, { attempts, error, random: runtime.random() })
  const { name, message } = describe(error)
  const text = `${name}: ${message}`.slice(0, longestError).toWellFormed()
  await transaction.timers.fail(id, { error: text, retryIn: retryIn ?? null })
  const told = { id, owner, attempts, error }
  return (signals) =>
    signals.emit(
      retryIn === undefined
        ? { name: 'timer-parked', ...told }
        : { name: 'timer-failed', retryIn, ...told },
    )
}
