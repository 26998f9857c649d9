/**
 * Schedules: a command at each moment that a cron pattern names. A definition is data and a function; it knows no store.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectFunction,
  expectMessage,
  expectObject,
  expectOneOf,
  expectOptions,
} from '../message/expect.ts'
import type { CommandMessage } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import type { CatchUp } from './catch-up.ts'
import { catchUps } from './catch-up.ts'
import { CronSlots } from './cron.ts'
import { localTime } from './local-time.ts'

/** A moment that a schedule stands for. */
export interface Slot {
  /** Unix milliseconds; of one that was fired by hand, when that was. */
  readonly time: number
  /** The same by the clock of the zone, for example `2026-03-29T03:00:00+02:00`. */
  readonly local: string
  /** Whether it was fired by hand, beside the slots of the pattern. */
  readonly manual: boolean
}

export interface ScheduleOptions {
  /**
   * Minute, hour, day of month, month and day of week, or a second before them: `0 2 * * *`. Also `@daily` and the like,
   * `L`, `W` and `#`. If both days are named, either will do; `+MON` wants both.
   */
  readonly cron: string
  /** An IANA time zone, for example `Europe/Berlin`; default `UTC`. */
  readonly zone?: string
  /**
   * What becomes of slots whose time passed while nothing ran: `all` are sent, at most the latest thousand; only the
   * `latest` (the default); or `none`, unless it is at most a minute late. What is skipped is told and audited.
   */
  readonly catchUp?: CatchUp
  /**
   * Writes the command of a slot. It is synchronous, may be asked again for the same slot, and is asked once when the app
   * starts; it gives no id.
   */
  readonly send: (slot: Slot) => CommandMessage
}

const optionNames: OptionNames<ScheduleOptions> = {
  cron: true,
  zone: true,
  catchUp: true,
  send: true,
}

/** A schedule, ready for `use`. */
export interface Schedule {
  readonly part: 'schedule'
  readonly name: string
  readonly cron: string
  readonly zone: string
  readonly catchUp: CatchUp
  readonly slots: CronSlots
  readonly send: (slot: Slot) => CommandMessage
}

/** With `@` and what follows, the name makes the id of a message. */
const longestName = 200

/**
 * Defines a schedule. Each slot is sent once, never before its time by the clock of the database, however many processes
 * run; a slot that was missed is sent late, as far as `catchUp` says.
 * @param name 1 to 200 characters, unique among the schedules of a store.
 * @throws NAME_INVALID; CONFIG_INVALID if the pattern or the zone can't be read, or the pattern names no moment
 */
export function schedule(name: string, options: ScheduleOptions): Schedule {
  checkName('The schedule', name)
  if (name.length > longestName)
    throw new ThenceError(
      'NAME_INVALID',
      `The schedule "${name.slice(0, 80)}…" must have a name of at most ${longestName} characters.`,
    )
  expectObject(`What schedule ${name} is`, options)
  expectOptions(`schedule ${name}`, options, optionNames)
  const { cron, zone = 'UTC', catchUp = 'latest', send } = options
  expectFunction(`send of schedule ${name}`, send)
  expectOneOf(`catchUp of schedule ${name}`, catchUp, catchUps)
  const slots = new CronSlots(`schedule ${name}`, { cron, zone })
  return { part: 'schedule', name, cron, zone, catchUp, slots, send }
}

/**
 * The command of a slot, under an id that is the same whenever and wherever it is written.
 * @param suffix tells the slot from the others of its schedule.
 * @throws CONFIG_INVALID, and whatever `send` throws
 */
export function commandOf(
  { name, zone, send }: Schedule,
  { time, manual }: Pick<Slot, 'time' | 'manual'>,
  suffix: string,
): CommandMessage {
  const what = `send of schedule ${name}`
  const command = send({ time, local: localTime(time, zone), manual })
  expectMessage(what, command, 'command')
  if (command.id !== undefined)
    throw new ThenceError(
      'CONFIG_INVALID',
      `${what} gave ${command.type} the id ${command.id}; leave it out: it is made from the schedule and the slot.`,
    )
  return { ...command, id: `${name}@${suffix}` }
}
