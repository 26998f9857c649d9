/**
 * What is written down when a message fails: when it is tried again, or a dead letter with its whole why. All of it in
 * the transaction that moves on, so that nothing is lost in between.
 */
import { describe } from '../handle/describe.ts'
import type { RetryPolicy } from '../handle/retry.ts'
import { nextDelay } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Transaction } from '../ports/database.ts'
import type { Attempt, Retry } from '../ports/retries.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Failure, Item } from './item.ts'

export interface Failing {
  readonly subscription: string
  readonly policy: RetryPolicy
  readonly runtime: Runtime
  readonly signals: Signals
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

/**
 * Records a failed attempt: due again, or parked with a dead letter. The signal is given back, to be sent once the
 * transaction has committed.
 */
export async function fail(
  transaction: Transaction,
  { subscription, policy, runtime, signals }: Failing,
  { item, failure, before }: { item: Item; failure: Failure; before?: Retry },
): Promise<() => void> {
  const now = runtime.now()
  const { error } = failure
  const what = describe(error)
  const attempts = (before?.attempts ?? 0) + 1
  const delay = nextDelay(policy, { attempts, error, random: runtime.random() })
  const history = attemptsOf(before, now, `${what.name}: ${what.message}`)
  const { position, id, type } = item.stored
  const { key, hash } = before ?? item
  const row = {
    subscription,
    key,
    hash,
    position,
    messageId: id,
    attempts,
    history,
    ...replayOf(before),
  }
  const told = { subscription, key: item.key, type, id, position, attempts, error }
  if (delay !== undefined) {
    await transaction.retries.put({ ...row, state: 'due', due: now + delay })
    return () => signals.emit({ name: 'message-failed', retryIn: delay, ...told })
  }
  await transaction.retries.put({ ...row, state: 'parked', due: 0 })
  await transaction.deadLetters.add({
    id: runtime.id(),
    subscription,
    key: item.key,
    state: 'parked',
    message: item.stored,
    errorName: what.name,
    errorCode: what.code,
    errorMessage: what.message,
    stack: what.stack,
    attempts: history,
    time: now,
    reason: null,
  })
  return () => signals.emit({ name: 'message-parked', ...told })
}
