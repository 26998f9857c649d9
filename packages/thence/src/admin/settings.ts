/**
 * Changing how a subscription runs, from outside of the app: pause, resume, failure policy. Running apps notice within a
 * second.
 */
import { loadParts } from '../app/part-records.ts'
import { ThenceError } from '../errors.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import type { Transaction } from '../ports/database.ts'
import type { Change, SubscriptionSettings } from '../subscribe/settings.ts'
import { pauseIn, resumeIn, setPolicyIn } from '../subscribe/settings.ts'
import { requireSubscription } from './dead-letters.ts'
import type { On } from './on.ts'
import { expectReason, runtimeOf } from './on.ts'

export interface SettingOptions {
  /** Why; kept in the audit log. */
  readonly reason?: string
}

/** What is set for a subscription now. */
export interface SettingsView extends SubscriptionSettings {
  readonly subscription: string
}

const checkFollows = async (transaction: Transaction, name: string): Promise<void> => {
  await requireSubscription(transaction, name)
  const part = (await loadParts(transaction)).find((one) => one.name === name)
  if (part?.inline === true)
    throw new ThenceError(
      'STATE_INVALID',
      `"${name}" is an inline projection: its view changes with the append, and nothing can come between.`,
    )
}

const change = (
  on: On,
  { name, options }: { readonly name: string; readonly options: SettingOptions },
  work: (transaction: Transaction, change: Change) => Promise<SubscriptionSettings>,
): Promise<SettingsView> =>
  on.database.transact(async (transaction) => {
    expectReason(`the change of ${name}`, options)
    await checkFollows(transaction, name)
    const { actor } = on
    const { reason } = options
    const settings = await work(transaction, {
      runtime: runtimeOf(on),
      subscription: name,
      actor,
      reason,
    })
    return { subscription: name, ...settings }
  })

/**
 * Has a subscription begin nothing new until it is resumed. What is in hand is finished. One that is paused already
 * stays so, with its first reason.
 * @throws NOT_FOUND, STATE_INVALID (an inline projection)
 */
export const pause = (on: On, name: string, options: SettingOptions = {}): Promise<SettingsView> =>
  change(on, { name, options }, pauseIn)

/** Lets a paused subscription go on. @throws NOT_FOUND, STATE_INVALID (an inline projection) */
export const resume = (on: On, name: string, options: SettingOptions = {}): Promise<SettingsView> =>
  change(on, { name, options }, resumeIn)

/**
 * Says what becomes of a message that fails for good, instead of what the part says; `null` gives the word back to it.
 * @throws NOT_FOUND, STATE_INVALID (an inline projection), CONFIG_INVALID (no such policy)
 */
export const setPolicy = (
  on: On,
  name: string,
  { policy, ...options }: SettingOptions & { readonly policy: FailurePolicy | null },
): Promise<SettingsView> =>
  change(on, { name, options }, (transaction, about) =>
    setPolicyIn(transaction, { ...about, policy }),
  )
