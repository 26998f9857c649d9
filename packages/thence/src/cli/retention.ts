/**
 * `thence retention`: how long what is kept, and removing what is old.
 */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { RetainOptions, RetentionView } from '../admin/retention.ts'
import { retain, retention } from '../admin/retention.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { Hold } from '../retain/holds.ts'
import type { Archive, Policy, RetentionRule } from '../retain/policy.ts'
import type { RetentionReport } from '../retain/run.ts'
import { ArchiveFile } from './archive-file.ts'
import { confirm } from './ask.ts'
import { usage } from './exit-code.ts'
import type { Verb } from './session.ts'
import { collected, given, onStore } from './session.ts'
import { categoryTable } from './sizes.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, counted, line, relative, span } from './text.ts'

const why: Readonly<Record<Hold['reason'], string>> = {
  reader: 'not read yet',
  replay: 'a replay goes on',
  waiting: 'waits in retries or dead letters',
  snapshot: 'no snapshot to load from',
  saga: 'the instance is open',
  whole: 'a saga goes only as a whole stream: --tombstone',
}

const heldTable = (
  terminal: Terminal,
  { rules }: Pick<RetentionReport, 'rules'>,
): readonly string[] => {
  const rows = rules.flatMap(({ rule, held }) =>
    held.map(({ reason, by, stream, position }) => [
      rule,
      why[reason],
      by ?? '-',
      stream,
      count(position),
    ]),
  )
  if (rows.length === 0) return []
  return [
    '',
    ...table(terminal, columns('KEPT BY RULE', 'WHY', 'FOR', 'STREAM', '>POSITION'), rows),
  ]
}

const policyTables = (terminal: Terminal, policy: Policy): readonly string[] => {
  const { rules, tables, every, ignore } = policy
  const rows = [
    ...rules.map(({ name, age, archived }) => [name, span(age), archived ? 'by the app' : '-']),
    ...Object.entries(tables).map(([name, age]) => [name, span(age), '-']),
  ]
  return [
    ...(rows.length === 0
      ? ['Everything is kept.']
      : table(terminal, columns('WHAT GOES', '>OLDER THAN', 'ARCHIVED'), rows)),
    `The app looks every ${span(every)}.${ignore.length === 0 ? '' : ` Nothing is kept for ${ignore.join(', ')}.`}`,
  ]
}

const lastText = (terminal: Terminal, { last }: RetentionView, now: number): readonly string[] => {
  if (last === null) return ['Nothing was removed so far.']
  const removed = last.rules.reduce((sum, one) => sum + one.removed, 0)
  return [
    `Last run ${relative(last.time, now)} by ${last.actor}: ${counted(removed, 'message')} removed.`,
    ...heldTable(terminal, last),
  ]
}

const show: Verb<object> = async ({ database, terminal, suggest }) => {
  const found = await retention({ database })
  if (terminal.json) return terminal.document(found)
  terminal.print(
    ...(found.policy === null
      ? ['No app has told this store how long it keeps what: everything is kept.']
      : policyTables(terminal, found.policy)),
    ...lastText(terminal, found, Date.now()),
    '',
    ...categoryTable(terminal, found.categories),
  )
  if (found.policy !== null)
    terminal.hint(`See what would go now: ${suggest('retention run --dry-run')}`)
}

interface RunOptions {
  readonly dryRun?: boolean
  readonly archive?: string
  readonly category?: string
  readonly stream?: string
  readonly olderThan?: number
  readonly wholeStreams?: boolean
  readonly tombstone?: boolean
  readonly ignore?: readonly string[]
  readonly force?: boolean
  readonly yes?: boolean
  readonly reason?: string
}

/** What is wrong with the options that stand for a rule, if anything is. */
const mistake = ({ category, stream, olderThan }: RunOptions): string | undefined => {
  if (category !== undefined && stream !== undefined) return 'Give either --category or --stream.'
  const named = category ?? stream
  if (named === undefined) return 'Say what is to go: --category NAME or --stream NAME.'
  return olderThan === undefined ? 'Say how old it must be: --older-than 90d.' : undefined
}

