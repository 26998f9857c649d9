// The oracle: what was acknowledged, by the journal of the counter, against what the store holds.
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { until } from './until.ts'

/** One number of the store, read by SQLite alone. */
const number = (path: string, sql: string): number => {
  const raw = new DatabaseSync(path, { readOnly: true })
  raw.exec('PRAGMA busy_timeout = 20000')
  try {
    return Number(Object.values(raw.prepare(sql).get() ?? {})[0])
  } finally {
    raw.close()
  }
}

const rows = (collection: string): string =>
  `SELECT count(*) FROM thence_documents WHERE collection = '${collection}'`

/** How many leases changed hands, beyond the first holder of each. */
export const takeovers = (path: string): number =>
  number(path, 'SELECT sum(epoch - 1) FROM thence_leases')

/** The member that a running process is, by its number; undefined if it is not known (any more). */
export const memberOf = (path: string, pid: number): string | undefined => {
  const raw = new DatabaseSync(path, { readOnly: true })
  raw.exec('PRAGMA busy_timeout = 20000')
  const found = raw.prepare(`SELECT id FROM thence_members WHERE name LIKE '%:${pid}'`).get()
  raw.close()
  return found === undefined ? undefined : String(found['id'])
}

/** How many leases a member holds. */
export const leasesOf = (path: string, member: string): number =>
  number(path, `SELECT count(*) FROM thence_leases WHERE owner = '${member}'`)

/** Whether a writer gets in within a moment. */
export const isWritable = (path: string): boolean => {
  const raw = new DatabaseSync(path)
  try {
    raw.exec('PRAGMA busy_timeout = 500; BEGIN IMMEDIATE; ROLLBACK')
    return true
  } catch {
    return false
  } finally {
    raw.close()
  }
}

/** How many deposits wait for the clerk. */
export const pending = (path: string): number =>
  number(path, "SELECT count(*) FROM thence_events WHERE type = 'Deposited'") -
  number(path, rows('noted'))

export const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []

/** How often a handler did again outside of the store what it had done. */
export const repeated = (notes: string): number => {
  const lines = linesOf(notes)
  return lines.length - new Set(lines).size
}

/** How many deposits were acknowledged so far. */
export const acknowledged = (journal: string): number => linesOf(journal).length

/** Waits until all is done, and checks that nothing is lost, doubled, out of order or parked. */
export async function checkBooks(path: string, journal: string): Promise<number> {
  const taken = linesOf(journal)
  const accounts = new Set(taken.map((line) => line.split(' ')[0])).size
  await until('every deposit to be noted, summed and thanked for', () => {
    const deposits = number(path, "SELECT count(*) FROM thence_events WHERE type = 'Deposited'")
    const summed = number(
      path,
      "SELECT coalesce(sum(value ->> 'deposits'), 0) FROM thence_documents WHERE collection = 'sums'",
    )
    const noted = number(path, rows('noted'))
    const thanked = number(path, rows('thanked'))
    return deposits === noted && deposits === summed && thanked === accounts ? true : undefined
  })
  const raw = new DatabaseSync(path, { readOnly: true })
  const stored = raw
    .prepare(
      "SELECT data ->> 'account' || ' ' || (data ->> 'n') AS line FROM thence_events WHERE type = 'Deposited'",
    )
    .all()
    .map(({ line }) => String(line))
  const others = raw
    .prepare(
      "SELECT collection, key, value FROM thence_documents WHERE collection IN ('noted', 'thanked') AND value <> '1' OR collection = 'disorder'",
    )
    .all()
  const letters = raw.prepare('SELECT count(*) AS letters FROM thence_dead_letters').get()
  const check = raw.prepare('PRAGMA integrity_check').get()
  raw.close()
  expect(new Set(stored).size, 'deposits stored once each').toBe(stored.length)
  expect(
    taken.filter((line) => !new Set(stored).has(line)),
    'acknowledged and lost',
  ).toEqual([])
  expect(others, 'done twice, or out of order').toEqual([])
  expect(letters).toEqual({ letters: 0 })
  expect(check).toEqual({ integrity_check: 'ok' })
  return stored.length
}
