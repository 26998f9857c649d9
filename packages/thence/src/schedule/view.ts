/**
 * What waits for its time, as an operator sees it: schedules, commands that were sent for later, timers of sagas.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectCount, expectOptions } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { Timer, TimerPlace } from '../ports/timers.ts'
import { laterOwner } from '../store/later.ts'
import { goneAfter } from './adopt.ts'
import type { ScheduleRecord } from './record.ts'
import { loadRecord, loadRecords, markOf, scheduleId, scheduleOwner } from './record.ts'

/** Whose timer it is. */
export type TimerKind = 'schedule' | 'send' | 'saga'

/**
 * `waiting` for its time; `failed`, to be tried again; `parked`: given up, it waits for a person; `cancelled` (a schedule
 * only); `absent`: a schedule that no running app has had for two minutes.
 */
export type TimerState = 'waiting' | 'failed' | 'parked' | 'cancelled' | 'absent'

/** What is known of a schedule: the definition that holds, and what became of its slots. */
export type ScheduleState = Omit<ScheduleRecord, 'name'>

export interface TimerView {
  readonly id: string
  readonly kind: TimerKind
  /** The schedule, the type of the command, or the instance of the saga. */
  readonly name: string
  readonly state: TimerState
  /** Unix milliseconds; null if it is cancelled. */
  readonly due: number | null
  /** When it is tried next; null if it waits for a person. */
  readonly next: number | null
  /** Since how many milliseconds it is due, by the clock of the database; 0 if it is not. */
  readonly late: number
  /** Failed attempts. */
  readonly attempts: number
  /** Why the last one failed. */
  readonly error: string | null
  /** Only of a schedule. */
  readonly schedule: ScheduleState | null
}

const kindOf = ({ owner }: Pick<Timer, 'owner'>): TimerKind => {
  if (owner === scheduleOwner) return 'schedule'
  return owner === laterOwner ? 'send' : 'saga'
}

const nameOf = (timer: Timer): string => {
  const kind = kindOf(timer)
  if (kind === 'saga') return timer.owner
  return kind === 'send' ? timer.message.type : (markOf(timer)?.schedule ?? timer.id)
}

/** What a view needs beside the timer. */
interface Around {
  /** By the database's clock. */
  readonly now: number
  readonly record?: ScheduleRecord | undefined
}

const stateOf = ({ next, attempts }: Timer, { now, record }: Around): TimerState => {
  if (next === 0) return 'parked'
  if (record !== undefined && now - record.confirmed >= goneAfter) return 'absent'
  return attempts > 0 ? 'failed' : 'waiting'
}

const scheduleStateOf = (record: ScheduleRecord): ScheduleState => {
  const { name: _, ...state } = record
  return state
}

const viewOf = (timer: Timer, around: Around): TimerView => {
  const { id, due, next, attempts, error } = timer
  const { now, record } = around
  return {
    id,
    kind: kindOf(timer),
    name: nameOf(timer),
    state: stateOf(timer, around),
    due,
    next: next === 0 ? null : next,
    late: Math.max(0, now - due),
    attempts,
    error,
    schedule: record === undefined ? null : scheduleStateOf(record),
  }
}

/** A schedule without a timer: it was cancelled. */
const cancelledView = (record: ScheduleRecord): TimerView => ({
  id: scheduleId(record.name),
  kind: 'schedule',
  name: record.name,
  state: 'cancelled',
  due: null,
  next: null,
  late: 0,
  attempts: 0,
  error: null,
  schedule: scheduleStateOf(record),
})

/** By name; there are few. Those that were fired by hand and wait for an app stand behind their own. */
export async function scheduleViews(transaction: Transaction): Promise<readonly TimerView[]> {
  const now = await transaction.timers.now()
  const timers = await allOf(transaction, scheduleOwner)
  const views: TimerView[] = []
  for (const record of await loadRecords(transaction)) {
    const own = timers.filter((timer) => markOf(timer)?.schedule === record.name)
    const planned = own.some(({ id }) => id === scheduleId(record.name))
    if (!planned) views.push(cancelledView(record))
    for (const timer of own.toReversed()) views.push(viewOf(timer, { now, record }))
  }
  return views
}

const allOf = async ({ timers }: Transaction, owner: string): Promise<readonly Timer[]> => {
  const found: Timer[] = []
  let after: TimerPlace | undefined
  for (;;) {
    const page = await timers.upcoming({
      owner,
      limit: 500,
      ...(after === undefined ? {} : { after }),
    })
    found.push(...page)
    after = page.at(-1)
    if (page.length < 500) return found
  }
}

export interface TimersOptions {
  /** Every timer, also those of sagas, by when it is tried. Default: schedules, then commands for later by that. */
  readonly all?: boolean
  /** Where the page before ended, as it said. */
  readonly after?: string
  /** At most so many, beside the schedules; default 50. */
  readonly limit?: number
}

export interface TimersPage {
  readonly timers: readonly TimerView[]
  /** Where the next page begins, if there may be more. */
  readonly next: string | null
}

const placeOf = (after: string): TimerPlace => {
  const [, next, id] = /^(\d{1,16})\.(.+)$/s.exec(after) ?? []
  if (next !== undefined && id !== undefined) return { next: Number(next), id }
  throw new ThenceError(
    'CONFIG_INVALID',
    `after is ${JSON.stringify(after)}; give what the page before gave as next.`,
  )
}

const optionNames: OptionNames<TimersOptions> = { all: true, after: true, limit: true }

/** What waits for its time: what was given up first, then by when it is tried. @throws CONFIG_INVALID */
export async function listTimers(
  transaction: Transaction,
  options: TimersOptions = {},
): Promise<TimersPage> {
  expectOptions('schedules', options, optionNames)
  const { all = false, after, limit = 50 } = options
  expectCount('limit of schedules', limit)
  const now = await transaction.timers.now()
  const page = await transaction.timers.upcoming({
    limit,
    ...(all ? {} : { owner: laterOwner }),
    ...(after === undefined ? {} : { after: placeOf(after) }),
  })
  const first = all || after !== undefined ? [] : await scheduleViews(transaction)
  const last = page.length < limit ? undefined : page.at(-1)
  const found: TimerView[] = []
  for (const timer of page)
    found.push(viewOf(timer, { now, record: await recordOf(transaction, timer) }))
  return {
    timers: [...first, ...found],
    next: last === undefined ? null : `${last.next}.${last.id}`,
  }
}

const recordOf = async (
  transaction: Transaction,
  timer: Timer,
): Promise<ScheduleRecord | undefined> => {
  const name = markOf(timer)?.schedule
  return name === undefined ? undefined : loadRecord(transaction, name)
}

/** One timer with its view, by its id or by the name of a schedule; a cancelled schedule has no timer. */
export async function findTimer(
  transaction: Transaction,
  id: string,
): Promise<{ readonly view: TimerView; readonly timer?: Timer } | undefined> {
  const now = await transaction.timers.now()
  const named = await transaction.timers.find(id)
  if (named !== undefined) {
    const record = await recordOf(transaction, named)
    return { timer: named, view: viewOf(named, { now, record }) }
  }
  const record = await loadRecord(transaction, scheduleOfId(id) ?? id)
  if (record === undefined) return undefined
  const timer = await transaction.timers.find(scheduleId(record.name))
  return timer === undefined
    ? { view: cancelledView(record) }
    : { timer, view: viewOf(timer, { now, record }) }
}

/** The name in the id of a schedule; undefined for any other id. */
export const scheduleOfId = (id: string): string | undefined => {
  const prefix = scheduleId('')
  return id.startsWith(prefix) ? id.slice(prefix.length) : undefined
}
