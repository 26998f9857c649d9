/**
 * Lists of messages that end where a page is full. With a bound on bytes rows are read one by one, so that at most one is
 * loaded that does not fit.
 */
import type { Room } from '../../internal/room.ts'
import type { Connection } from './connection.ts'
import type { SqliteValue } from './driver.ts'
import { type EventRow, sizeOf } from '../sql/rows.ts'

/** The text that reads the rows of a list; its last parameter is how many at most. */
export const listing = (columns: string, rest: string): string =>
  `SELECT ${columns} FROM thence_events WHERE ${rest} LIMIT ?`

/** The rows of a listing with these parameters, until the room is full. */
export function listed(
  connection: Connection,
  sql: string,
  { room, of }: { readonly room: Room; readonly of: readonly SqliteValue[] },
): EventRow[] {
  if (room.maxBytes === Infinity) {
    const found = connection.all<EventRow>(sql, ...of, room.left)
    for (let count = 0; count < found.length; count += 1) room.take(0)
    return found
  }
  const rows: EventRow[] = []
  connection.some<EventRow>(sql, [...of, room.left], (row) => {
    const fits = room.take(sizeOf(row))
    if (fits) rows.push(row)
    return fits && !room.full
  })
  return rows
}
