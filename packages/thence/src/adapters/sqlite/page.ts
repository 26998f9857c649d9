/**
 * The rows of one page of the log: which way of looking for them is cheapest, and where the page is full.
 */
import type { ReadAll } from '../../ports/events.ts'
import type { Room } from '../../internal/room.ts'
import type { Connection } from './connection.ts'
import { listed, listing } from './listing.ts'
import { matchesAll, typesOnly } from '../sql/query.ts'
import { positions } from './query.ts'
import { columns, type EventRow, sizeOf } from '../sql/rows.ts'

const allForwards = listing(columns, 'position > ? AND position < ? ORDER BY position')
const allBackwards = listing(columns, 'position > ? AND position < ? ORDER BY position DESC')
// The plus keeps SQLite on the range of positions instead of the index by type.
const typesForwards = (list: string): string =>
  listing(columns, `position > ? AND position < ? AND +type IN (${list}) ORDER BY position`)
/** A list of types that is spelled out is quicker than one that is unpacked; each length is a text of its own. */
const spelledOut: readonly string[] = Array.from({ length: 33 }, (_, count) =>
  typesForwards(Array.from({ length: count }, () => '?').join(', ')),
)
const unpacked = typesForwards('SELECT value FROM json_each(?)')
const atPosition = `SELECT ${columns} FROM thence_events WHERE position = ?`

/** Fetching so few rows one by one is quicker than beginning to read a list. */
const fewPositions = 8

/** So many rows are looked at per wanted one before a read by types turns from the log itself to the index. */
const densityWindow = 4

/** Where a page begins and ends, and what still fits. */
export interface Bounds {
  readonly after: number
  readonly before: number
  readonly room: Room
}

/** What matches, in order, until the room is full. */
export function pageOf(connection: Connection, options: ReadAll, bounds: Bounds): EventRow[] {
  const { query } = options
  const { after, before, room } = bounds
  const backwards = options.backwards === true
  if (query === undefined || matchesAll(query))
    return listed(connection, backwards ? allBackwards : allForwards, { room, of: [after, before] })
  if (backwards) {
    const range = { direction: 'backwards', from: before - 1, to: after + 1 } as const
    return at(connection, positions(connection, query, { ...range, limit: room.left }), room)
  }
  const types = typesOnly(query)
  if (types !== undefined && before - 1 - after <= fewPositions)
    return short(connection, types, bounds)
  if (types === undefined) return byIndex(connection, query, bounds)
  const end = Math.min(before, after + room.left * densityWindow + 1)
  const rows = denseTypes(connection, types, { ...bounds, before: end })
  if (room.full || end === before) return rows
  return [...rows, ...byIndex(connection, query, { ...bounds, after: end - 1 })]
}

const byIndex = (
  connection: Connection,
  query: NonNullable<ReadAll['query']>,
  { after, before, room }: Bounds,
): EventRow[] => {
  const range = { direction: 'forwards', from: after + 1, to: before - 1 } as const
  return at(connection, positions(connection, query, { ...range, limit: room.left }), room)
}

const at = (connection: Connection, found: Iterable<number>, room: Room): EventRow[] => {
  const rows: EventRow[] = []
  for (const position of found) {
    const row = connection.get<EventRow>(atPosition, position)!
    if (!room.take(sizeOf(row))) break
    rows.push(row)
  }
  return rows
}

/** The few rows at the end of the log, one by one. */
const short = (connection: Connection, types: readonly string[], bounds: Bounds): EventRow[] => {
  const { after, before, room } = bounds
  const rows: EventRow[] = []
  for (let position = after + 1; position < before && !room.full; position += 1) {
    const row = connection.get<EventRow>(atPosition, position)
    if (row !== undefined && types.includes(row[3]) && room.take(sizeOf(row))) rows.push(row)
  }
  return rows
}

/** Most followers ask for types that are common: a short stretch of the log itself then fills the page. */
const denseTypes = (
  connection: Connection,
  types: readonly string[],
  { after, before, room }: Bounds,
): EventRow[] => {
  const text = spelledOut[types.length]
  return text === undefined
    ? listed(connection, unpacked, { room, of: [after, before, JSON.stringify(types)] })
    : listed(connection, text, { room, of: [after, before, ...types] })
}
