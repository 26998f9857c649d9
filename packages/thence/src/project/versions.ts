/**
 * The versions in which a view exists: one serves, one may be building beside it, one may be kept as the way back. Which is
 * which is a document, read in the transaction where it matters, so that nobody ever works with what was true a moment
 * ago.
 */
import type { Transaction } from '../ports/database.ts'

/** When the version that is built is to serve: as soon as it can, or when somebody says so. */
export type SwitchMode = 'auto' | 'manual'

/** A version that is filled beside the one that serves. */
export interface Building {
  readonly version: number
  /** It served before, and only catches up. */
  readonly back: boolean
  readonly switch: SwitchMode
  /** When it was begun, Unix milliseconds. */
  readonly began: number
  /** The position from which it was begun. */
  readonly from: number
  /** When it had caught up for the first time, Unix milliseconds. */
  readonly ready?: number
  /** How long the version that serves now is kept after the switch, in milliseconds; null for ever. */
  readonly keep: number | null
}

/** A version that served before, as it was when another took over. */
export interface Kept {
  readonly version: number
  /** It is the fold of all events up to here. */
  readonly position: number
  /** When it ceased to serve, Unix milliseconds. */
  readonly since: number
  /** When it is removed, Unix milliseconds; null: not by itself. */
  readonly until: number | null
}

export interface Versions {
  readonly serving: number
  /** The highest that was ever given: each is given once. */
  readonly last: number
  readonly building?: Building
  readonly kept?: Kept
  /** Nobody looks at these any more; what they hold is still to be removed. */
  readonly removing: readonly number[]
}

const collection = '$views'
const first: Versions = { serving: 1, last: 1, removing: [] }

/** Under which name a version is stored: a collection, or the beginning of the names of tables. */
export const storageName = (projection: string, version: number): string =>
  version === 1 ? projection : sideName(projection, version)

/** The subscription that fills a version which does not serve; the one that serves has the name of the projection. */
export const sideName = (projection: string, version: number): string => `${projection}@${version}`

/** The projection and the version of a name that {@link sideName} may have made. */
export function splitSideName(
  name: string,
): { readonly projection: string; readonly version: number } | undefined {
  const [, projection, version] = /^(.+)@(\d+)$/.exec(name) ?? []
  return projection === undefined ? undefined : { projection, version: Number(version) }
}

export async function loadVersions(
  { documents }: Pick<Transaction, 'documents'>,
  projection: string,
): Promise<Versions> {
  const text = await documents.get(collection, projection)
  return text === undefined ? first : (JSON.parse(text) as Versions)
}

export async function saveVersions(
  { documents }: Transaction,
  projection: string,
  versions: Versions,
): Promise<void> {
  await documents.put(collection, projection, JSON.stringify(versions))
}

/** The subscription that fills a version beside the one that serves, if there is one. */
export async function builtBeside(
  transaction: Pick<Transaction, 'documents'>,
  projection: string,
): Promise<readonly string[]> {
  const { building } = await loadVersions(transaction, projection)
  return building === undefined ? [] : [sideName(projection, building.version)]
}

/** Under which name the version is stored that serves. */
export const servingName = async (
  transaction: Pick<Transaction, 'documents'>,
  projection: string,
): Promise<string> => storageName(projection, (await loadVersions(transaction, projection)).serving)

const pageSize = 500

/** The versions of every view of which there ever was more than one, by projection. */
export async function allVersions({
  documents,
}: Pick<Transaction, 'documents'>): Promise<ReadonlyMap<string, Versions>> {
  const all = new Map<string, Versions>()
  for (let after: string | undefined; ; after = [...all.keys()].at(-1)) {
    const options = after === undefined ? { limit: pageSize } : { limit: pageSize, after }
    const page = await documents.list(collection, options)
    for (const { key, value } of page) all.set(key, JSON.parse(value) as Versions)
    if (page.length < pageSize) return all
  }
}
