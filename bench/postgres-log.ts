/**
 * Logs of ours in PostgreSQL that hold the load's events: written by the server itself, once for a run.
 */
import { app, type AppBuilder } from 'thence'
import { postgres } from 'thence/postgres'
import { ItemAdded } from './ours.ts'
import { emptyDatabase, type Place } from './postgres-server.ts'

/** An app on a database, with a pool of its own. */
export const appAt = (place: Pick<Place, 'pool'>): AppBuilder =>
  app({ database: postgres({ pool: place.pool(10) }) }).messages(ItemAdded)

/** As load.ts has them, 210 bytes each; ids begin with what grows. */
const fill = (count: number): string => `
INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, time, data)
  SELECT n + 1, 'cart-' || n % 1000, n / 1000 + 1, 'event', 'ItemAdded', 1,
    lpad(to_hex(n), 12, '0') || substr(gen_random_uuid()::text, 13), 1700000000000 + n,
    head || repeat('n', 208 - length(head)) || '"}'
  FROM (SELECT n, '{"n":' || n || ',"cart":"cart-' || n % 1000 ||
    '","item":"a white hanging heart t-light holder","quantity":' || n % 12 + 1 || ',"cents":255,"note":"' AS head
    FROM generate_series(0::bigint, ${count - 1}) AS n) AS load`

const made = new Map<number, Promise<Place>>()

const make = async (count: number): Promise<Place> => {
  const place = await emptyDatabase()
  const running = await appAt(place).start()
  await running.stop()
  await place.query(fill(count))
  await place.query('VACUUM (ANALYZE, FREEZE) thence.events')
  await place.query('CHECKPOINT')
  return place
}

/** Holds events 0 … count − 1 and nothing else: to be read, or to be copied. */
export function logOf(count: number): Promise<Place> {
  const place = made.get(count) ?? make(count)
  made.set(count, place)
  return place
}
