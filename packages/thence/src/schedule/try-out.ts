/**
 * Whether a schedule can write its next command, asked when an app starts: a mistake is told to who makes the start, not at
 * night to the log.
 */
import { isThenceError, ThenceError } from '../errors.ts'
import type { Tools } from '../store/writer.ts'
import type { Schedule } from './schedule.ts'
import { slotMessage, suffixOf } from './slots.ts'

const says = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error)

/**
 * Writes the command of a slot, and forgets it.
 * @throws CONFIG_INVALID if `send` throws, with that as its cause; SCHEMA_INVALID, VALUE_NOT_STORABLE, MESSAGE_UNKNOWN
 */
export function tryOut(schedule: Schedule, time: number, tools: Tools): void {
  const suffix = suffixOf(time)
  try {
    slotMessage(schedule, { time, manual: false, suffix }, tools)
  } catch (cause) {
    const what = `Schedule ${schedule.name} has no command for its next slot, ${suffix}`
    if (isThenceError(cause))
      throw new ThenceError(cause.code, `${what}: ${cause.message}`, {
        cause,
        details: cause.details,
      })
    throw new ThenceError(
      'CONFIG_INVALID',
      `${what}, because its send threw ${says(cause)}. It is asked once at the start: mend it, or have it write the ` +
        'command from the slot alone.',
      { cause },
    )
  }
}
