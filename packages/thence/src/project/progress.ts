/**
 * How far a version has come that is built beside the one that serves, told from the store alone, so that every process
 * and every tool says the same.
 */
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import type { Paused } from '../subscribe/settings.ts'
import { loadSettings } from '../subscribe/settings.ts'
import type { Building, Kept, SwitchMode, Versions } from './versions.ts'
import { loadVersions, sideName } from './versions.ts'

/**
 * - `building`: it reads what has happened.
 * - `ready`: it has caught up, follows, and waits for somebody to switch.
 * - `halted`: a message failed and waits; the version that serves is not touched by that.
 */
export type BuildState = 'building' | 'ready' | 'halted'

export interface BuildStatus extends Building {
  readonly state: BuildState
  /** Its subscription, under which its dead letters are found. */
  readonly subscription: string
  /** It has taken everything up to here. */
  readonly position: number
  /** The end of the log. */
  readonly head: number
  /** Positions per second since it was begun; 0 as long as it has not moved. */
  readonly rate: number
  /** How long the rest will take at that rate, in milliseconds; null as long as nobody can say. */
  readonly left: number | null
  /** Failed messages that will be tried again, … */
  readonly due: number
  /** … and that wait for a person. */
  readonly parked: number
  /** Since when its building is paused, by whom and why; null if it is not. */
  readonly paused: Paused | null
}

/** The versions of a view. */
export interface ViewStatus {
  readonly projection: string
  /** The version that serves. */
  readonly serving: number
  readonly building: BuildStatus | null
  readonly kept: Kept | null
  /** Versions whose rows are being removed. */
  readonly removing: readonly number[]
}

const paceOf = (
  { began, from }: Building,
  { position, time, head }: Pick<Checkpoint, 'position' | 'time'> & { readonly head: number },
): Pick<BuildStatus, 'rate' | 'left'> => {
  const seconds = (time - began) / 1000
  const rate = position > from && seconds > 0 ? (position - from) / seconds : 0
  const missing = Math.max(0, head - position)
  if (missing === 0) return { rate, left: 0 }
  return { rate, left: rate === 0 ? null : (missing / rate) * 1000 }
}

const stateOf = (
  { ready }: Building,
  waiting: { readonly due: number; readonly parked: number },
): BuildState => {
  if (waiting.due + waiting.parked > 0) return 'halted'
  return ready === undefined ? 'building' : 'ready'
}

const buildStatus = async (
  transaction: Transaction,
  projection: string,
  building: Building,
): Promise<BuildStatus> => {
  const { checkpoints, retries, events } = transaction
  const subscription = sideName(projection, building.version)
  const stored = await checkpoints.load(subscription)
  const { due, parked } = await retries.outlook(subscription)
  const head = await events.head()
  const { position = building.from, time = building.began } = stored ?? {}
  return {
    ...building,
    state: stateOf(building, { due, parked }),
    subscription,
    position,
    head,
    ...paceOf(building, { position, time, head }),
    due,
    parked,
    paused: (await loadSettings(transaction, subscription)).paused ?? null,
  }
}

/** The versions of the view of one projection. */
export async function viewStatus(
  transaction: Transaction,
  projection: string,
  known?: Versions,
): Promise<ViewStatus> {
  const versions = known ?? (await loadVersions(transaction, projection))
  const { serving, building, kept, removing } = versions
  return {
    projection,
    serving,
    building: building === undefined ? null : await buildStatus(transaction, projection, building),
    kept: kept ?? null,
    removing,
  }
}

export type { Building, Kept, SwitchMode }
