/**
 * Walks over the log for what a rule is about and is old enough. It goes on where it ended the last time: what is not
 * old enough now comes later in the log than what was.
 */
import type { Transaction } from '../ports/database.ts'
import type { Place } from '../ports/events.ts'
import type { Rule } from './policy.ts'
import { concerns } from './policy.ts'

/** A stream, and up to where it is to go. */
export interface Target {
  readonly stream: string
  readonly through: number
  /** The position of that message. */
  readonly position: number
}

export interface Walk {
  readonly targets: readonly Target[]
  /** Everything up to here was looked at. */
  readonly cursor: number
  /** Nothing that is old enough comes after that. */
  readonly ended: boolean
}

/** Positions that are looked at in one transaction. */
const pageSize = 1000

const targetOf = async (
  { events }: Transaction,
  { remove }: Rule,
  { stream, version, position }: Place,
): Promise<Target | undefined> => {
  if (remove === 'messages') return { stream, through: version, position }
  const info = await events.stream(stream)
  // Only with its last message a stream as a whole is old enough.
  return info?.version === version ? { stream, through: version, position } : undefined
}

/** @param cutoff what is older than this time is old enough, Unix milliseconds. */
export async function walk(
  transaction: Transaction,
  rule: Rule,
  { cursor, cutoff }: { readonly cursor: number; readonly cutoff: number },
): Promise<Walk> {
  const places = await transaction.events.places({ after: cursor, limit: pageSize })
  const targets = new Map<string, Target>()
  let through = cursor
  for (const place of places) {
    if (place.time >= cutoff)
      return { targets: [...targets.values()], cursor: through, ended: true }
    through = place.position
    if (!concerns(rule, place.stream)) continue
    const target = await targetOf(transaction, rule, place)
    if (target !== undefined) targets.set(target.stream, target)
  }
  return { targets: [...targets.values()], cursor: through, ended: places.length < pageSize }
}
