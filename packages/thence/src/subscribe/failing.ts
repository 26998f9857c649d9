/**
 * What is written down when a message fails: when it is tried again, or a dead letter with its whole why. All of it in
 * the transaction that moves on, so that nothing is lost in between.
 */
import type { ErrorKind } from '../errors.ts'
import { describe } from '../handle/describe.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import { skippedReason } from '../handle/failure-policy.ts'
import { fingerprintOf } from '../handle/fingerprint.ts'
import type { RetryPolicy } from '../handle/retry.ts'
import { nextDelay } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { Attempt, Retry } from '../ports/retries.ts'
import type { Runtime } from '../ports/runtime.ts'
import { systemActor } from '../store/audit.ts'
import type { Failure, Item } from './item.ts'
import type { SubscriptionSettings } from './settings.ts'
import { loadPolicy, pauseIn } from './settings.ts'
import type { Telling } from './telling.ts'
import type { Valve } from './valve.ts'

export interface Failing {
  readonly subscription: string
  /** The part that it belongs to. */
  readonly part: string
  readonly policy: RetryPolicy
  readonly classify: (error: unknown) => ErrorKind
  /** What the part says of messages that are given up. */
  readonly onFailure: FailurePolicy
  readonly valve: Pick<Valve, 'opensIn'>
  readonly runtime: Runtime
  readonly signals: Signals
  readonly telling: Telling
  /** The failure has changed what is set for the subscription. */
  readonly changed: (settings: SubscriptionSettings) => void
}

/** What a failed attempt has led to. */
export interface Failed {
  /** To be called once the transaction has committed. */
  readonly tell: () => void
  /** Whether the message waits in retries, and its key with it. */
  readonly waits: boolean
  /** Whether the subscription is to begin nothing behind it. */
  readonly stops: boolean
}

/** Only the latest attempts are kept, so that a row stays small. */
const maxHistory = 20

const attemptsOf = (before: Retry | undefined, now: number, text: string): readonly Attempt[] =>
  [...(before?.history ?? []), { time: now, error: text.slice(0, 500) }].slice(-maxHistory)

const replayOf = (before: Retry | undefined): { readonly replay?: true } =>
  before?.replay === true ? { replay: true } : {}

/** Puts the message behind an earlier one of its key. */
export async function queue(
  transaction: Transaction,
  subscription: string,
  item: Item,
): Promise<void> {
  await transaction.retries.put({
    subscription,
    key: item.key,
    hash: item.hash,
    position: item.stored.position,
    messageId: item.stored.id,
    state: 'queued',
    attempts: 0,
    due: 0,
    history: [],
  })
}

export interface FailedItem {
  readonly item: Item
  readonly failure: Failure
  readonly before?: Retry
}

/** One failed attempt, looked at. */
const look = async (
  { timers }: Transaction,
  { classify }: Failing,
  { item, failure, before }: FailedItem,
) => {
  const { error, probe = false } = failure
  const now = await timers.now()
  const what = describe(error)
  const kind = failure.kind ?? classify(error)
  // What a probe finds out is about what is called, not about the message.
  const attempts = (before?.attempts ?? 0) + (probe ? 0 : 1)
  const history = attemptsOf(before, now, `${what.name}: ${what.message}`)
  return { item, before, error, now, what, kind, attempts, history }
}

type Look = Awaited<ReturnType<typeof look>>

const rowOf = (
  subscription: string,
  { item, before, attempts, history }: Look,
): Omit<Retry, 'state' | 'due'> => {
  const { key, hash } = before ?? item
  const { position, id: messageId } = item.stored
  return { subscription, key, hash, position, messageId, attempts, history, ...replayOf(before) }
}

const told = ({ telling }: Failing, { item, kind, attempts, error }: Look) => ({
  ...telling.of(item),
  attempts,
  kind,
  error,
})

/** Records a failed attempt: due again, or given up with a dead letter. */
export async function fail(
  transaction: Transaction,
  failing: Failing,
  failed: FailedItem,
): Promise<Failed> {
  const seen = await look(transaction, failing, failed)
  const { subscription, policy, runtime, signals, valve } = failing
  const delay = nextDelay(policy, { ...seen, random: runtime.random() })
  if (delay === undefined) return giveUp(transaction, failing, seen)
  // In an outage, others are tried before the one that has just failed.
  const retryIn = valve.opensIn + delay
  await transaction.retries.put({
    ...rowOf(subscription, seen),
    state: 'due',
    due: seen.now + retryIn,
  })
  const signal = {
    name: 'message-failed',
    retryIn,
    ...told(failing, seen),
  } as const
  return { tell: () => signals.emit(signal), waits: true, stops: false }
}

const letterOf = (
  { subscription, runtime }: Failing,
  { item, before, now, what, kind, history }: Look,
): DeadLetter => ({
  id: runtime.id(),
  subscription,
  key: item.key,
  state: 'parked',
  message: item.stored,
  edited: null,
  kind,
  replay: before?.replay === true,
  errorName: what.name,
  errorCode: what.code,
  errorMessage: what.message,
  stack: what.stack,
  fingerprint: fingerprintOf(subscription, what, kind),
  attempts: history,
  time: now,
  changed: now,
  reason: null,
  job: null,
})

/** The policy is read here, so that a change of it holds from the next failure on, in every process. */
const giveUp = async (transaction: Transaction, failing: Failing, seen: Look): Promise<Failed> => {
  const { subscription, signals, changed } = failing
  const policy = (await loadPolicy(transaction, failing)) ?? failing.onFailure
  const waits = policy === 'park-key' || policy === 'stop'
  const { retries, deadLetters } = transaction
  const row = rowOf(subscription, seen)
  if (waits) await retries.put({ ...row, state: 'parked', due: 0 })
  else if (seen.before !== undefined) await retries.settle(seen.before, seen.now)
  const letter = letterOf(failing, seen)
  await deadLetters.add(letter)
  const settings = policy === 'stop' ? await stopIn(transaction, failing, seen) : undefined
  if (policy === 'skip') await skip(transaction, row)
  const name = policy === 'skip' ? 'message-skipped' : 'message-parked'
  const signal = { name, waits, ...told(failing, seen) } as const
  return {
    tell: () => {
      if (settings !== undefined) changed(settings)
      signals.emit(signal)
    },
    waits,
    stops: policy === 'stop',
  }
}

const stopIn = (
  transaction: Transaction,
  { subscription, runtime }: Failing,
  { item, what }: Look,
): Promise<SubscriptionSettings> => {
  const { type, position } = item.stored
  const reason = `${type} at position ${position} failed: ${what.name}: ${what.message}`
  return pauseIn(transaction, {
    runtime,
    subscription,
    actor: systemActor,
    reason: reason.slice(0, 500),
  })
}

/** Nobody is to look after it, and yet it is kept. */
const skip = async (
  { deadLetters }: Transaction,
  { subscription, position }: Pick<Retry, 'subscription' | 'position'>,
): Promise<void> => {
  const letter = await deadLetters.find(subscription, position)
  if (letter !== undefined)
    await deadLetters.mark(letter.id, { from: 'parked', to: 'discarded', reason: skippedReason })
}
