/**
 * A run of the whole policy: every rule, then what is kept beside the log. One process at a time; what it did is noted
 * in the store and in the audit log.
 */
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import { aborted } from '../ports/wait.ts'
import type { Act } from '../store/audit.ts'
import { recordAct } from '../store/audit.ts'
import { claim, retentionCollection, unclaim } from './claim.ts'
import type { PassOptions, PassReport } from './pass.ts'
import { Pass, taken } from './pass.ts'
import type { AgedTable, Archive, Policy, Rule } from './policy.ts'
import { agedTables } from './policy.ts'

export interface RunOptions extends Omit<PassOptions, 'by'> {
  readonly runtime: Pick<Runtime, 'now' | 'id' | 'soon'>
  /** Who asked for it, for the audit log. */
  readonly actor: string
  /** Why, for the audit log. */
  readonly reason?: string | undefined
  /** What archives for a rule that says so; undefined: nothing does, and the rule is left to the app. */
  readonly archiveOf: (rule: Rule) => Archive | undefined
  readonly onProgress?: ((removed: number) => void) | undefined
}

/** What a run has done, or would do. */
export interface RetentionReport {
  readonly rules: readonly PassReport[]
  /** Rules that only the app can follow, because it archives. */
  readonly skipped: readonly string[]
  /** Rows that were removed beside the log. */
  readonly tables: Readonly<Partial<Record<AgedTable, number>>>
}

/** A run as the store remembers it. */
export interface LastRun extends RetentionReport {
  /** When it ended, Unix milliseconds. */
  readonly time: number
  readonly actor: string
}

const lastKey = 'last'
const policyKey = 'policy'
const tableBatch = 500

export const savePolicy = async ({ documents }: Transaction, policy: Policy): Promise<void> => {
  const text = JSON.stringify(policy)
  if ((await documents.get(retentionCollection, policyKey)) !== text)
    await documents.put(retentionCollection, policyKey, text)
}

const loadJson = async <T>({ documents }: Transaction, key: string): Promise<T | undefined> => {
  const text = await documents.get(retentionCollection, key)
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

/** What the app that started last keeps for how long; undefined if none has said so. */
export const loadPolicy = (transaction: Transaction): Promise<Policy | undefined> =>
  loadJson(transaction, policyKey)

export const loadLastRun = (transaction: Transaction): Promise<LastRun | undefined> =>
  loadJson(transaction, lastKey)

/** Rows are as old as the clock of the database says: a process whose own clock is ahead removes nothing too early. */
const trimTable = async (
  { inbox, deadLetters, jobs, audit, timers }: Transaction,
  table: AgedTable,
  age: number,
): Promise<number> => {
  const before = (await timers.now()) - age
  return { inbox, deadLetters, jobs, audit }[table].trim(before, tableBatch)
}

const trimTables = async (
  { tables }: Policy,
  { database, signal }: RunOptions,
): Promise<RetentionReport['tables']> => {
  const removed: Partial<Record<AgedTable, number>> = {}
  for (const table of agedTables) {
    const age = tables[table]
    if (age === undefined) continue
    let count = 0
    for (let last = tableBatch; last === tableBatch; count += last) {
      if (signal?.aborted === true) throw aborted(signal)
      last = await database.transact((transaction) => trimTable(transaction, table, age))
    }
    removed[table] = count
  }
  return removed
}

const isIdle = ({ rules, tables }: RetentionReport): boolean =>
  rules.every(({ removed }) => removed === 0) && Object.values(tables).every((rows) => rows === 0)

const detailsOf = ({ rules, tables }: RetentionReport): Record<string, JsonValue> => ({
  rules: Object.fromEntries(
    rules
      .filter(({ removed }) => removed > 0)
      .map(({ rule, removed, archived, tombstones }) => [rule, { removed, archived, tombstones }]),
  ),
  tables: Object.fromEntries(Object.entries(tables).filter(([, rows]) => rows > 0)),
})

const follow = async (
  policy: Policy,
  options: RunOptions,
  by: string,
): Promise<RetentionReport> => {
  const { archiveOf, onProgress, dryRun = false } = options
  const rules: PassReport[] = []
  const skipped: string[] = []
  let removed = 0
  for (const rule of policy.rules) {
    const archive = archiveOf(rule)
    if (rule.archived && archive === undefined) skipped.push(rule.name)
    else {
      const pass = new Pass(rule, archive, { ...options, by })
      const report = await pass.run()
      rules.push(report)
      onProgress?.((removed += report.removed))
    }
  }
  return { rules, skipped, tables: dryRun ? {} : await trimTables(policy, options) }
}

/**
 * Follows the policy once.
 * @throws STATE_INVALID while another process does; ABORTED; what an archive throws.
 */
export async function runRetention(policy: Policy, options: RunOptions): Promise<RetentionReport> {
  const { database, runtime, actor, reason, dryRun = false } = options
  const by = runtime.id()
  if (dryRun) return follow(policy, options, by)
  const mine = await database.transact((transaction) => claim(transaction, by))
  if (!mine) throw taken()
  try {
    const report = await follow(policy, options, by)
    await database.transact(async (transaction) => {
      const last: LastRun = { ...report, time: runtime.now(), actor }
      await transaction.documents.put(retentionCollection, lastKey, JSON.stringify(last))
      if (isIdle(report)) return
      const act: Act = {
        actor,
        action: 'retention.run',
        target: 'retention',
        details: detailsOf(report),
        reason,
      }
      await recordAct(transaction, runtime, act)
    })
    return report
  } finally {
    await database.transact((transaction) => unclaim(transaction, by))
  }
}