const ruleIn = (options: RunOptions): RetentionRule | undefined => {
  const { category, stream, olderThan, wholeStreams = false, tombstone = false } = options
  const asked = [category, stream, olderThan].some((one) => one !== undefined)
  if (!asked && !wholeStreams && !tombstone) return undefined
  const wrong = mistake(options)
  if (wrong !== undefined) throw usage(wrong)
  const remove = wholeStreams || tombstone ? 'streams' : 'messages'
  return { ...given({ category, stream }), olderThan: olderThan ?? 0, remove, tombstone }
}

const reportTable = (
  terminal: Terminal,
  { rules, skipped, tables }: RetentionReport,
): readonly string[] => [
  ...table(
    terminal,
    columns('RULE', '>REMOVED', '>STREAMS', '>ENDED', '>ARCHIVED'),
    rules.map((one) => [
      one.rule,
      count(one.removed),
      count(one.streams),
      count(one.tombstones),
      count(one.archived),
    ]),
  ),
  ...Object.entries(tables).map(([name, rows]) => `${name}: ${counted(rows, 'row')} removed`),
  ...skipped.map((name) => `${name}: left to the app, which archives; or give --archive FILE`),
]

/** What is ended cannot be begun again. */
const confirmEnd = async (options: RunOptions): Promise<void> => {
  const { tombstone = false, dryRun = false, yes = false, category, stream } = options
  if (!tombstone || dryRun || yes) return
  await confirm(`removes whole streams of ${line(category ?? stream ?? '')} and ends them for good`)
}

const archiveTo =
  (file: ArchiveFile | undefined): Archive =>
  (messages) =>
    file?.write(messages)

const run: Verb<RunOptions> = async (session, { options }) => {
  const { on, terminal, interruptible, suggest } = session
  const { dryRun = false, force, ignore, reason } = options
  const rule = ruleIn(options)
  await confirmEnd(options)
  const file =
    options.archive === undefined || dryRun ? undefined : new ArchiveFile(options.archive)
  const retaining: RetainOptions = {
    ...given({ rule, force, ignore, reason }),
    ...given({ archive: options.archive === undefined ? undefined : archiveTo(file) }),
    dryRun,
    signal: interruptible(),
  }
  try {
    const report = await retain(on, retaining)
    if (terminal.json) return terminal.document({ dryRun, ...report })
    terminal.print(...reportTable(terminal, report), ...heldTable(terminal, report))
    if (dryRun) terminal.note('Nothing was removed: this was a dry run.')
    else terminal.hint(`See what is left: ${suggest('retention show')}`)
  } finally {
    file?.close()
  }
}

const age = (text: string): number => {
  try {
    return milliseconds('--older-than', text as Duration)
  } catch {
    throw new InvalidArgumentError('Write it as 30m, 12h or 90d.')
  }
}

export function addRetention(program: Command): void {
  const noun = program
    .command('retention')
    .description('how long things are kept, and removing what is old')
  noun
    .command('show')
    .description('what goes when, what went the last time, what was kept and why')
    .action(onStore('read', show))
  noun
    .command('run')
    .description('remove now what is old enough and needed by nobody')
    .option('--dry-run', 'only tell what would go')
    .option('--archive <file>', 'append what goes to this file first, one JSON document per line')
    .option('--category <name>', 'instead of the policy: streams of this category')
    .option('--stream <name>', 'instead of the policy: this stream')
    .option('--older-than <time>', 'with one of these: what is older, for example 90d', age)
    .option('--whole-streams', 'streams as a whole, once their last message is older')
    .option('--tombstone', 'the same, and nothing can be appended to them any more')
    .option('--ignore <subscription>', 'one that will not come back; may be repeated', collected)
    .option('--force', 'also what is not read yet or needed to load a state; never what waits')
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', run))
}
