/**
 * Acts upon what waits for its time: cancel, fire now, resume. Each leaves an audit entry in its own transaction.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import { recordAct } from '../store/audit.ts'
import { CronSlots } from './cron.ts'
import { loadRecord, manualTimer, saveRecord, scheduleId, slotTimer } from './record.ts'
import type { TimerView } from './view.ts'
import { findTimer } from './view.ts'

/** Who acts, and with what. */
export interface Acting {
  readonly runtime: Pick<Runtime, 'now' | 'id'>
  readonly actor?: string | undefined
  readonly reason?: string | undefined
}

/** What was acted on, as it was before. */
export type ActedOn = Pick<TimerView, 'id' | 'kind' | 'name' | 'due'>

const note = async (
  transaction: Transaction,
  view: TimerView,
  { action, runtime, actor, reason }: Acting & { readonly action: string },
): Promise<ActedOn> => {
  const { id, kind, name, due } = view
  const details = { kind, name, due }
  await recordAct(transaction, runtime, { actor, reason, action, target: id, details })
  return { id, kind, name, due }
}

/** Whether it is a schedule itself, and not a run of it that was asked for by hand. */
const isOwn = ({ id, kind, name }: TimerView): boolean =>
  kind === 'schedule' && id === scheduleId(name)

const refuse = ({ id }: TimerView, why: string): never => {
  throw new ThenceError('STATE_INVALID', `${id} ${why}`, { details: { id } })
}

/**
 * Takes back what waits for its time. A schedule stays cancelled, over restarts and deploys, until it is resumed. Returns
 * undefined if nothing of that id waits (any more).
 * @throws STATE_INVALID for a timer of a saga: the saga would wait for ever.
 */
export async function cancelIn(
  transaction: Transaction,
  id: string,
  acting: Acting,
): Promise<ActedOn | undefined> {
  const found = await findTimer(transaction, id)
  if (found?.timer === undefined) return undefined
  const { view } = found
  if (view.kind === 'saga')
    refuse(view, `belongs to the saga ${view.name}, which alone can cancel it.`)
  const record = isOwn(view) ? await loadRecord(transaction, view.name) : undefined
  if (record !== undefined)
    await saveRecord(transaction, { ...record, cancelled: await transaction.timers.now() })
  await transaction.timers.cancel(view.id)
  return note(transaction, view, { ...acting, action: 'schedule.cancel' })
}

/**
 * Has a running app fire it within a second, or the next one at its start. What has failed is tried again, and a command
 * that was sent for later is not late any more; a schedule sends one command more, beside its slots. Returns undefined if
 * nothing of that id waits (any more).
 */
export async function fireIn(
  transaction: Transaction,
  id: string,
  acting: Acting,
): Promise<ActedOn | undefined> {
  const found = await findTimer(transaction, id)
  if (found === undefined) return undefined
  const { view, timer } = found
  if (!isOwn(view)) await transaction.timers.hurry(view.id)
  else if (timer === undefined || timer.attempts === 0)
    await transaction.timers.set(manualTimer(view.name, acting.runtime.id()))
  else await transaction.timers.set(slotTimer(view.name, timer.due))
  return note(transaction, view, { ...acting, action: 'schedule.fire' })
}

/**
 * Lets a cancelled schedule go on with its next slot; what it would have sent meanwhile is not sent. Returns undefined if
 * there is no such schedule.
 * @throws STATE_INVALID if it is not cancelled.
 */
export async function resumeIn(
  transaction: Transaction,
  id: string,
  acting: Acting,
): Promise<ActedOn | undefined> {
  const found = await findTimer(transaction, id)
  if (found === undefined) return undefined
  const { view } = found
  const record = isOwn(view) ? await loadRecord(transaction, view.name) : undefined
  if (record === undefined || record.cancelled === null)
    return refuse(view, 'is no schedule that was cancelled: only such a one can be resumed.')
  await saveRecord(transaction, { ...record, cancelled: null })
  const { name, cron, zone, last } = record
  const now = await transaction.timers.now()
  const next = new CronSlots(`Schedule ${name}`, { cron, zone }).next(
    Math.max(now, last?.slot ?? 0),
  )
  await transaction.timers.set(slotTimer(name, next))
  return note(transaction, { ...view, due: next }, { ...acting, action: 'schedule.resume' })
}
