/**
 * The state of an aggregate at the end of its stream: a snapshot if there is one, and every event after it.
 */
import type { Codec } from '../message/codec.ts'
import type { Recorded } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import type { Aggregate } from './aggregate.ts'

/** A state and the place in the stream that it stands for. */
export interface Folded {
  readonly state: unknown
  /** 0 if the stream does not exist. */
  readonly version: number
  /** Of the last message of the stream; 0 if there is none. */
  readonly position: number
}

const pageSize = 500

/** Applies one event; an event that `evolve` does not name changes nothing. */
export const evolve = (aggregate: Aggregate, state: unknown, event: Recorded): unknown => {
  const entry = aggregate.evolve.get(event.type)
  return entry === undefined ? state : entry.run(state, event)
}

/** A snapshot that is damaged counts as none. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const start = async (
  transaction: Transaction,
  aggregate: Aggregate,
  stream: string,
): Promise<{ state: unknown; version: number }> => {
  const { snapshot } = aggregate
  const found =
    snapshot === undefined
      ? undefined
      : await transaction.snapshots.load(stream, `${aggregate.name}/${snapshot.tag}`)
  const state = found && parsed(found.state)
  if (state === undefined) return { state: aggregate.initial(), version: 0 }
  return { state, version: found?.version ?? 0 }
}

/** Reads and folds the stream. A snapshot that is ahead of the stream is not believed. */
export async function fold(
  transaction: Transaction,
  codec: Codec,
  { aggregate, stream }: { readonly aggregate: Aggregate; readonly stream: string },
): Promise<Folded> {
  let { state, version } = await start(transaction, aggregate, stream)
  let position = 0
  // From the snapshot's own version, so that its last event gives the position, and its absence gives it away.
  let from = Math.max(version, 1)
  for (;;) {
    const page = await transaction.events.readStream(stream, { from, limit: pageSize })
    if (page.length === 0 && version > 0 && position === 0)
      return fold(transaction, codec, { aggregate: { ...aggregate, snapshot: undefined }, stream })
    for (const stored of page) {
      position = stored.position
      if (stored.version <= version) continue
      state = evolve(aggregate, state, codec.decode(stored))
      version = stored.version
    }
    if (page.length < pageSize) return { state, version, position }
    from = version + 1
  }
}
