/**
 * Where a stream ends: its last message, or what is kept of it once messages were removed.
 */
import type { StreamInfo } from '../../ports/events.ts'
import type { Connection } from './connection.ts'

const stateOfStream =
  'SELECT (SELECT max(version) FROM thence_events WHERE stream = ?), ' +
  '(SELECT version FROM thence_trimmed WHERE stream = ?), ' +
  '(SELECT tombstone FROM thence_trimmed WHERE stream = ?)'
const lastOfStream =
  'SELECT version, position, time FROM thence_events WHERE stream = ? ORDER BY version DESC LIMIT 1'
const trimmedStream =
  'SELECT version, position, time, tombstone FROM thence_trimmed WHERE stream = ?'
type Last = readonly [version: number, position: number, time: number]

/** What an append must know of its stream. */
export interface StreamState {
  /** 0 if there is no such stream. */
  readonly version: number
  readonly tombstone: boolean
}

export function streamState(connection: Connection, stream: string): StreamState {
  const [stored, trimmed, tombstone] = connection.get<
    [number | null, number | null, number | null]
  >(stateOfStream, stream, stream, stream)!
  return { version: stored ?? trimmed ?? 0, tombstone: tombstone === 1 }
}

export function streamInfo(connection: Connection, stream: string): StreamInfo | undefined {
  const kept = connection.get<Last>(lastOfStream, stream)
  const removed = connection.get<[...Last, number]>(trimmedStream, stream)
  const last = kept ?? removed
  if (last === undefined) return undefined
  const [version, position, time] = last
  const [trimmed, , , tombstone] = removed ?? [0, 0, 0, 0]
  return { stream, version, position, time, trimmed, tombstone: tombstone === 1 }
}
