/**
 * Logs of ours in PostgreSQL that hold the load's events: written by the server itself, once for a run. The last event is appended by
 * the adapter, which finds everything as if it had written it, and the rows must be like its own.
 */
import { app, type AppBuilder } from 'thence'
import { postgres } from 'thence/postgres'
import { check } from './bench.ts'
import { payload, streamOf, versionBefore } from './load.ts'
import { appendOne, ItemAdded } from './ours.ts'
import { emptyDatabase, type Place } from './postgres-server.ts'

/** An app on a database, with a pool of its own. */
export const appAt = (place: Pick<Place, 'pool'>): AppBuilder =>
  app({ database: postgres({ pool: place.pool(10) }) }).messages(ItemAdded)

/** As load.ts has them, 210 bytes each, under ids that begin with the time, a millisecond after one another. */
const fill = (count: number): string => `
INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, time, data)
  SELECT n + 1, 'cart-' || n % 1000, n / 1000 + 1, 'event', 'ItemAdded', 1,
    substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7' || substr(gen_random_uuid()::text, 16), 1700000000000 + n,
    head || repeat('n', 208 - length(head)) || '"}'
  FROM (SELECT n, lpad(to_hex(1700000000000 + n), 12, '0') AS hex, '{"n":' || n || ',"cart":"cart-' || n % 1000 ||
    '","item":"a white hanging heart t-light holder","quantity":' || n % 12 + 1 || ',"cents":255,"note":"' AS head
    FROM generate_series(0::bigint, ${count - 1}) AS n) AS load`

/** What an app has counted of it, which it does once a minute. Without that it would count everything when it starts. */
const counted = (count: number): string => `
INSERT INTO thence.sizes (category, messages, bytes, streams, removed, truncated)
  SELECT 'cart', count(*), sum(octet_length(data)), count(*) FILTER (WHERE version = 1), 0, 0 FROM thence.events;
UPDATE thence.measured SET position = ${count}`

interface Index {
  readonly drop: string
  readonly make: string
}

/** What the table has, as the statements that take it away and make it again: the constraints first. */
const indexes = `
SELECT 'ALTER TABLE thence.events DROP CONSTRAINT ' || conname AS drop,
    'ALTER TABLE thence.events ADD CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid) AS make
  FROM pg_constraint WHERE conrelid = 'thence.events'::regclass AND contype IN ('p', 'u')
UNION ALL
SELECT 'DROP INDEX thence.' || relname, pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = 'thence.events'::regclass AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.conindid = i.indexrelid)
ORDER BY drop`

type Stored = Readonly<Record<string, string | number | null>>

const formOf = (id: unknown): string => String(id).replaceAll(/[\da-f]/g, 'x')

/** Column by column: the same as the adapter writes, but for what must differ. */
const checkRow = (row: Stored | undefined, own: Stored | undefined): void => {
  const { position, version, stream, data, id, time, ...others } = row ?? {}
  const n = Number(position) - 1
  check('the stream of a filled row', stream, streamOf(n))
  check('its version', Number(version), versionBefore(n) + 1)
  check('its data', data, JSON.stringify(payload(n)))
  check('the form of its id', formOf(id), formOf(own?.['id']))
  check(
    'where its id begins with its time',
    parseInt(String(id).replace('-', '').slice(0, 12), 16),
    Number(time),
  )
  for (const [name, value] of Object.entries(others)) check(`its ${name}`, value, own?.[name])
}

const make = async (count: number): Promise<Place> => {
  const place = await emptyDatabase()
  await (await appAt(place).start()).stop()
  const found = await place.query<Index>(indexes)
  await place.query(found.map(({ drop }) => drop).join(';'))
  await place.query(fill(count - 1))
  for (const { make: text } of found) await place.query(`SET maintenance_work_mem = '1GB'; ${text}`)
  await place.query('VACUUM (ANALYZE, FREEZE) thence.events')
  check('its indexes', JSON.stringify(await place.query(indexes)), JSON.stringify(found))
  await place.query(counted(count - 1))
  const running = await appAt(place).start()
  await appendOne(running, count - 1)
  await running.stop()
  const last = `SELECT * FROM thence.events WHERE position > ${count - 2} ORDER BY position`
  const [row, own] = await place.query<Stored>(last)
  checkRow(row, own)
  checkRow(own, row)
  await place.query('CHECKPOINT')
  return place
}

const made = new Map<number, Promise<Place>>()

/** Holds events 0 … count − 1, and what was appended since: to be read, copied or continued. */
export function logOf(count: number): Promise<Place> {
  const place = made.get(count) ?? make(count)
  made.set(count, place)
  return place
}

/** The last position of a log. */
export async function headOf(place: Place): Promise<number> {
  const [row] = await place.query<{ head: string }>(
    'SELECT max(position) AS head FROM thence.events',
  )
  return Number(row?.head)
}
