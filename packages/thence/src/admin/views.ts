/**
 * Views and their versions, without the code of the app: how far a rebuild is, what differs, and the acts: begin, switch,
 * go back, drop. The store remembers what was asked; a running app does it within a second, else the next one that starts.
 */
import type { PartRecord, ViewRecord } from '../app/part-records.ts'
import { loadParts } from '../app/part-records.ts'
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOneOf, expectOptions } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { Doing } from '../project/acts.ts'
import { beginBack, beginBeside, dropVersion, setSwitch } from '../project/acts.ts'
import type { Comparable, VersionDiff } from '../project/compare.ts'
import { compareVersions } from '../project/compare.ts'
import type { DiffOptions } from '../project/diff.ts'
import { requireHistory } from '../project/history.ts'
import type { ViewStatus } from '../project/progress.ts'
import { viewStatus } from '../project/progress.ts'
import type { SwitchMode } from '../project/versions.ts'
import type { On } from './on.ts'
import { audited, notFound, runtimeOf } from './on.ts'
import type { SettingOptions } from './settings.ts'
import { subscriptionNames } from './subscriptions.ts'

export interface RebuildAskOptions extends SettingOptions {
  /** `auto` (default): the new view serves as soon as it has caught up. `manual`: when `switchView` is called. */
  readonly switch?: SwitchMode
  /** How long the view that serves now is kept after the switch; default a day, `Infinity` until the next rebuild. */
  readonly keep?: Duration
  /** Begins anew if one is being built already. */
  readonly restart?: boolean
  /** Builds it from what is left of the log, even if retention has removed events. Default: that is refused. */
  readonly truncated?: boolean
}

const askNames: OptionNames<RebuildAskOptions> = {
  switch: true,
  keep: true,
  restart: true,
  truncated: true,
  reason: true,
}

export interface RebuildAsked {
  readonly projection: string
  /** The version that is being built; null if the view can only be rebuilt in place. */
  readonly version: number | null
  /** Whether the view changes in the transaction of the append. */
  readonly inline: boolean
  /** Of the view that serves. In place: it grows by one when the rebuild begins. */
  readonly generation: number
  /** Where the view that serves stands. */
  readonly position: number
  /** The end of the log. */
  readonly head: number
}

type Known = PartRecord & { readonly view: ViewRecord }

const article = (part: string): string => (part === 'aggregate' ? 'an' : 'a')

const requireProjection = async (transaction: Transaction, name: string): Promise<PartRecord> => {
  const part = (await loadParts(transaction)).find((one) => one.name === name)
  if (part === undefined)
    throw notFound('projection', name, {
      names: await subscriptionNames(transaction),
      advice: 'See: thence projections list.',
    })
  if (part.part === 'projection') return part
  throw new ThenceError(
    'STATE_INVALID',
    `"${name}" is ${article(part.part)} ${part.part}. Only projections can be rebuilt: ` +
      'what others did has consequences of its own. See: thence projections list.',
  )
}

const isBeside = (part: PartRecord): part is Known => part.view?.beside === true

/** A view whose versions can stand beside each other. */
const requireBeside = async (transaction: Transaction, name: string): Promise<Known> => {
  const part = await requireProjection(transaction, name)
  if (isBeside(part)) return part
  throw new ThenceError(
    'STATE_INVALID',
    `The tables of ${name} have names of their own, so there is only one version of the view: it is rebuilt in place.`,
    { details: { projection: name } },
  )
}

const doingOf = (on: On, { name, types = [] }: Known, { reason }: SettingOptions): Doing => ({
  runtime: runtimeOf(on),
  projection: name,
  types,
  actor: on.actor,
  reason,
})

/** The wish is kept in the checkpoint; the app does it. */
export const askInPlace = async (
  on: On,
  transaction: Transaction,
  { name, reason }: { readonly name: string } & SettingOptions,
): Promise<void> => {
  const { checkpoints } = transaction
  if (!(await checkpoints.ask(name))) {
    // It has read nothing yet: give it the row that can carry the wish.
    await checkpoints.move(name, { position: 0, generation: 0 }, 0)
    await checkpoints.ask(name)
  }
  await audited(on, transaction, { action: 'projection.rebuild', target: name, reason })
}

