/**
 * The health of a store in SQLite; see ports/diagnosis.ts. It reads the whole file once, to see whether it is damaged.
 */
import { readFileSync } from 'node:fs'
import { isThenceError } from '../../errors.ts'
import type { Finding, FindingState } from '../../ports/diagnosis.ts'
import type { Connection } from './connection.ts'
import { migrationPlan } from './schema.ts'

/** Where the dump is, beside the sources and beside what was built of them alike. */
const dump = new URL('../../../src/adapters/sqlite/schema.sql', import.meta.url)

const own =
  "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name LIKE 'thence\\_%' ESCAPE '\\' ORDER BY name"

const finding =
  (check: string) =>
  (state: FindingState, text: string, advice?: string): Finding => ({
    check,
    state,
    text,
    ...(advice !== undefined && { advice }),
  })
const ofSchema = finding('schema')
const ofFile = finding('file')
const ofSpace = finding('space')
const ofLog = finding('log')

const mend = 'Restore the file from a backup, or drop what differs.'

const compare = (connection: Connection): readonly Finding[] => {
  const wanted = new Set(
    readFileSync(dump, 'utf8')
      .trim()
      .split(/;\n\n|;$/),
  )
  wanted.delete('')
  const all = wanted.size
  const found: Finding[] = []
  for (const [name, sql] of connection.all<[string, string]>(own))
    if (!wanted.delete(sql))
      found.push(ofSchema('error', `${name} is not as the migrations make it`, mend))
  for (const sql of wanted) {
    const [, kind = '', name = ''] = /^CREATE (\w+) "?(\w+)/.exec(sql) ?? []
    found.push(ofSchema('error', `${kind.toLowerCase()} ${name} is missing`, mend))
  }
  if (found.length > 0) return found
  return [ofSchema('ok', `${all} tables and indexes, as the migrations make them`)]
}

const schema = (connection: Connection): readonly Finding[] => {
  try {
    const { current, pending } = migrationPlan(connection)
    const run = 'Run: thence migrate'
    if (current === 0) return [ofSchema('error', 'there are no tables of Thence', run)]
    if (pending.length > 0)
      return [ofSchema('error', `${pending.length} migrations are missing`, run)]
  } catch (error) {
    // Something is missing, which is told one by one.
    if (!isThenceError(error, 'STORE_CORRUPT')) throw error
  }
  return compare(connection)
}

/** The problems as SQLite tells them; it throws instead where it cannot go on. */
const quickCheck = (connection: Connection): readonly string[] => {
  try {
    return connection.all<[string]>('PRAGMA quick_check(5)').map(([text]) => text)
  } catch (error) {
    if (!isThenceError(error, 'STORE_CORRUPT')) throw error
    return [error.message]
  }
}

const pages = (connection: Connection): readonly Finding[] => {
  const problems = quickCheck(connection)
  if (problems.length === 1 && problems[0] === 'ok') return [ofFile('ok', 'not damaged')]
  return problems.map((text) =>
    ofFile('error', text, 'Stop the app and restore the file from a backup.'),
  )
}

/** Of the pages of a file; below it nobody needs to act. */
const muchFree = 0.5

const space = (connection: Connection): Finding => {
  const one = (pragma: string): number => connection.get<[number]>(`PRAGMA ${pragma}`)?.[0] ?? 0
  const [all, free, size] = [one('page_count'), one('freelist_count'), one('page_size')]
  const text = `${Math.round((all * size) / 1_000_000)} MB, ${Math.round((100 * free) / Math.max(1, all))} % of it free`
  if (free < muchFree * all) return ofSpace('ok', text)
  return ofSpace('notice', text, 'While no app runs: VACUUM gives it back to the disk.')
}

const log = (connection: Connection): Finding => {
  const [mode] = connection.get<[string]>('PRAGMA journal_mode') ?? ['']
  if (mode === 'wal' || mode === 'memory') return ofLog('ok', `journal_mode ${mode}`)
  return ofLog('notice', `journal_mode ${mode}; an app that opens the file sets wal`)
}

export function diagnose(connection: Connection): readonly Finding[] {
  return [...schema(connection), ...pages(connection), space(connection), log(connection)]
}
