/**
 * Writes down who did what, in the transaction of the act: the one way into the audit log.
 */
import { cleanText } from '../internal/text.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'

/** An act as whoever does it tells it. */
export interface Act {
  /** Who does it; default `api`. */
  readonly actor?: string | undefined
  /** What is done, as `noun.verb`. */
  readonly action: string
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

/** A name for whoever acts that can be stored and printed. */
export function actorText(actor: string | undefined): string {
  const text = cleanText((actor ?? '').trim(), limits.actor)
  return text === '' ? 'api' : text
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
