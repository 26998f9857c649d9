/**
 * Changing how a subscription of a running app runs: pause, resume, failure policy.
 */
import { ThenceError } from '../errors.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { Store } from '../store/store.ts'
import type { Change, SubscriptionSettings } from '../subscribe/settings.ts'
import { pauseIn, resumeIn, setPolicyIn } from '../subscribe/settings.ts'
import type { Engine } from './engine.ts'

export interface SettingOptions {
  /** Why; kept in the audit log. */
  readonly reason?: string
  /** Who does it, for the audit log; default `api`. */
  readonly actor?: string
}

export const settingNames: OptionNames<SettingOptions> = { reason: true, actor: true }

type Work = (transaction: Transaction, change: Change) => Promise<SubscriptionSettings>

/** A change of one subscription, in a transaction of its own. @throws NOT_FOUND */
export async function changeSettings(
  { store, engine }: { readonly store: Store; readonly engine: Engine },
  { name, ...options }: SettingOptions & { readonly name: string },
  work: Work,
): Promise<void> {
  expectOptions(`the change of ${name}`, options, settingNames)
  const subscription = engine.subscription(name)
  if (subscription === undefined)
    throw new ThenceError(
      'NOT_FOUND',
      `There is no subscription ${name} in this app. Aggregates, sagas, handlers and projections that are not inline ` +
        'have one, under their own name.',
    )
  const change = { ...options, subscription: name, runtime: store.tools.runtime }
  subscription.set(await store.transact(({ transaction }) => work(transaction, change)))
  engine.look()
}

export const pausing: Work = pauseIn
export const resuming: Work = resumeIn
export const deciding =
  (policy: FailurePolicy | null): Work =>
  (transaction, change) =>
    setPolicyIn(transaction, { ...change, policy })
