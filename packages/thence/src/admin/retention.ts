/**
 * How long what is kept, and removing what is old by hand. The app's code is not needed: it has told the store its
 * policy. What it archives itself is left to it, unless somebody else archives instead.
 */
import type { Behind } from '../app/history.ts'
import { behindHistory } from '../app/history.ts'
import { standingOf } from '../app/standing.ts'
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { CategorySize } from '../ports/sizes.ts'
import type { Archive, Policy, RetentionRule } from '../retain/policy.ts'
import { ruleOf } from '../retain/policy.ts'
import type { LastRun, RetentionReport } from '../retain/run.ts'
import { loadLastRun, loadPolicy, runRetention } from '../retain/run.ts'
import { actorText } from '../store/audit.ts'
import { loadParts } from '../app/part-records.ts'
import { requireSubscription } from './dead-letters.ts'
import { requireStream } from './messages.ts'
import type { On } from './on.ts'
import { notFound, runtimeOf } from './on.ts'
import { countedRows } from './sizes.ts'

export interface RetentionView {
  /** As the app that started last has told it; null if none has. */
  readonly policy: Policy | null
  /** What was removed the last time, and what was kept though it is old enough; null if nothing ever ran. */
  readonly last: LastRun | null
  /** How much of the log there is, and how much of it was removed. */
  readonly categories: readonly CategorySize[]
}

/** What is kept for how long, and what came of it. */
export function retention({ database }: On): Promise<RetentionView> {
  return database.read(async (transaction) => ({
    policy: (await loadPolicy(transaction)) ?? null,
    last: (await loadLastRun(transaction)) ?? null,
    categories: (await transaction.sizes.read(countedRows)).categories,
  }))
}

export interface RetainOptions {
  /** Instead of the policy; its own `archive` is used if it has one. */
  readonly rule?: RetentionRule
  /** Called with what is about to be removed, by whichever rule. */
  readonly archive?: Archive
  /** Only tells what would be removed. */
  readonly dryRun?: boolean
  /** Removes also what a subscription has not read and what an aggregate or a saga needs; never what waits. */
  readonly force?: boolean
  /** Subscriptions that nothing is kept for, beside those of the policy. */
  readonly ignore?: readonly string[]
  /** Why; kept in the audit log. */
  readonly reason?: string
  /** Messages removed so far, after each rule. */
  readonly onProgress?: (removed: number) => void
  readonly signal?: AbortSignal
}

const optionNames: OptionNames<RetainOptions> = {
  rule: true,
  archive: true,
  dryRun: true,
  force: true,
  ignore: true,
  reason: true,
  onProgress: true,
  signal: true,
}

/** Who asks for it archives it, if anyone does. */
const adHoc = ({ archive: _archive, ...rule }: RetentionRule): Policy => ({
  rules: [ruleOf(rule)],
  tables: {},
  every: 0,
  ignore: [],
})

const policyOf = async ({ database }: On, rule: RetentionRule | undefined): Promise<Policy> => {
  const stored = await database.read(loadPolicy)
  if (rule !== undefined) return { ...adHoc(rule), ignore: stored?.ignore ?? [] }
  if (stored !== undefined) return stored
  throw new ThenceError(
    'STATE_INVALID',
    'No app has told this store how long it keeps what. Give it the option `retention`, or say here what is to go.',
  )
}

/** A mistyped name would look like one of which nothing is old enough. A part may have no stream yet. */
const requireSubject = async (
  transaction: Transaction,
  { category, stream }: RetentionRule,
): Promise<void> => {
  if (stream !== undefined) await requireStream(transaction, stream)
  if (category === undefined) return
  const { categories } = await transaction.sizes.read(countedRows)
  const parts = await loadParts(transaction)
  const own = parts.filter(({ part }) => part === 'aggregate' || part === 'saga')
  const names = [...categories.map((one) => one.category), ...own.map(({ name }) => name)]
  if (!names.includes(category))
    throw notFound('category', category, { names, advice: 'See: thence retention show.' })
}

/**
 * Removes what is old enough and needed by nobody, once, and writes that into the audit log.
 * @throws STATE_INVALID if there is no policy, or while another process does it; NOT_FOUND (a category or stream of
 * the rule, a subscription to ignore);
 * CONFIG_INVALID; ABORTED; and what the archive throws: what was removed before that stays removed.
 */
export async function retain(on: On, options: RetainOptions = {}): Promise<RetentionReport> {
  expectOptions('retain', options, optionNames)
  const { rule, archive = rule?.archive, ignore = [], ...rest } = options
  const actor = actorText(on.actor)
  await on.database.read(async (transaction) => {
    for (const name of ignore) await requireSubscription(transaction, name)
  })
  const policy = await policyOf(on, rule)
  if (rule !== undefined) await on.database.read((transaction) => requireSubject(transaction, rule))
  return runRetention(policy, {
    ...rest,
    database: on.database,
    runtime: runtimeOf(on),
    actor,
    standing: (transaction) => standingOf(transaction, [...policy.ignore, ...ignore]),
    archiveOf: () => archive,
  })
}

/** Subscriptions that have not read messages that were removed, from the store alone. */
export async function removedUnread(transaction: Transaction): Promise<readonly Behind[]> {
  const { readers } = await standingOf(transaction)
  const known = readers.flatMap(({ name, types }) =>
    types === undefined ? [] : [{ name, types: [...types] }],
  )
  return behindHistory(transaction, known)
}
