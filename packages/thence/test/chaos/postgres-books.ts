// The oracle on PostgreSQL: what was acknowledged, by the journals of the counters, against what the store holds.
import { Client } from 'pg'
import { expect } from 'vitest'
import { linesOf } from './books.ts'
import { until } from './until.ts'

const progress = `SELECT
  (SELECT count(*) FROM thence.events WHERE type = 'Deposited')::integer AS deposits,
  (SELECT count(*) FROM thence.documents WHERE collection = 'noted')::integer AS noted,
  (SELECT coalesce(sum((value::json ->> 'deposits')::integer), 0) FROM thence.documents WHERE collection = 'sums')::integer AS summed,
  (SELECT count(*) FROM thence.documents WHERE collection = 'thanked')::integer AS thanked`

const stored = `SELECT (data::json ->> 'account') || ' ' || (data::json ->> 'n') AS line
  FROM thence.events WHERE type = 'Deposited'`

const wrong = `SELECT collection, key, value FROM thence.documents
  WHERE collection IN ('noted', 'thanked') AND value <> '1' OR collection = 'disorder'`

const versions = `SELECT stream, position FROM
  (SELECT stream, position, version - lag(version, 1, 0) OVER (PARTITION BY stream ORDER BY position) AS step FROM thence.events) AS steps
  WHERE step <> 1`

const order = "SELECT value FROM thence.meta WHERE key = 'order'"

const gaps = `SELECT count(*)::integer AS gaps FROM
  (SELECT position - lag(position, 1, 0::bigint) OVER (ORDER BY position) AS step FROM thence.events) AS steps WHERE step <> 1`

const letters = 'SELECT count(*)::integer AS letters FROM thence.dead_letters'

/** Waits until all is done, and checks that nothing is lost, doubled, out of order or parked. Gives how many deposits there are. */
export async function checkServerBooks(url: string, journal: string): Promise<number> {
  const taken = linesOf(journal)
  const accounts = new Set(taken.map((line) => line.split(' ')[0])).size
  const client = new Client(url)
  await client.connect()
  const ask = async (text: string) => (await client.query<Record<string, unknown>>(text)).rows
  try {
    await until('every deposit to be noted, summed and thanked for', async () => {
      const [row] = await ask(progress)
      const { deposits, noted, summed, thanked } = row ?? {}
      return deposits === noted && deposits === summed && thanked === accounts ? true : undefined
    })
    const lines = (await ask(stored)).map(({ line }) => String(line))
    const found = new Set(lines)
    expect(found.size, 'deposits stored once each').toBe(lines.length)
    const lost = taken.filter((line) => !found.has(line))
    expect(lost, 'acknowledged and lost').toEqual([])
    expect(await ask(wrong), 'done twice, or out of order').toEqual([])
    expect(await ask(versions), 'versions that do not follow each other').toEqual([])
    // In the other order, what was rolled back leaves gaps.
    const [made] = await ask(order)
    if (made?.['value'] === 'sequenced') expect(await ask(gaps)).toEqual([{ gaps: 0 }])
    expect(await ask(letters)).toEqual([{ letters: 0 }])
    return lines.length
  } finally {
    await client.end()
  }
}