/**
 * Has a projection's view built anew from the log, beside the one that serves; where its tables have fixed names, in
 * place. An app does it that has the code: a running one begins within a second, else the next one at its start.
 * @throws NOT_FOUND, STATE_INVALID (not a projection; one is being built already), HISTORY_TRUNCATED, CONFIG_INVALID
 */
export function askRebuild(
  on: On,
  name: string,
  given: RebuildAskOptions = {},
): Promise<RebuildAsked> {
  return on.database.transact(async (transaction) => {
    expectOptions(`rebuild of ${name}`, given, askNames)
    const { reason, keep, ...options } = given
    if (options.switch !== undefined) expectOneOf('switch', options.switch, ['auto', 'manual'])
    const { checkpoints, events } = transaction
    const part = await requireProjection(transaction, name)
    const { position = 0, generation = 0 } = (await checkpoints.load(name)) ?? {}
    const of = { projection: name, inline: part.inline, position, generation }
    const why = reason === undefined ? {} : { reason }
    if (isBeside(part)) {
      const kept = keep === undefined ? {} : { keep: keepOf(keep) }
      const doing = doingOf(on, part, why)
      const { version } = await beginBeside(transaction, doing, { ...options, ...kept })
      return { ...of, version, head: await events.head() }
    }
    const { types = [] } = part
    if (options.truncated !== true) await requireHistory(transaction, { projection: name, types })
    await askInPlace(on, transaction, { name, ...why })
    return { ...of, version: null, head: await events.head() }
  })
}

const keepOf = (keep: Duration): number | null =>
  keep === Infinity ? null : milliseconds('keep of a rebuild', keep)

/**
 * Has the version that is being built serve as soon as it has caught up.
 * @throws NOT_FOUND, STATE_INVALID (none is being built)
 */
export const switchView = (
  on: On,
  name: string,
  options: SettingOptions = {},
): Promise<ViewStatus> =>
  act(on, name, (transaction, part) => setSwitch(transaction, doingOf(on, part, options), 'auto'))

/**
 * Has the version that served before catch up and serve again.
 * @throws NOT_FOUND, STATE_INVALID (none is kept; one is being built), HISTORY_TRUNCATED
 */
export const switchBack = (
  on: On,
  name: string,
  options: SettingOptions = {},
): Promise<ViewStatus> =>
  act(on, name, (transaction, part) => beginBack(transaction, doingOf(on, part, options)))

/**
 * Gives up the version that is being built, or the one that is kept.
 * @param options `version` is needed only where both exist.
 * @throws NOT_FOUND, STATE_INVALID (there is none, or it is not said which)
 */
export const dropView = (
  on: On,
  name: string,
  { version, ...options }: SettingOptions & { readonly version?: number } = {},
): Promise<ViewStatus> =>
  act(on, name, (transaction, part) =>
    dropVersion(transaction, doingOf(on, part, options), version),
  )

const act = (
  on: On,
  name: string,
  work: (transaction: Transaction, part: Known) => Promise<unknown>,
): Promise<ViewStatus> =>
  on.database.transact(async (transaction) => {
    await work(transaction, await requireBeside(transaction, name))
    return viewStatus(transaction, name)
  })

/** The versions of one view, and how far the one is that is being built. @throws NOT_FOUND, STATE_INVALID */
export const view = (on: On, name: string): Promise<ViewStatus> =>
  on.database.read(async (transaction) => {
    await requireProjection(transaction, name)
    return viewStatus(transaction, name)
  })

/** The versions of all views, by projection. */
export const views = (on: On): Promise<readonly ViewStatus[]> =>
  on.database.read(async (transaction) => {
    const all: ViewStatus[] = []
    for (const { name, part } of await loadParts(transaction))
      if (part === 'projection') all.push(await viewStatus(transaction, name))
    return all
  })

/**
 * What differs between the version that serves and the one that is being built, else between the one that is kept and
 * the one that serves, from one committed state.
 * @throws NOT_FOUND, STATE_INVALID (there is only one version)
 */
export const diffView = (on: On, name: string, options: DiffOptions = {}): Promise<VersionDiff> =>
  on.database.read(async (transaction) => {
    const { inline, types = [], view: how } = await requireBeside(transaction, name)
    const of: Comparable = { projection: name, inline, types, ...how }
    return compareVersions(transaction, of, options)
  })
