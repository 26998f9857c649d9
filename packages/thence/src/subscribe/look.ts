/**
 * What a process sees of the others when it looks: who is alive, who has which lease, and how its own subscriptions are
 * divided, set and stand. All of it is read in one transaction, so that it belongs together.
 */
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Lease, Member } from '../ports/leases.ts'
import type { Store } from '../store/store.ts'
import type { Division } from './division.ts'
import { allDivisions } from './division.ts'
import type { SubscriptionSettings } from './settings.ts'
import { allSettings } from './settings.ts'
import type { Subscription } from './subscription.ts'

export interface Seen {
  readonly members: readonly Member[]
  readonly leases: ReadonlyMap<string, Lease>
  readonly divisions: ReadonlyMap<string, Division>
  readonly checkpoints: readonly Checkpoint[]
  readonly settings: ReadonlyMap<string, SubscriptionSettings>
  /** Of each subscription, before this was read. */
  readonly revisions: ReadonlyMap<Subscription, number>
}

export function look(store: Store, subscriptions: readonly Subscription[]): Promise<Seen> {
  const revisions = new Map(subscriptions.map((one) => [one, one.revision]))
  return store.read(async (transaction) => {
    const { leases, checkpoints } = transaction
    return {
      members: await leases.members(),
      leases: new Map((await leases.list()).map((lease) => [lease.name, lease])),
      divisions: await allDivisions(transaction),
      checkpoints: await checkpoints.list(),
      settings: await allSettings(transaction),
      revisions,
    }
  })
}
