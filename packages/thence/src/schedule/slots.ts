/**
 * Firing a schedule: the commands of the slots that are due, and the timer of the next one in place of theirs, in one
 * transaction. The ids of the commands are made from the slots, so that the log itself refuses a slot a second time.
 */
import { isThenceError } from '../errors.ts'
import type { NewMessage } from '../ports/events.ts'
import type { Timer } from '../ports/timers.ts'
import { recordAct } from '../store/audit.ts'
import type { Tools, Writer } from '../store/writer.ts'
import { commandStream, prepare } from '../store/writer.ts'
import type { CatchUp, Skipped } from './catch-up.ts'
import { planSlots } from './catch-up.ts'
import { CronSlots } from './cron.ts'
import type { Schedule, Slot } from './schedule.ts'
import { commandOf } from './schedule.ts'
import type { Definition } from './record.ts'
import { loadRecord, markOf, saveRecord, scheduleId, slotTimer } from './record.ts'

/** What was done about a timer of a schedule. */
export interface FiredSlots {
  /** Unix milliseconds. */
  readonly slots: readonly number[]
  readonly type: string
  readonly skipped: Skipped | undefined
}

export interface SlotFiring {
  readonly timer: Timer
  readonly schedule: Schedule
  /** By the database's clock. */
  readonly now: number
  readonly tools: Tools
}

/** The pattern of a definition; that of `own`, if it is the same, is not read again. */
export const patternOf = (
  { cron, zone }: Pick<Definition, 'cron' | 'zone'>,
  own: Schedule,
): CronSlots =>
  cron === own.cron && zone === own.zone
    ? own.slots
    : new CronSlots(`Schedule ${own.name}, as it is stored,`, { cron, zone })

/** The command of a slot as it is appended. @throws SCHEMA_INVALID, CONFIG_INVALID, and whatever `send` throws */
export function slotMessage(
  schedule: Schedule,
  slot: Pick<Slot, 'time' | 'manual'> & { readonly suffix: string },
  tools: Tools,
): { readonly stream: string; readonly message: NewMessage } {
  const command = commandOf(schedule, slot, slot.suffix)
  const stream = commandStream(command.type)
  const { request } = prepare({ stream, messages: [command] }, tools)
  return { stream, message: request.messages[0] as NewMessage }
}

export const suffixOf = (slot: number): string => new Date(slot).toISOString()

/** Sends the command of one slot, unless that has happened. Gives the command's type. */
const sendSlot = async (
  writer: Writer,
  slot: Parameters<typeof slotMessage>[1],
  { schedule, now, tools }: SlotFiring,
): Promise<string> => {
  const { stream, message } = slotMessage(schedule, slot, tools)
  try {
    await writer.appendStored(stream, [{ ...message, time: now }])
  } catch (error) {
    // Sent before, by another version that wrote the command of this slot in another way.
    if (!isThenceError(error, 'MESSAGE_ID_REUSED')) throw error
    const [sent] = await writer.transaction.events.find({ id: message.id })
    if (sent?.stream !== stream || sent.type !== message.type) throw error
  }
  return message.type
}

const noteSkipped = (
  { transaction }: Writer,
  { from, to, slots, catchUp }: Skipped & { readonly catchUp: CatchUp },
  { schedule: { name }, tools }: SlotFiring,
): Promise<void> =>
  recordAct(transaction, tools.runtime, {
    actor: 'thence',
    action: 'schedule.skip',
    target: scheduleId(name),
    details: { from: suffixOf(from), to: suffixOf(to), slots, catchUp },
  })

const sendPlanned = async (writer: Writer, firing: SlotFiring): Promise<FiredSlots> => {
  const { timer, schedule, now } = firing
  const { transaction } = writer
  const known = await loadRecord(transaction, schedule.name)
  const { cron, zone, catchUp } = known ?? schedule
  const plan = planSlots(patternOf({ cron, zone }, schedule), { slot: timer.due, now, catchUp })
  let type = ''
  for (const time of plan.send)
    type = await sendSlot(writer, { time, manual: false, suffix: suffixOf(time) }, firing)
  await transaction.timers.set(slotTimer(schedule.name, plan.next))
  if (plan.skipped !== undefined) await noteSkipped(writer, { ...plan.skipped, catchUp }, firing)
  const slot = plan.send.at(-1)
  await saveRecord(transaction, {
    name: schedule.name,
    cron,
    zone,
    catchUp,
    cancelled: null,
    confirmed: known?.confirmed ?? now,
    last: slot === undefined ? (known?.last ?? null) : { slot, sent: now },
    skipped: plan.skipped === undefined ? (known?.skipped ?? null) : { ...plan.skipped, time: now },
  })
  return { slots: plan.send, type, skipped: plan.skipped }
}

/** @throws whatever `send` throws, MESSAGE_ID_REUSED, and the errors of inline views */
export async function fireSchedule(writer: Writer, firing: SlotFiring): Promise<FiredSlots> {
  const { timer } = firing
  const manual = markOf(timer)?.manual
  if (manual === undefined) return sendPlanned(writer, firing)
  await writer.transaction.timers.cancel(timer.id)
  const type = await sendSlot(writer, { time: timer.due, manual: true, suffix: manual }, firing)
  return { slots: [timer.due], type, skipped: undefined }
}
