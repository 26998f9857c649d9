/**
 * What can be done with the versions of a view, each inside a transaction that somebody else has opened: begin to build
 * one, say when it is to serve, go back to the one before, give one up. None of it needs the projection's code, so a
 * command line can do it; a running app does the work that follows.
 */
import { ThenceError } from '../errors.ts'
import { quoted } from '../internal/text.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { AuditAction } from '../store/audit.ts'
import { recordAct } from '../store/audit.ts'
import { forget } from '../subscribe/anew.ts'
import { forgetSettings } from '../subscribe/settings.ts'
import { saveTaken } from '../subscribe/taken.ts'
import { requireHistory } from './history.ts'
import type { Building, SwitchMode, Versions } from './versions.ts'
import { loadVersions, saveVersions, sideName } from './versions.ts'

/** Who acts on which projection, and why. */
export interface Doing {
  readonly runtime: Pick<Runtime, 'now' | 'id'>
  readonly projection: string
  /** The types of the events that the view is made of. */
  readonly types: readonly string[]
  readonly actor?: string | undefined
  readonly reason?: string | undefined
}

/** How a version is built. */
export interface BuildOptions {
  /** `auto` (default): it serves as soon as it has caught up. `manual`: when somebody says so. */
  readonly switch?: SwitchMode
  /** How long the version that serves now is kept after the switch, in milliseconds; null for ever. Default a day. */
  readonly keep?: number | null
  /** Builds it from what is left of the log, even if retention has removed events that it is made of. */
  readonly truncated?: boolean
}

const day = 86_400_000

const noted = (
  transaction: Transaction,
  { runtime, projection, actor, reason }: Doing,
  act: { readonly action: AuditAction; readonly details: Readonly<Record<string, JsonValue>> },
): Promise<void> => recordAct(transaction, runtime, { ...act, target: projection, actor, reason })

const refused = (projection: string, text: string, details: object = {}): ThenceError =>
  new ThenceError('STATE_INVALID', text, { details: { projection, ...details } })

/** Whether anything of it was committed by an app. */
const hasBegun = async (
  { checkpoints }: Transaction,
  projection: string,
  { version, from, ready }: Building,
): Promise<boolean> => {
  if (ready !== undefined) return true
  const checkpoint = await checkpoints.load(sideName(projection, version))
  return checkpoint !== undefined && checkpoint.position > from
}

const underWay = async (
  transaction: Transaction,
  { projection }: Doing,
  building: Building,
): Promise<ThenceError> => {
  const { version, back } = building
  const rebuilt = (await hasBegun(transaction, projection, building))
    ? `A rebuild of ${projection} is running already: version ${version} is being built.`
    : `A rebuild of ${projection} is asked for already: nothing of version ${version} is built yet.`
  const what = back ? `Version ${version} of ${projection} is on its way back already.` : rebuilt
  const name = quoted(projection)
  const anew = back ? '' : `to begin anew: \`thence rebuild start ${name} --restart\`; `
  const advice =
    `To see how far it is: \`thence rebuild status ${name}\`; ${anew}` +
    `to give it up: \`thence rebuild drop ${name} ${version}\`.`
  return refused(projection, `${what} ${advice}`, { version })
}

/** Removes all that a version which does not serve has, but for its rows: those are removed little by little. */
const abandon = async (
  transaction: Transaction,
  projection: string,
  { versions, version }: { readonly versions: Versions; readonly version: number },
): Promise<Versions> => {
  const side = sideName(projection, version)
  await forget(transaction, side, 'The version of the view was dropped.')
  await transaction.checkpoints.divide(side, [])
  await forgetSettings(transaction, side)
  await saveTaken(transaction, side, undefined)
  const { building, kept, ...rest } = versions
  return {
    ...rest,
    ...(building === undefined || building.version === version ? {} : { building }),
    ...(kept === undefined || kept.version === version ? {} : { kept }),
    removing: [...versions.removing, version],
  }
}

const start = async (
  transaction: Transaction,
  doing: Doing,
  { version, from, back, ...options }: Pick<Building, 'version' | 'from' | 'back'> & BuildOptions,
): Promise<Building> => {
  const { projection, types } = doing
  if (options.truncated !== true) await requireHistory(transaction, { projection, types, from })
  await transaction.checkpoints.divide(sideName(projection, version), [from])
  const { switch: mode = 'auto', keep = day } = options
  return { version, back, switch: mode, began: doing.runtime.now(), from, keep }
}

