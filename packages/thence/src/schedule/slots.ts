/**
 * Firing a schedule: the commands of the slots that are due, and the timer of the next one in place of theirs, in one
 * transaction. The ids of the commands are made from the slots, so that the log itself refuses a slot a second time.
 */
import { isThenceError } from '../errors.ts'
import type { NewMessage } from '../ports/events.ts'
import type { Timer } from '../ports/timers.ts'
import { recordAct, systemActor } from '../store/audit.ts'
import type { Tools, Writer } from '../store/writer.ts'
import { commandStream, prepare } from '../store/writer.ts'
import type { CatchUp, Skipped } from './catch-up.ts'
import { planSlots } from './catch-up.ts'
import { CronSlots } from './cron.ts'
import type { Schedule, Slot } from './schedule.ts'
import { commandOf } from './schedule.ts'
import type { Definition, ScheduleRecord } from './record.ts'
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
    : new CronSlots(`schedule ${own.name}, as it is stored,`, { cron, zone })

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
  { schedule, zone, now, tools }: Held,
): Promise<string> => {
  // A slot is one of the definition that holds, and so is the clock that tells it.
  const { stream, message } = slotMessage({ ...schedule, zone }, slot, tools)
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
    actor: systemActor,
    action: 'schedule.skip',
    target: scheduleId(name),
    details: { from: suffixOf(from), to: suffixOf(to), slots, catchUp },
  })

/** With the definition that holds, which may be that of another version. */
interface Held extends SlotFiring, Definition {
  readonly known: ScheduleRecord | undefined
}

const sendPlanned = async (writer: Writer, firing: Held): Promise<FiredSlots> => {
  const { timer, schedule, now, known, cron, zone, catchUp } = firing
  const { transaction } = writer
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
  const { timer, schedule } = firing
  const known = await loadRecord(writer.transaction, schedule.name)
  const { cron, zone, catchUp } = known ?? schedule
  const held = { ...firing, known, cron, zone, catchUp }
  const manual = markOf(timer)?.manual
  if (manual === undefined) return sendPlanned(writer, held)
  await writer.transaction.timers.cancel(timer.id)
  const type = await sendSlot(writer, { time: timer.due, manual: true, suffix: manual }, held)
  return { slots: [timer.due], type, skipped: undefined }
}
