/**
 * A projection as a sink of a subscription: the view and the checkpoint move in one transaction. Which version of the view
 * is written to is read in that transaction too.
 */
import { retryPolicy } from '../handle/retry.ts'
import type { Recorded } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import type { Run, Sink } from '../subscribe/sink.ts'
import { moved } from '../subscribe/stepping.ts'
import { take } from '../subscribe/taken.ts'
import type { SubscriptionOptions } from '../subscribe/options.ts'
import type { Projection } from './projection.ts'
import { loadVersions, servingName, sideName, storageName } from './versions.ts'
import type { Opened } from './view.ts'

/** Applies one event to an open view; an event that the projection does not name changes nothing. */
export async function project(
  projection: Projection,
  event: Recorded,
  view: unknown,
): Promise<void> {
  await projection.on.get(event.type)?.run(event, view)
}

/** Gives the name of the version to write to; throws if there is none any more. */
type Find = (transaction: Transaction) => Promise<string>

const open = (projection: Projection, transaction: Transaction, find: Find): Run => {
  let opened: Opened<unknown> | undefined
  const view = async (): Promise<Opened<unknown>> =>
    (opened ??= projection.view.open(transaction, await find(transaction)))
  return {
    async ahead(keys) {
      await (await view()).ahead?.(keys)
    },
    async apply(event) {
      const { view: own, end } = await view()
      try {
        await project(projection, event, own)
      } catch (error) {
        end()
        throw error
      }
    },
    async flush() {
      await opened?.flush()
      opened?.end()
    },
  }
}

/** Where a view can't stand beside another one, a rebuild empties it. */
const servingSink = (projection: Projection): Sink => {
  const find: Find = (transaction) => servingName(transaction, projection.name)
  const sink: Sink = { open: ({ transaction }) => open(projection, transaction, find) }
  if (projection.view.beside) return sink
  return {
    ...sink,
    clear: async ({ transaction }) => projection.view.clear(transaction, await find(transaction)),
  }
}

const buildingSink = (projection: Projection, version: number): Sink => {
  const { name } = projection
  const find: Find = async (transaction) => {
    const { building } = await loadVersions(transaction, name)
    // By now it may serve, or be dropped: then it is not this subscription's to write to.
    if (building?.version !== version) throw moved(sideName(name, version))
    return storageName(name, version)
  }
  return { open: ({ transaction }) => open(projection, transaction, find) }
}

const following = (projection: Projection, name: string): Omit<SubscriptionOptions, 'sink'> => ({
  name,
  types: [...projection.on.keys()],
  onTake: (transaction, position) =>
    take(transaction, { name, types: [...projection.on.keys()], position }),
  key: projection.key,
  retry: retryPolicy(`Projection ${projection.name}`, projection.retry),
  onFailure: projection.onFailure,
  batch: projection.batch,
  concurrency: 1,
})

/** The subscription of a following projection: it feeds the version that serves. */
export function follow(projection: Projection): SubscriptionOptions {
  const { name, keyVersion } = projection
  return { keyVersion, ...following(projection, name), sink: servingSink(projection) }
}

/** The subscription that fills a version beside the one that serves. */
export function build(projection: Projection, version: number): SubscriptionOptions {
  const { name } = projection
  return {
    part: name,
    isWanted: async (transaction) =>
      (await loadVersions(transaction, name)).building?.version === version,
    ...following(projection, sideName(name, version)),
    sink: buildingSink(projection, version),
  }
}
