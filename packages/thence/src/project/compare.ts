/**
 * Two versions of a view side by side: what differs, and where in the log each of them stands, so that nobody takes for a
 * mistake what is only not there yet.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { DiffOptions, ViewDiff } from './diff.ts'
import { diffDocuments } from './diff.ts'
import { diffTables } from './diff-tables.ts'
import type { Versions } from './versions.ts'
import { loadVersions, sideName, storageName } from './versions.ts'
import type { TableKeys } from './view.ts'

/** A version, and the position up to which it is the fold of all events. */
export interface VersionAt {
  readonly version: number
  readonly position: number
}

export interface VersionDiff extends ViewDiff {
  /** Serves, or served before. */
  readonly old: VersionAt
  /** Is built, or serves. */
  readonly new: VersionAt
  /** How many events of the view lie between the two; at most 1000 are counted. 0: the difference is exact. */
  readonly apart: number
}

/** What must be known of a view to compare its versions. */
export interface Comparable {
  readonly projection: string
  readonly inline: boolean
  readonly kind: 'documents' | 'tables'
  readonly types: readonly string[]
  readonly keys?: TableKeys
}

const mostApart = 1000

const servingAt = async (
  { checkpoints, events }: Transaction,
  { projection, inline }: Comparable,
): Promise<number> =>
  inline ? events.head() : ((await checkpoints.load(projection))?.position ?? 0)

const pairOf = async (
  transaction: Transaction,
  of: Comparable,
  { serving, building, kept }: Versions,
): Promise<{ readonly old: VersionAt; readonly new: VersionAt }> => {
  const now = { version: serving, position: await servingAt(transaction, of) }
  if (building !== undefined) {
    const side = await transaction.checkpoints.load(sideName(of.projection, building.version))
    return { old: now, new: { version: building.version, position: side?.position ?? 0 } }
  }
  if (kept !== undefined)
    return { old: { version: kept.version, position: kept.position }, new: now }
  throw new ThenceError(
    'STATE_INVALID',
    `There is nothing to compare: only version ${serving} of ${of.projection} exists.`,
    { details: { projection: of.projection, version: serving } },
  )
}

const apartBy = async (
  { events }: Transaction,
  types: readonly string[],
  [one, other]: readonly [number, number],
): Promise<number> => {
  const [after, before] = [Math.min(one, other), Math.max(one, other) + 1]
  const query = [{ types }]
  const { messages } = await events.readAll({ query, after, before, limit: mostApart })
  return messages.length
}

/**
 * Compares the version that serves with the one that is built, else the one that is kept with the one that serves.
 * @throws STATE_INVALID (there is only one version)
 */
export async function compareVersions(
  transaction: Transaction,
  of: Comparable,
  options: DiffOptions = {},
): Promise<VersionDiff> {
  const { projection, kind, keys, types } = of
  const versions = await loadVersions(transaction, projection)
  const pair = await pairOf(transaction, of, versions)
  const apart = await apartBy(transaction, types, [pair.old.position, pair.new.position])
  const names = {
    old: storageName(projection, pair.old.version),
    new: storageName(projection, pair.new.version),
  }
  const diff =
    kind === 'documents'
      ? await diffDocuments(transaction, names, options)
      : await diffTables(transaction, { ...names, keys }, options)
  return { ...pair, apart, ...diff }
}

/** Whether a version that is being built stands elsewhere than the one that serves, but will not for long. */
export async function isAstray(transaction: Transaction, of: Comparable): Promise<boolean> {
  const versions = await loadVersions(transaction, of.projection)
  if (versions.building?.ready === undefined) return false
  const pair = await pairOf(transaction, of, versions)
  return (await apartBy(transaction, of.types, [pair.old.position, pair.new.position])) > 0
}
