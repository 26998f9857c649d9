/**
 * What the store knows of each subscription, gathered from all places that tell of it: its part, its checkpoints and who runs
 * them, what waits, how it is divided and set, and which version of a view it fills.
 */
import type { PartRecord } from '../app/part-records.ts'
import { loadParts } from '../app/part-records.ts'
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import type { RetrySummary } from '../ports/retries.ts'
import type { Building, Versions } from '../project/versions.ts'
import { allVersions, splitSideName } from '../project/versions.ts'
import type { Division } from '../subscribe/division.ts'
import { allDivisions } from '../subscribe/division.ts'
import type { SubscriptionSettings } from '../subscribe/settings.ts'
import { allSettings, settingsOf } from '../subscribe/settings.ts'
import type { Missed } from '../subscribe/taken.ts'
import { allTaken } from '../subscribe/taken.ts'
import type { PartitionStatus } from './partitions.ts'
import { partitionsOf, slowest } from './partitions.ts'

/** All that is known of one subscription. */
export interface Known {
  readonly name: string
  readonly part: PartRecord | undefined
  /** Of the partition that is furthest behind. */
  readonly checkpoint: Checkpoint | undefined
  readonly partitions: readonly PartitionStatus[]
  readonly retries: RetrySummary | undefined
  readonly settings: SubscriptionSettings
  readonly division: Division | undefined
  readonly lacks: readonly Missed[]
  /** Whether it fills a version of a view beside the one that serves, and has not caught up yet. */
  readonly building: boolean
}

/** What a name of a version says: which projection it is of, and what is known of that version. */
const versionOf = (
  name: string,
  views: ReadonlyMap<string, Versions>,
): { readonly projection: string; readonly building: Building | undefined } | undefined => {
  const { projection = '', version } = splitSideName(name) ?? {}
  const versions = views.get(projection)
  if (versions === undefined) return undefined
  const { building } = versions
  return { projection, building: building?.version === version ? building : undefined }
}

/** What fills a version beside the one that serves follows the log, also where the view changes inline. */
const partOf = (
  parts: readonly PartRecord[],
  name: string,
  projection: string | undefined,
): PartRecord | undefined => {
  const part = parts.find((one) => one.name === (projection ?? name))
  return part === undefined || projection === undefined ? part : { ...part, inline: false }
}

const byName = (
  { name: left }: { readonly name: string },
  { name: right }: { readonly name: string },
): number => (left < right ? -1 : 1)

/** Of every subscription that left a trace in the store, by name. */
export const gather = async (transaction: Transaction): Promise<readonly Known[]> => {
  const parts = await loadParts(transaction)
  const checkpoints = await transaction.checkpoints.list()
  const retries = await transaction.retries.summary()
  const settings = await allSettings(transaction)
  const leases = await transaction.leases.list()
  const members = await transaction.leases.members()
  const views = await allVersions(transaction)
  const divisions = await allDivisions(transaction)
  const taken = await allTaken(transaction)
  const names = new Set([
    ...parts.map(({ name }) => name),
    ...checkpoints.map(({ subscription }) => subscription),
    ...retries.map(({ subscription }) => subscription),
  ])
  // A version that is kept, or that was dropped, is nobody's work.
  const shown = [...names].map((name) => ({ name, of: versionOf(name, views) }))
  const current = shown.filter(({ of }) => of === undefined || of.building !== undefined)
  return current.sort(byName).map(({ name, of }) => ({
    name,
    part: partOf(parts, name, of?.projection),
    building: of?.building !== undefined && of.building.ready === undefined,
    checkpoint: slowest(checkpoints.filter(({ subscription }) => subscription === name)),
    partitions: partitionsOf(name, { checkpoints, leases, members }),
    retries: retries.find(({ subscription }) => subscription === name),
    division: divisions.get(name),
    lacks: taken.get(name)?.missed ?? [],
    settings: settingsOf(settings, { subscription: name, part: of?.projection ?? name }),
  }))
}
