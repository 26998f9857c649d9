/**
 * What speaks against removing messages: a subscription that has not read them, a retry or an open dead letter that
 * needs them, a state that could not be loaded without them.
 */
import { categoryOf } from '../message/name.ts'
import type { Transaction } from '../ports/database.ts'
import type { StoredMessage } from '../ports/events.ts'

/** A subscription, and up to where it has read. */
export interface Reader {
  readonly name: string
  /** Undefined: it may read any. */
  readonly types: ReadonlySet<string> | undefined
  /** Of its slowest partition. */
  readonly position: number
  /** Why it needs what comes after that. */
  readonly reason: 'reader' | 'replay'
}

/** Who needs what of the log. */
export interface Standing {
  readonly readers: readonly Reader[]
  /** The tag of an aggregate's snapshots by its name; undefined: it takes none. */
  readonly aggregates: ReadonlyMap<string, string | undefined>
  /** For each saga the collection of documents that lists its open instances. */
  readonly sagas: ReadonlyMap<string, string>
}

/**
 * - `reader`: a subscription has not read it yet.
 * - `replay`: a replay goes on, and finds there what its handler has said.
 * - `waiting`: a retry or a dead letter that is not resolved needs it.
 * - `snapshot`: its aggregate could not be loaded without it.
 * - `saga`: its saga instance is open.
 * - `whole`: its saga instance has ended, but its stream goes only as a whole, and is ended with it.
 */
export type HoldReason = 'reader' | 'replay' | 'waiting' | 'snapshot' | 'saga' | 'whole'

export interface Hold {
  readonly reason: HoldReason
  /** The subscription, aggregate or saga; null where there may be several. */
  readonly by: string | null
  readonly stream: string
  /** Of the first message that is held. */
  readonly position: number
}

/** What is to go: messages of one stream, from its beginning on. */
export interface Piece {
  readonly stream: string
  readonly messages: readonly StoredMessage[]
  /** Whether nothing can be appended to the stream afterwards. */
  readonly tombstone: boolean
}

export interface Weighing {
  readonly standing: Standing
  /** Only what waits still counts. */
  readonly force: boolean
}

/** Nobody needs the first `free` messages; `hold` says why no more. */
export interface Weighed {
  readonly free: number
  readonly hold?: Hold
}

const unread = ({ readers }: Standing, { type, position }: StoredMessage): Reader | undefined =>
  readers.find(
    (reader) =>
      reader.position < position && (reader.types === undefined || reader.types.has(type)),
  )

const waitingOf = async (
  { retries, deadLetters }: Transaction,
  messages: readonly StoredMessage[],
): Promise<ReadonlySet<number>> => {
  const positions = messages.map(({ position }) => position)
  const waiting = await retries.waitingAt(positions)
  return new Set([...waiting, ...(await deadLetters.openAt(positions))])
}

/** Up to which version the stream's own state allows it; undefined: all. */
const loadable = async (
  { snapshots, documents }: Transaction,
  { stream, tombstone }: Piece,
  { aggregates, sagas }: Standing,
): Promise<
  { readonly through: number; readonly reason: 'snapshot' | 'saga' | 'whole' } | undefined
> => {
  const category = categoryOf(stream)
  const open = sagas.get(category)
  if (open !== undefined) {
    const key = stream.slice(category.length + 1)
    if ((await documents.get(open, key)) !== undefined) return { through: 0, reason: 'saga' }
    return tombstone ? undefined : { through: 0, reason: 'whole' }
  }
  if (tombstone || !aggregates.has(category)) return undefined
  const tag = aggregates.get(category)
  const snapshot = tag === undefined ? undefined : await snapshots.load(stream, tag)
  return { through: snapshot?.version ?? 0, reason: 'snapshot' }
}

/** How much of a piece may go. */
export async function weigh(
  transaction: Transaction,
  piece: Piece,
  { standing, force }: Weighing,
): Promise<Weighed> {
  const { stream, messages } = piece
  const waiting = await waitingOf(transaction, messages)
  const state = force ? undefined : await loadable(transaction, piece, standing)
  for (const [free, message] of messages.entries()) {
    const { position, version } = message
    const held = (reason: HoldReason, by: string | null): Weighed => ({
      free,
      hold: { reason, by, stream, position },
    })
    if (waiting.has(position)) return held('waiting', null)
    if (state !== undefined && version > state.through)
      return held(state.reason, categoryOf(stream))
    const reader = force ? undefined : unread(standing, message)
    if (reader !== undefined) return held(reader.reason, reader.name)
  }
  return { free: messages.length }
}
