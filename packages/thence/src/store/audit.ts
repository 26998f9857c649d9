/**
 * Writes down who did what, in the transaction of the act: the one way into the audit log.
 */
import { ThenceError } from '../errors.ts'
import { cleanText } from '../internal/text.ts'
import { shown } from '../message/expect.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'

/** Everything that can be done, as `noun.verb`; docs/operate/audit.md tells the same list. */
export const auditActions = [
  'dead-letter.discard',
  'dead-letter.discard-many',
  'dead-letter.edit',
  'dead-letter.redrive',
  'dead-letter.restore',
  'job.cancel',
  'job.pause',
  'job.resume',
  'job.start',
  'projection.back',
  'projection.drop',
  'projection.rebuild',
  'projection.switch',
  'projection.switched',
  'retention.run',
  'schedule.cancel',
  'schedule.fire',
  'schedule.resume',
  'schedule.skip',
  'store.copy',
  'subscription.drop-type',
  'subscription.pause',
  'subscription.policy',
  'subscription.resume',
] as const

export type AuditAction = (typeof auditActions)[number]

/** Who acts where nobody asked: the app by itself, as its parts and its options say. */
export const systemActor = 'thence'

/** An act as whoever does it tells it. */
export interface Act {
  /** Who does it; default `api`. */
  readonly actor?: string | undefined
  readonly action: AuditAction
  /** What it is done to: a name or an id. */
  readonly target: string
  /** Parameters and outcome; what is undefined is left out. */
  readonly details?: Readonly<Record<string, JsonValue | undefined>>
  readonly reason?: string | null | undefined
}

const limits = { actor: 200, reason: 1000 }

/** A reason in one line that can be stored and printed; null if it says nothing. */
export function reasonText(reason: string | null | undefined): string | null {
  const text = cleanText((reason ?? '').trim(), limits.reason)
  return text === '' ? null : text
}

/**
 * A name for whoever acts that can be stored and printed; nobody named: `api`.
 * @throws CONFIG_INVALID for a name that says nothing
 */
export function actorText(actor: string | undefined): string {
  if (actor === undefined) return 'api'
  const text = typeof actor === 'string' ? cleanText(actor.trim(), limits.actor) : ''
  if (text !== '') return text
  throw new ThenceError(
    'CONFIG_INVALID',
    `actor is ${shown(actor)}; give the name of who acts, such as ann@ops-1, or leave it out.`,
  )
}

/** Adds an entry about `act` to the audit log. */
export async function recordAct(
  { audit }: Transaction,
  runtime: Pick<Runtime, 'now' | 'id'>,
  { actor, action, target, details = {}, reason }: Act,
): Promise<void> {
  await audit.add({
    id: runtime.id(),
    time: runtime.now(),
    actor: actorText(actor),
    action,
    target,
    details: JSON.stringify(details),
    reason: reasonText(reason),
  })
}
