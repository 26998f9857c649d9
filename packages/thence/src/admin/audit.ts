/**
 * Who did what to this store, when and why.
 */
import type { JsonValue } from '../message/json.ts'
import type { AuditEntry } from '../ports/audit.ts'
import type { On } from './on.ts'
import { expectPlace } from './place.ts'

export interface AuditView extends Omit<AuditEntry, 'details'> {
  /** Parameters and outcome of the act. */
  readonly details: Readonly<Record<string, JsonValue>>
}

export interface AuditOptions {
  /** What was acted on: a name or an id. */
  readonly target?: string
  /** For example `dead-letter.redrive`. */
  readonly action?: string
  /** Only entries before this id, so earlier ones. */
  readonly before?: string
  /** Default 50. */
  readonly limit?: number
}

/** Entries of the audit log, the latest first. @throws CONFIG_INVALID for a `before` that no page gave */
export async function audit(
  { database }: On,
  { limit = 50, ...filter }: AuditOptions = {},
): Promise<readonly AuditView[]> {
  expectPlace('before', filter.before)
  return database.read(async ({ audit: entries }) => {
    const found = await entries.list({ ...filter, backwards: true, limit })
    return found.map(({ details, ...entry }) => ({
      ...entry,
      details: JSON.parse(details) as AuditView['details'],
    }))
  })
}
