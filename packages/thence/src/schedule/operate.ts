/**
 * Acts upon what waits for its time: cancel, fire now, resume. Each leaves an audit entry in its own transaction.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { AuditAction } from '../store/audit.ts'
import { recordAct } from '../store/audit.ts'
import { CronSlots } from './cron.ts'
import type { ScheduleRecord } from './record.ts'
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

type Found = NonNullable<Awaited<ReturnType<typeof findTimer>>>

/** Does something with what was found, and gives it as it is to be told; undefined: there was nothing to do it with. */
type Work = (
  transaction: Transaction,
  found: Found,
  acting: Acting,
) => Promise<TimerView | undefined>

type Act = (transaction: Transaction, id: string, acting: Acting) => Promise<ActedOn | undefined>

/** Finds what waits under an id, does the work, and notes who did it in the same transaction. */
const act =
  (action: AuditAction, work: Work): Act =>
  async (transaction, id, acting) => {
    const found = await findTimer(transaction, id)
    const view = found && (await work(transaction, found, acting))
    if (view === undefined) return undefined
    const { kind, name, due } = view
    const details = { kind, name, due }
    const { runtime, actor, reason } = acting
    await recordAct(transaction, runtime, { actor, reason, action, target: view.id, details })
    return { id: view.id, kind, name, due }
  }

/** Whether it is a schedule itself, and not a run of it that was asked for by hand. */
const isOwn = ({ id, kind, name }: TimerView): boolean =>
  kind === 'schedule' && id === scheduleId(name)

/** The definition of a schedule; undefined for anything else that waits. */
const ownRecord = async (
  transaction: Transaction,
  view: TimerView,
): Promise<ScheduleRecord | undefined> =>
  isOwn(view) ? loadRecord(transaction, view.name) : undefined

const refuse = ({ id }: TimerView, why: string): never => {
  throw new ThenceError('STATE_INVALID', `${id} ${why}`, { details: { id } })
}

/**
 * Takes back what waits for its time. A schedule stays cancelled, over restarts and deploys, until it is resumed. Returns
 * undefined if nothing of that id waits (any more).
 * @throws STATE_INVALID for a timer of a saga: the saga would wait for ever.
 */
export const cancelIn: Act = act('schedule.cancel', async (transaction, { view, timer }) => {
  if (timer === undefined) return undefined
  if (view.kind === 'saga')
    refuse(view, `belongs to the saga ${view.name}, which alone can cancel it.`)
  const record = await ownRecord(transaction, view)
  if (record !== undefined)
    await saveRecord(transaction, { ...record, cancelled: await transaction.timers.now() })
  await transaction.timers.cancel(view.id)
  return view
})

/**
 * Has a running app fire it within a second, or the next one at its start. What has failed is tried again, and a command
 * that was sent for later is not late any more; a schedule sends one command more, beside its slots. Returns undefined if
 * nothing of that id waits (any more).
 */
export const fireIn: Act = act(
  'schedule.fire',
  async ({ timers }, { view, timer }, { runtime }) => {
    if (!isOwn(view)) await timers.hurry(view.id)
    else if (timer === undefined || timer.attempts === 0)
      await timers.set(manualTimer(view.name, runtime.id()))
    else await timers.set(slotTimer(view.name, timer.due))
    return view
  },
)

/**
 * Lets a cancelled schedule go on with its next slot; what it would have sent meanwhile is not sent. Returns undefined if
 * there is no such schedule.
 * @throws STATE_INVALID if it is not cancelled.
 */
export const resumeIn: Act = act('schedule.resume', async (transaction, { view }) => {
  const record = await ownRecord(transaction, view)
  if (record === undefined || record.cancelled === null)
    return refuse(view, 'is not a schedule that was cancelled, so there is nothing to resume.')
  await saveRecord(transaction, { ...record, cancelled: null })
  const { name, cron, zone, last } = record
  const now = await transaction.timers.now()
  const next = new CronSlots(`schedule ${name}`, { cron, zone }).next(
    Math.max(now, last?.slot ?? 0),
  )
  await transaction.timers.set(slotTimer(name, next))
  return { ...view, due: next }
})
