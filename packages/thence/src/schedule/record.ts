/**
 * What the store knows of a schedule: the definition that holds, since when nobody had it, and what became of its slots.
 * Every process plans by what is stored, so that two versions of an app never disagree about the next slot.
 */
import type { Transaction } from '../ports/database.ts'
import type { NewTimer, Timer } from '../ports/timers.ts'
import type { CatchUp, Skipped } from './catch-up.ts'

export interface ScheduleRecord {
  readonly name: string
  readonly cron: string
  readonly zone: string
  readonly catchUp: CatchUp
  /** When a running app last had this definition, Unix milliseconds by the database's clock. */
  readonly confirmed: number
  /** When it was cancelled; null if it was not. */
  readonly cancelled: number | null
  /** The last slot that was sent, and when. */
  readonly last: { readonly slot: number; readonly sent: number } | null
  /** What was skipped last, and when. */
  readonly skipped: (Skipped & { readonly time: number }) | null
}

export type Definition = Pick<ScheduleRecord, 'cron' | 'zone' | 'catchUp'>

const collection = '$schedules'
const pageSize = 500

/** The owner of the timers of schedules; `$` keeps it apart from streams. */
export const scheduleOwner = '$schedule'
export const scheduleId = (name: string): string => `schedule:${name}`

export async function loadRecord(
  { documents }: Transaction,
  name: string,
): Promise<ScheduleRecord | undefined> {
  const text = await documents.get(collection, name)
  return text === undefined ? undefined : (JSON.parse(text) as ScheduleRecord)
}

/** Of all schedules that ever ran on this store, by name. */
export async function loadRecords({ documents }: Transaction): Promise<readonly ScheduleRecord[]> {
  const records: ScheduleRecord[] = []
  let after: string | undefined
  for (;;) {
    const page = await documents.list(collection, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    })
    for (const { value } of page) records.push(JSON.parse(value) as ScheduleRecord)
    after = page.at(-1)?.key
    if (page.length < pageSize) return records
  }
}

export async function saveRecord(
  { documents }: Transaction,
  record: ScheduleRecord,
): Promise<void> {
  await documents.put(collection, record.name, JSON.stringify(record))
}

/** What stands in the place of a message until a schedule writes the command of the slot. */
interface Mark {
  readonly schedule: string
  /** Only of one that was fired by hand: what tells it from the slots. */
  readonly manual?: string
}

const markType = '$slot'

const timerOf = (id: string, due: NewTimer['due'], mark: Mark): NewTimer => ({
  id,
  owner: scheduleOwner,
  due,
  stream: scheduleOwner,
  message: {
    id,
    kind: 'command',
    type: markType,
    schemaVersion: 1,
    data: JSON.stringify(mark),
    correlationId: null,
    causationId: null,
    metadata: null,
    tags: [],
    time: 0,
  },
})

/** The timer of the next slot of a schedule: one per schedule. */
export const slotTimer = (schedule: string, slot: number): NewTimer =>
  timerOf(scheduleId(schedule), slot, { schedule })

/** A timer that sends the schedule's command now, beside its slots. */
export const manualTimer = (schedule: string, unique: string): NewTimer =>
  timerOf(`fire:${unique}`, { in: 0 }, { schedule, manual: unique })

/** What a timer of a schedule stands for; undefined for any other timer. */
export const markOf = ({ owner, message }: Pick<Timer, 'owner' | 'message'>): Mark | undefined =>
  owner === scheduleOwner ? (JSON.parse(message.data) as Mark) : undefined
