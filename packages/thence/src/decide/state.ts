/**
 * The state of an aggregate at the end of its stream: a snapshot if there is one, and every event after it.
 */
import { ThenceError } from '../errors.ts'
import type { Codec } from '../message/codec.ts'
import type { Recorded } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import { pageBytes, pageSize } from '../store/stream-pages.ts'
import { tombstoned } from '../store/verdict.ts'
import type { Aggregate } from './aggregate.ts'

/** A state and the place in the stream that it stands for. */
export interface Folded {
  readonly state: unknown
  /** 0 if the stream does not exist. */
  readonly version: number
  /** Of the last message of the stream; 0 if there is none. */
  readonly position: number
}

/** Applies one event; an event that `evolve` does not name changes nothing. */
export const evolve = (aggregate: Aggregate, state: unknown, event: Recorded): unknown => {
  const entry = aggregate.evolve.get(event.type)
  return entry === undefined ? state : entry.run(state, event)
}

/** Under which tag the snapshots of an aggregate are stored. */
export const snapshotTag = (aggregate: string, tag: string): string => `${aggregate}/${tag}`

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
      : await transaction.snapshots.load(stream, snapshotTag(aggregate.name, snapshot.tag))
  const state = found && parsed(found.state)
  if (state === undefined) return { state: aggregate.initial(), version: 0 }
  return { state, version: found?.version ?? 0 }
}

/** What is loaded. */
export interface Folding {
  readonly aggregate: Aggregate
  readonly stream: string
}

/**
 * Gives the position of the last message of a stream that does not have the message at which the fold was to begin;
 * undefined if the stream ends before that.
 * @throws HISTORY_TRUNCATED, STREAM_TOMBSTONED
 */
const lastWithout = async (
  { events }: Transaction,
  { aggregate, stream }: Folding,
  version: number,
): Promise<number | undefined> => {
  const info = await events.stream(stream)
  if (info === undefined) return version === 0 ? 0 : undefined
  if (info.tombstone) throw tombstoned(stream)
  if (version > info.version) return undefined
  if (info.trimmed <= version) return info.position
  const snapshot = version === 0 ? 'there is no snapshot' : `the snapshot is of version ${version}`
  throw new ThenceError(
    'HISTORY_TRUNCATED',
    `${aggregate.name} cannot be loaded from stream ${stream}: its messages up to version ${info.trimmed} were removed and ` +
      `${snapshot}, so that the state would be wrong. See: thence retention show`,
    { details: { stream, trimmed: info.trimmed, snapshot: version } },
  )
}

/** A promise for a state would be taken for the state. @throws CONFIG_INVALID */
const settled = ({ name }: Aggregate, state: unknown): unknown => {
  if (!(state instanceof Promise)) return state
  // What becomes of it does not matter any more.
  state.catch(() => undefined)
  throw new ThenceError(
    'CONFIG_INVALID',
    `initial or evolve of aggregate ${name} gave a promise (it must not be async).`,
  )
}

/**
 * Reads and folds the stream. A snapshot that is ahead of the stream is not believed.
 * @throws HISTORY_TRUNCATED if messages were removed that no snapshot stands for; STREAM_TOMBSTONED
 */
export async function fold(
  transaction: Transaction,
  codec: Codec,
  folding: Folding,
): Promise<Folded> {
  const { aggregate, stream } = folding
  let { state, version } = await start(transaction, aggregate, stream)
  let position = 0
  // From the snapshot's own version, so that its last event gives the position, and its absence gives it away.
  let from = Math.max(version, 1)
  for (;;) {
    const range = { from, limit: pageSize, maxBytes: pageBytes }
    const page = await transaction.events.readStream(stream, range)
    const [first] = page
    if (position === 0 && first?.version !== from) {
      const last = await lastWithout(transaction, folding, version)
      if (last === undefined)
        return fold(transaction, codec, {
          aggregate: { ...aggregate, snapshot: undefined },
          stream,
        })
      position = last
      if (first === undefined) break
    }
    for (const stored of page) {
      position = stored.position
      if (stored.version <= version) continue
      state = evolve(aggregate, state, codec.decode(stored))
      version = stored.version
    }
    // One that is bounded by bytes may be short and yet not the last.
    if (first === undefined) break
    from = version + 1
  }
  return { state: settled(aggregate, state), version, position }
}
