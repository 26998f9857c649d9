/**
 * A projection as a sink of a subscription: the view and the checkpoint move in one transaction.
 */
import { retryPolicy } from '../handle/retry.ts'
import type { Recorded } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import type { Run, Sink } from '../subscribe/sink.ts'
import type { SubscriptionOptions } from '../subscribe/options.ts'
import type { Projection } from './projection.ts'

/** Applies one event to an open view; an event that the projection does not name changes nothing. */
export async function project(
  projection: Projection,
  event: Recorded,
  view: unknown,
): Promise<void> {
  await projection.on.get(event.type)?.run(event, view)
}

const open = (projection: Projection, transaction: Transaction): Run => {
  const { view, flush, end } = projection.view.open(transaction, projection.name)
  return {
    apply: (event) => project(projection, event, view),
    async flush() {
      await flush()
      end()
    },
  }
}

const sinkOf = (projection: Projection): Sink => ({
  open: (writer) => open(projection, writer.transaction),
  clear: (writer) => projection.view.clear(writer.transaction, projection.name),
})

/** The subscription of a following projection. */
export function follow(projection: Projection): SubscriptionOptions {
  return {
    name: projection.name,
    types: [...projection.on.keys()],
    key: projection.key,
    retry: retryPolicy(`Projection ${projection.name}`, projection.retry),
    onFailure: projection.onFailure,
    batch: projection.batch,
    concurrency: 1,
    sink: sinkOf(projection),
  }
}
