/**
 * Projections that change in the transaction of the append. A view that throws refuses the append, so they are for what
 * must never lag: uniqueness, balances that gate a decision.
 */
import type { Recorded } from '../message/message.ts'
import type { Codec } from '../message/codec.ts'
import type { Transaction } from '../ports/database.ts'
import type { Inline } from '../store/writer.ts'
import { placeAnew } from '../subscribe/anew.ts'
import { takeAnew } from '../subscribe/taken.ts'
import { project } from './follow.ts'
import type { Projection } from './projection.ts'
import { servingName } from './versions.ts'

const pageSize = 1000
const pageBytes = 8 * 1024 * 1024

/** The hook for every append, or nothing if no projection is inline. */
export function inlineHook(projections: readonly Projection[]): Inline | undefined {
  if (projections.length === 0) return undefined
  return async (transaction, recorded) => {
    for (const projection of projections) {
      const events = recorded.filter(({ type }) => projection.on.has(type))
      if (events.length > 0) await applyAll(projection, transaction, events)
    }
  }
}

const applyAll = async (
  projection: Projection,
  transaction: Transaction,
  events: readonly Recorded[],
): Promise<void> => {
  const name = await servingName(transaction, projection.name)
  const { view, flush, end } = projection.view.open(transaction, name)
  try {
    for (const event of events) await project(projection, event, view)
    await flush()
  } finally {
    end()
  }
}

/**
 * Builds an inline view from the whole log inside one transaction: writers wait, and what becomes visible is complete.
 * Returns the position up to which it was built.
 */
export async function buildInline(
  projection: Projection,
  transaction: Transaction,
  codec: Codec,
): Promise<number> {
  const { name } = projection
  const types = [...projection.on.keys()]
  const query = [{ types }]
  await projection.view.clear(transaction, await servingName(transaction, name))
  let after = 0
  for (;;) {
    const page = await transaction.events.readAll({
      query,
      after,
      limit: pageSize,
      maxBytes: pageBytes,
      // Whatever this view is to show was committed with it, and nobody else does that meanwhile.
      unsettled: true,
    })
    const events = page.messages.map((stored) => codec.decode(stored))
    await applyAll(projection, transaction, events)
    after = page.through
    if (!page.more) break
  }
  await placeAnew(transaction, name, after)
  await takeAnew(transaction, name, types)
  return after
}
