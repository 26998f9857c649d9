/**
 * What an id was used for, in a few digits: an aggregate's command leaves no message behind, so its row in the inbox keeps them,
 * and another command with the same id is told apart from the same one sent again.
 */
import { digest } from '../internal/digest.ts'
import { canonical } from '../message/same.ts'
import type { Transaction } from '../ports/database.ts'
import type { Once } from '../ports/events.ts'
import { idReused } from './verdict.ts'

/** A message as far as it is compared. */
export interface Said {
  readonly type: string
  readonly schemaVersion: number
  /** What its schema made of what was given. */
  readonly data: unknown
  /** What the sender gave; absent: nobody here knows. */
  readonly given?: unknown
}

/**
 * Type, schema version, and a digest of the data; a second one of what the sender gave, where that differs. A schema may
 * fill in a time or an id of its own at each call, so either of them may be the one that comes back.
 */
type Digest = readonly [type: string, schemaVersion: number, ...digests: readonly string[]]

/** Undefined for what has no JSON: only a command that is decided at once may have such data. */
const canonicalOf = (data: unknown): string | undefined => {
  try {
    return canonical(data)
  } catch {
    return undefined
  }
}

/** As the inbox keeps it; undefined if its data cannot be compared. */
export function digestOf(said: Said): string | undefined {
  const { type, schemaVersion, data } = said
  const { given = data } = said
  // A schema that changes nothing often gives back the very object.
  const texts = new Set((given === data ? [data] : [data, given]).map(canonicalOf))
  const digests = [...texts].filter((text) => text !== undefined).map(digest)
  if (digests.length === 0) return undefined
  const found: Digest = [type, schemaVersion, ...digests]
  return JSON.stringify(found)
}

/** Whether both may be of the same message; data of two schema versions is not compared. */
export function isSameDigest(left: string, right: string): boolean {
  const [[type, version, ...digests], [otherType, otherVersion, ...others]] = [
    JSON.parse(left) as Digest,
    JSON.parse(right) as Digest,
  ]
  if (type !== otherType) return false
  return version !== otherVersion || digests.some((one) => others.includes(one))
}

/** @throws MESSAGE_ID_REUSED if both are known and are not of the same message. */
export function requireSame(
  place: Parameters<typeof idReused>[0],
  known: string | undefined,
  wanted: string | undefined,
): void {
  if (known === undefined || wanted === undefined || isSameDigest(known, wanted)) return
  throw idReused(place)
}

/** @throws MESSAGE_ID_REUSED if the inbox knows the id of `once` for something else. */
export async function refuseOther({ inbox }: Transaction, once: Once | undefined): Promise<void> {
  if (once?.digest === undefined) return
  const row = await inbox.recall(once.consumer, once.id)
  if (row !== undefined) requireSame({ stream: row.stream, id: once.id }, row.digest, once.digest)
}
