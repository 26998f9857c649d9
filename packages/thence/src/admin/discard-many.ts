/**
 * Giving up many dead letters: how many there are, and the act, some of them in each transaction.
 */
import type { RedriveFilter } from '../app/redrive-state.ts'
import { ThenceError } from '../errors.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { On } from './on.ts'
import { audited } from './on.ts'
import { passOver, requireReason } from './operate.ts'
import type { RedrivePlan } from './redrive.ts'
import { checkFilter, lastParked, noneParked, parkedCount, planRedrive } from './redrive.ts'

export interface DiscardManyOptions extends RedriveFilter {
  /** Why; it is kept with each letter and in the audit log. */
  readonly reason: string
}

/** Letters per transaction. */
const batch = 100

/** What `discardMany` would give up; changes nothing. @throws NOT_FOUND (as `discardMany`), CONFIG_INVALID */
export const planDiscard = (on: On, filter: RedriveFilter): Promise<RedrivePlan> =>
  planRedrive(on, filter)

/** What the filter says, as the audit log keeps it; nothing given up is not a filter. */
const requireSome = (filter: RedriveFilter): Record<string, JsonValue> => {
  const told = JSON.parse(JSON.stringify(filter)) as Record<string, JsonValue>
  if (Object.keys(told).length > 0) return told
  throw new ThenceError(
    'CONFIG_INVALID',
    'Say which messages to discard: a subscription, a fingerprint, a kind, ….',
  )
}

/** Notes the act before anything is done, so that no letter is given up of which the log does not tell. */
const begin = async (
  on: On,
  transaction: Transaction,
  { filter, reason }: { readonly filter: RedriveFilter; readonly reason: string },
): Promise<number> => {
  const told = requireSome(filter)
  await checkFilter(transaction, filter)
  const total = await parkedCount(transaction, filter)
  if (total === 0) throw noneParked()
  const target = filter.subscription ?? filter.fingerprint ?? '*'
  const details = { total, ...told }
  await audited(on, transaction, { action: 'dead-letter.discard-many', target, details, reason })
  return lastParked(transaction, filter)
}

/**
 * Gives many parked messages up, a hundred in each transaction: their letters keep `reason`, and what waits behind them goes
 * on. The audit log has one entry, with the filter and how many there were. What is parked meanwhile is left alone. If it
 * fails half-way what is done stays done; call it again. Returns how many were given up.
 * @throws NOT_FOUND (the subscription, a letter that is named, or no letter that matches), CONFIG_INVALID (no reason, or
 * nothing says which)
 */
export async function discardMany(
  on: On,
  { reason, ...filter }: DiscardManyOptions,
): Promise<number> {
  const text = requireReason(reason, 'discard')
  const last = await on.database.transact((transaction) =>
    begin(on, transaction, { filter, reason: text }),
  )
  const wanted = { ...filter, state: 'parked', limit: batch } as const
  const until = Math.min(filter.until ?? Infinity, last)
  let discarded = 0
  for (let after: string | undefined = ''; after !== undefined;) {
    const from: string = after
    const done = await on.database.transact((transaction) =>
      discardSome(transaction, { ...wanted, until, after: from }, text),
    )
    discarded += done.discarded
    after = done.next
  }
  return discarded
}

const discardSome = async (
  transaction: Transaction,
  wanted: RedriveFilter & { readonly after: string; readonly limit: number },
  reason: string,
): Promise<{ readonly discarded: number; readonly next: string | undefined }> => {
  const letters = await transaction.deadLetters.list(wanted)
  for (const letter of letters) {
    await transaction.deadLetters.mark(letter.id, { from: 'parked', to: 'discarded', reason })
    await passOver(transaction, letter)
  }
  const next = letters.length < wanted.limit ? undefined : letters.at(-1)?.id
  return { discarded: letters.length, next }
}