/**
 * Begins to build a new version beside the one that serves.
 * @throws STATE_INVALID (one is being built, unless `restart`), HISTORY_TRUNCATED
 */
export async function beginBeside(
  transaction: Transaction,
  doing: Doing,
  options: BuildOptions & { readonly restart?: boolean } = {},
): Promise<Building> {
  const { projection } = doing
  let versions = await loadVersions(transaction, projection)
  const { building: before } = versions
  if (before !== undefined) {
    if (options.restart !== true) throw await underWay(transaction, doing, before)
    versions = await abandon(transaction, projection, { versions, version: before.version })
  }
  const version = versions.last + 1
  const building = await start(transaction, doing, { ...options, version, from: 0, back: false })
  await saveVersions(transaction, projection, { ...versions, last: version, building })
  const details = {
    version,
    switch: building.switch,
    ...(before === undefined ? {} : { restarted: before.version }),
  }
  await noted(transaction, doing, { action: 'projection.rebuild', details })
  return building
}

/**
 * Has the version that served before catch up and serve again.
 * @throws STATE_INVALID (none is kept, or one is being built), HISTORY_TRUNCATED
 */
export async function beginBack(
  transaction: Transaction,
  doing: Doing,
  options: BuildOptions = {},
): Promise<Building> {
  const { projection } = doing
  const { kept, ...versions } = await loadVersions(transaction, projection)
  if (versions.building !== undefined) throw await underWay(transaction, doing, versions.building)
  if (kept === undefined)
    throw refused(
      projection,
      `There is no way back for ${projection}: no version is kept that served before.`,
    )
  const { version, position: from } = kept
  const building = await start(transaction, doing, { ...options, version, from, back: true })
  await saveVersions(transaction, projection, { ...versions, building })
  const details = { version, from: versions.serving, switch: building.switch }
  await noted(transaction, doing, { action: 'projection.back', details })
  return building
}

/**
 * Says when the version that is built is to serve.
 * @throws STATE_INVALID (none is being built)
 */
export async function setSwitch(
  transaction: Transaction,
  doing: Doing,
  mode: SwitchMode,
): Promise<Building> {
  const { projection } = doing
  const versions = await loadVersions(transaction, projection)
  if (versions.building === undefined)
    throw refused(
      projection,
      `There is nothing to switch to: no version of ${projection} is being built.`,
    )
  const building = { ...versions.building, switch: mode }
  if (mode === versions.building.switch) return building
  await saveVersions(transaction, projection, { ...versions, building })
  const details = { version: building.version, switch: mode }
  await noted(transaction, doing, { action: 'projection.switch', details })
  return building
}

const chosen = (
  projection: string,
  { building, kept, serving }: Versions,
  wanted: number | undefined,
): number => {
  const choice = [building, kept].flatMap((one) => (one === undefined ? [] : [one.version]))
  const [only, other] = choice
  if (wanted !== undefined && choice.includes(wanted)) return wanted
  if (only === undefined || wanted === serving)
    throw refused(
      projection,
      only === undefined
        ? `There is nothing to drop: only version ${serving} of ${projection} exists.`
        : `Version ${serving} of ${projection} serves; it can't be dropped.`,
    )
  if (wanted === undefined && other === undefined) return only
  throw refused(
    projection,
    `Which version of ${projection} is to be dropped? ${choice.join(' and ')} can be.`,
    { versions: choice },
  )
}

/**
 * Gives a version up that does not serve: the one that is being built, or the one that is kept. Returns which.
 * @param version needed only where both exist.
 * @throws STATE_INVALID (there is none, or it is not said which)
 */
export async function dropVersion(
  transaction: Transaction,
  doing: Doing,
  version?: number,
): Promise<number> {
  const { projection } = doing
  const versions = await loadVersions(transaction, projection)
  const dropped = chosen(projection, versions, version)
  const rest = await abandon(transaction, projection, { versions, version: dropped })
  await saveVersions(transaction, projection, rest)
  const details = { version: dropped, built: versions.building?.version !== dropped }
  await noted(transaction, doing, { action: 'projection.drop', details })
  return dropped
}
