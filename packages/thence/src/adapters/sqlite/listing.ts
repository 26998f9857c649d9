/**
 * Lists of messages that end where a page is full. With a bound on bytes the sizes are read first, so that no more is
 * loaded than fits.
 */
import type { Room } from '../../internal/room.ts'
import type { Connection } from './connection.ts'
import type { SqliteValue } from './driver.ts'
import type { EventRow } from './rows.ts'

/** The same rows with everything, and with their sizes only. */
export interface Listing {
  readonly rows: string
  readonly sizes: string
}

const size = 'octet_length(data) + coalesce(octet_length(metadata), 0)'

export const listing = (columns: string, rest: string): Listing => ({
  rows: `SELECT ${columns} FROM thence_events WHERE ${rest} LIMIT ?`,
  sizes: `SELECT ${size} FROM thence_events WHERE ${rest} LIMIT ?`,
})

/** The rows of a listing with these parameters, until the room is full. */
export function listed(
  connection: Connection,
  { rows, sizes }: Listing,
  { room, of }: { readonly room: Room; readonly of: readonly SqliteValue[] },
): EventRow[] {
  if (room.maxBytes === Infinity) {
    const found = connection.all<EventRow>(rows, ...of, room.left)
    for (let count = 0; count < found.length; count += 1) room.take(0)
    return found
  }
  let fitting = 0
  for (const [bytes] of connection.all<[number]>(sizes, ...of, room.left)) {
    if (!room.take(bytes)) break
    fitting += 1
  }
  return fitting === 0 ? [] : connection.all<EventRow>(rows, ...of, fitting)
}
