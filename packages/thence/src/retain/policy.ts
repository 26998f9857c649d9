/**
 * How long what is kept: the rules as a user writes them, checked, and as the store remembers them, so that tools
 * without the app's code can tell and follow them.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectFlag,
  expectFunction,
  expectList,
  expectObject,
  expectOneOf,
  expectOptions,
} from '../message/expect.ts'
import { checkCategory, checkName } from '../message/name.ts'
import type { MessageView } from '../message/view.ts'
import type { Awaitable } from '../ports/awaitable.ts'

/**
 * Keeps messages elsewhere before they are removed: in order of their streams, at least once. When it resolves they
 * are removed; when it throws they stay.
 */
export type Archive = (messages: readonly MessageView[]) => Awaitable<void>

/** What is removed of the log, and when. */
export interface RetentionRule {
  /** All streams named `category-…`, and the one named `category`; … */
  readonly category?: string
  /** … or this one stream. */
  readonly stream?: string
  /** Messages are removed when they are older than this. */
  readonly olderThan: Duration
  /**
   * `messages` (default): each when it is old enough, from the beginning of its stream on. `streams`: all of a stream
   * when its last message is old enough.
   */
  readonly remove?: 'messages' | 'streams'
  /** With `streams`: nothing can be appended to such a stream any more. Default false. */
  readonly tombstone?: boolean
  /** Called with what is about to be removed. Default: nothing is kept. */
  readonly archive?: Archive
}

/** How long an app keeps what it stores; what is not named is kept for ever. */
export interface RetentionOptions {
  readonly log?: readonly RetentionRule[]
  /** Fired timers of sagas: the messages of their streams `saga.timers`. */
  readonly timers?: Duration
  /** What was done is remembered so long; after that the same id would be done again. */
  readonly inbox?: Duration
  /** Dead letters that were resolved or discarded. */
  readonly deadLetters?: Duration
  /** Jobs that have ended. */
  readonly jobs?: Duration
  readonly audit?: Duration
  /** How often it is looked for what is old enough. Default `1h`. */
  readonly every?: Duration
  /** Subscriptions that nothing is kept for, though they have not read it: those that will not come back. */
  readonly ignore?: readonly string[]
}

const ruleNames: OptionNames<RetentionRule> = {
  category: true,
  stream: true,
  olderThan: true,
  remove: true,
  tombstone: true,
  archive: true,
}
const optionNames: OptionNames<RetentionOptions> = {
  log: true,
  timers: true,
  inbox: true,
  deadLetters: true,
  jobs: true,
  audit: true,
  every: true,
  ignore: true,
}

/** A rule as it is stored. */
export interface Rule {
  /** Tells it from the others. */
  readonly name: string
  readonly category?: string
  readonly stream?: string
  /** In milliseconds. */
  readonly age: number
  readonly remove: 'messages' | 'streams'
  readonly tombstone: boolean
  /** Whether the app archives: then only the app removes, unless somebody else archives instead. */
  readonly archived: boolean
}

/** What is kept beside the log, by name. */
export const agedTables = ['inbox', 'deadLetters', 'jobs', 'audit'] as const
export type AgedTable = (typeof agedTables)[number]

/** All of it as it is stored; ages in milliseconds. */
export interface Policy {
  readonly rules: readonly Rule[]
  readonly tables: Readonly<Partial<Record<AgedTable, number>>>
  readonly every: number
  readonly ignore: readonly string[]
}

/** What an app does by itself. */
export interface Retention {
  readonly policy: Policy
  readonly archives: ReadonlyMap<string, Archive>
}

const invalid = (message: string): ThenceError => new ThenceError('CONFIG_INVALID', message)

const subject = ({ category, stream }: RetentionRule): string => {
  if ((category === undefined) === (stream === undefined))
    throw invalid('A retention rule names either a category or a stream.')
  if (category !== undefined) checkCategory('The category of a retention rule', category)
  else checkName('The stream of a retention rule', stream ?? '')
  return category === undefined ? `stream ${stream ?? ''}` : `category ${category}`
}

/** @throws CONFIG_INVALID, NAME_INVALID */
export function ruleOf(options: RetentionRule): Rule {
  expectObject('A retention rule', options)
  expectOptions('A retention rule', options, ruleNames)
  const { category, stream, olderThan, remove = 'messages', tombstone = false } = options
  const what = subject(options)
  expectOneOf(`remove of the retention of ${what}`, remove, ['messages', 'streams'])
  expectFlag(`tombstone of the retention of ${what}`, tombstone)
  if (options.archive !== undefined)
    expectFunction(`archive of the retention of ${what}`, options.archive)
  if (tombstone && remove === 'messages')
    throw invalid(`tombstone of the retention of ${what} needs remove: 'streams'.`)
  return {
    name: `${what}: ${tombstone ? 'tombstones' : remove}`,
    ...(category === undefined ? {} : { category }),
    ...(stream === undefined ? {} : { stream }),
    age: milliseconds(`olderThan of the retention of ${what}`, olderThan),
    remove,
    tombstone,
    archived: options.archive !== undefined,
  }
}

/** Whether a rule is about a stream. */
export const concerns = ({ category, stream }: Rule, name: string): boolean =>
  category === undefined ? name === stream : name === category || name.startsWith(`${category}-`)

const tablesOf = (options: RetentionOptions): Policy['tables'] => {
  const tables: Partial<Record<AgedTable, number>> = {}
  for (const table of agedTables) {
    const age = options[table]
    if (age !== undefined) tables[table] = milliseconds(`retention.${table}`, age)
  }
  return tables
}

const checkDistinct = (rules: readonly Rule[]): void => {
  const names = new Set<string>()
  for (const { name } of rules) {
    if (names.has(name)) throw invalid(`Two retention rules are about ${name}.`)
    names.add(name)
  }
}

/**
 * @param sagas the names of the app's sagas, whose timers `timers` is about.
 * @throws CONFIG_INVALID, NAME_INVALID
 */
export function retentionOf(options: RetentionOptions, sagas: readonly string[] = []): Retention {
  expectOptions('retention', options, optionNames)
  const { log = [], timers, every = '1h', ignore = [] } = options
  expectList('retention.log', log)
  expectList('retention.ignore', ignore)
  for (const name of ignore) checkName('What retention.ignore names', name)
  if (timers !== undefined) milliseconds('retention.timers', timers)
  const fired: readonly RetentionRule[] =
    timers === undefined
      ? []
      : sagas.map((name) => ({ stream: `${name}.timers`, olderThan: timers }))
  const archives = new Map<string, Archive>()
  const rules = [...log, ...fired].map((one) => {
    const rule = ruleOf(one)
    if (one.archive !== undefined) archives.set(rule.name, one.archive)
    return rule
  })
  checkDistinct(rules)
  const pause = milliseconds('retention.every', every)
  if (pause < 1000) throw invalid(`retention.every is ${pause} ms; give at least one second.`)
  return { policy: { rules, tables: tablesOf(options), every: pause, ignore }, archives }
}
