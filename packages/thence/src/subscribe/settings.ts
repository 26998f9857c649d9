/**
 * What an operator may change of a subscription while it runs: whether it is paused, and what becomes of a message that
 * failed for good. Kept in the store, so that every process sees it in the transaction where it matters.
 */
import { ThenceError } from '../errors.ts'
import { meant } from '../internal/near.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import { failurePolicies } from '../handle/failure-policy.ts'
import { shown } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Act } from '../store/audit.ts'
import { actorText, reasonText, recordAct } from '../store/audit.ts'

/** Since when a subscription does nothing, and why. */
export interface Paused {
  readonly reason: string | null
  /** Unix milliseconds. */
  readonly time: number
  readonly actor: string
}

export interface SubscriptionSettings {
  readonly paused?: Paused
  /** Instead of what its part says. */
  readonly policy?: FailurePolicy
}

/** Where settings are kept, by subscription. */
export const settingsCollection = '$settings'
const pageSize = 500

/** What is set for one subscription; empty if nothing is. */
export async function loadSettings(
  { documents }: Transaction,
  subscription: string,
): Promise<SubscriptionSettings> {
  const text = await documents.get(settingsCollection, subscription)
  return text === undefined ? {} : (JSON.parse(text) as SubscriptionSettings)
}

interface Belonging {
  readonly subscription: string
  /** The part that it belongs to; its own name, but for a version of a view that is built beside the one that serves. */
  readonly part: string
}

/**
 * What an operator has set for messages that are given up: for the subscription itself, else for its part. So what is set
 * for a projection holds for the versions that are built beside it. A pause is of one subscription only.
 */
export async function loadPolicy(
  transaction: Transaction,
  { subscription, part }: Belonging,
): Promise<FailurePolicy | undefined> {
  const { policy } = await loadSettings(transaction, subscription)
  if (policy !== undefined || part === subscription) return policy
  return (await loadSettings(transaction, part)).policy
}

/** The same, of what was read for all. */
export function settingsOf(
  all: ReadonlyMap<string, SubscriptionSettings>,
  { subscription, part }: Belonging,
): SubscriptionSettings {
  const policy = all.get(part)?.policy
  return { ...(policy === undefined ? {} : { policy }), ...all.get(subscription) }
}

/** What is set for all subscriptions that have settings. */
export async function allSettings({
  documents,
}: Transaction): Promise<ReadonlyMap<string, SubscriptionSettings>> {
  const all = new Map<string, SubscriptionSettings>()
  for (let after: string | undefined; ;) {
    const page = await documents.list(settingsCollection, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    })
    for (const { key, value } of page) all.set(key, JSON.parse(value) as SubscriptionSettings)
    if (page.length < pageSize) return all
    after = page.at(-1)?.key
  }
}

/** What was set for a subscription that is no more. */
export async function forgetSettings(
  { documents }: Transaction,
  subscription: string,
): Promise<void> {
  await documents.delete(settingsCollection, subscription)
}

async function saveSettings(
  { documents }: Transaction,
  subscription: string,
  settings: SubscriptionSettings,
): Promise<void> {
  if (settings.paused === undefined && settings.policy === undefined)
    await documents.delete(settingsCollection, subscription)
  else await documents.put(settingsCollection, subscription, JSON.stringify(settings))
}

/** Who changes a setting of which subscription, and why. */
export interface Change {
  readonly runtime: Pick<Runtime, 'now' | 'id'>
  readonly subscription: string
  readonly actor?: string | undefined
  readonly reason?: string | undefined
}

/** Pauses it; one that is paused already stays as it is. Returns what is set now. */
export async function pauseIn(
  transaction: Transaction,
  { runtime, subscription, actor, reason }: Change,
): Promise<SubscriptionSettings> {
  const before = await loadSettings(transaction, subscription)
  if (before.paused !== undefined) return before
  const paused = { reason: reasonText(reason), time: runtime.now(), actor: actorText(actor) }
  const settings = { ...before, paused }
  await saveSettings(transaction, subscription, settings)
  const act: Act = { actor, reason, action: 'subscription.pause', target: subscription }
  await recordAct(transaction, runtime, act)
  return settings
}

/** Lets it go on; one that is not paused stays as it is. Returns what is set now. */
export async function resumeIn(
  transaction: Transaction,
  { runtime, subscription, actor, reason }: Change,
): Promise<SubscriptionSettings> {
  const { paused, ...settings } = await loadSettings(transaction, subscription)
  if (paused === undefined) return settings
  await saveSettings(transaction, subscription, settings)
  const details = { pausedSince: paused.time }
  const act: Act = { actor, reason, action: 'subscription.resume', target: subscription, details }
  await recordAct(transaction, runtime, act)
  return settings
}

/** Types are all that says so in the code of an app, and the command line has a word of its own for `null`. */
const expectPolicy = (subscription: string, policy: FailurePolicy | null): void => {
  if (policy === null || failurePolicies.includes(policy)) return
  const near = typeof policy === 'string' ? meant(policy, failurePolicies) : ''
  throw new ThenceError(
    'CONFIG_INVALID',
    `policy of ${subscription} is ${shown(policy)}; it is one of ${failurePolicies.join(', ')}.${near} ` +
      'null sets it back to what the handler says.',
  )
}

/**
 * Sets what becomes of a message that failed for good; `null` gives the word back to the part. Returns what is set now.
 * @throws CONFIG_INVALID (no such policy)
 */
export async function setPolicyIn(
  transaction: Transaction,
  { runtime, subscription, actor, reason, policy }: Change & { policy: FailurePolicy | null },
): Promise<SubscriptionSettings> {
  expectPolicy(subscription, policy)
  const { policy: before, ...rest } = await loadSettings(transaction, subscription)
  const settings: SubscriptionSettings = policy === null ? rest : { ...rest, policy }
  if (before === settings.policy) return settings
  await saveSettings(transaction, subscription, settings)
  const details = { policy, before: before ?? null }
  const act: Act = { actor, reason, action: 'subscription.policy', target: subscription, details }
  await recordAct(transaction, runtime, act)
  return settings
}
