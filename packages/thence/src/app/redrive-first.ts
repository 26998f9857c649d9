/**
 * The one that goes first in a redrive: a letter that is tried as soon as it is sent. What waits behind a message that is
 * parked and not part of the job would be waited for without end; what no running app takes is not sent at all.
 */
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { RedriveProgress, Search, Turn } from './redrive-state.ts'
import { batch, leftOf, subscriptionsOf } from './redrive-state.ts'
import type { Runners } from './runners.ts'
import { loadRunners } from './runners.ts'

/** It cannot go on, and why, in a sentence. */
export interface Stop {
  readonly stop: string
}

/** Sends one letter, and says whether that was possible. */
type Send = (letter: DeadLetter) => Promise<boolean>

/** The letter of the parked message that this one would wait behind, or waits behind if it was sent. */
export async function blockerOf(
  { transaction: { retries, deadLetters } }: Pick<Turn, 'transaction'>,
  { subscription, key, message: { position } }: DeadLetter,
): Promise<string | undefined> {
  const own = await retries.find(subscription, position)
  // It stands for its key: it is tried at once, whatever stands before it.
  if (own !== undefined && own.state !== 'queued') return undefined
  const before = await retries.parkedBefore(own ?? { subscription, key, position })
  if (before === undefined) return undefined
  return (await deadLetters.find(subscription, before.position))?.id
}

/** Which letter waits behind which, and what to do. */
const stopOf = async (
  { transaction: { deadLetters } }: Turn,
  { letter, by }: { readonly letter: string; readonly by: string },
): Promise<Stop> => {
  const parked = await deadLetters.get(by)
  const place =
    parked === undefined
      ? ''
      : ` (${parked.subscription}, ${parked.key === '' ? '' : `key ${parked.key}, `}position ${parked.message.position})`
  return {
    stop:
      `None can go first: the letter ${letter} waits behind the letter ${by}${place}, which is parked and not part of this job. ` +
      `First redrive that one, or discard it: thence dead-letters redrive ${by}`,
  }
}

/** What a page of letters has: one that could go and was sent, and the first that waits. */
interface Looked {
  readonly sent?: string
  readonly behind: Search['behind']
}

/** Sends the first that can go. */
const firstOf = async (
  turn: Turn,
  letters: readonly DeadLetter[],
  { send, runners }: { readonly send: Send; readonly runners: Runners },
): Promise<Looked> => {
  let behind: Search['behind'] = null
  for (const letter of letters) {
    if (!runners.has(letter.subscription)) continue
    const by = await blockerOf(turn, letter)
    if (by !== undefined) behind ??= { letter: letter.id, by }
    else if (await send(letter)) return { sent: letter.id, behind }
  }
  return { behind }
}

/** Looks through a page of letters for one that can go first, and sends it. */
const lookThrough = async (
  turn: Turn,
  before: RedriveProgress,
  tools: { readonly send: Send; readonly runners: Runners },
): Promise<RedriveProgress> => {
  const seen: RedriveProgress = { ...before, search: null, absent: null }
  const letters = await turn.transaction.deadLetters.list({
    ...leftOf(turn.spec, turn.job),
    after: before.search === null || before.search.after === '' ? seen.cursor : before.search.after,
    limit: batch,
  })
  const { sent, behind: first } = await firstOf(turn, letters, tools)
  if (sent !== undefined) {
    const { redriven, inFlight } = seen
    return { ...seen, redriven: redriven + 1, inFlight: inFlight + 1, canary: sent }
  }
  const behind = before.search?.behind ?? first
  const isAtEnd = letters.length < batch
  // All were looked at: where nothing waits there is nothing to try out, and the others are gone through.
  if (isAtEnd && behind === null) return { ...seen, proven: true }
  return { ...seen, search: { after: isAtEnd ? '' : (letters.at(-1)?.id ?? ''), behind } }
}

/** Sends one alone, a step nearer to it, or tells why none can go. */
export async function sendFirst(
  turn: Turn,
  seen: RedriveProgress,
  send: Send,
): Promise<RedriveProgress | Stop> {
  const { transaction, spec, job } = turn
  const behind = seen.search?.behind ?? null
  if (spec.limit !== null && seen.redriven >= spec.limit)
    return behind === null ? { ...seen, exhausted: true } : stopOf(turn, behind)
  const runners = await loadRunners(transaction)
  const names = await subscriptionsOf(transaction, leftOf(spec, job))
  const [absent] = names
  if (absent !== undefined && !names.some(runners.has)) return { ...seen, absent, search: null }
  const after = await lookThrough(turn, seen, { send, runners })
  if (after.search === null || after.search.after !== '' || after.search.behind === null)
    return after
  return stopOf(turn, after.search.behind)
}
