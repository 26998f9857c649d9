/**
 * Who did what to this store, when and why.
 */
import type { OptionNames } from '../message/expect.ts'
import { expectOneOf } from '../message/expect.ts'
import type { JsonValue } from '../message/json.ts'
import type { AuditEntry } from '../ports/audit.ts'
import { auditActions } from '../store/audit.ts'
import type { On } from './on.ts'
import { expectListing, expectPlace } from './place.ts'

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

const optionNames: OptionNames<AuditOptions> = {
  target: true,
  action: true,
  before: true,
  limit: true,
}

/**
 * Entries of the audit log, the latest first.
 * @throws CONFIG_INVALID for an action that there is not, and for a `before` that no page gave
 */
export async function audit(
  { database }: On,
  options: AuditOptions = {},
): Promise<readonly AuditView[]> {
  expectListing('audit', options, optionNames)
  const { limit = 50, ...filter } = options
  expectPlace('before', filter.before)
  if (filter.action !== undefined) expectOneOf('action', filter.action, auditActions)
  return database.read(async ({ audit: entries }) => {
    const found = await entries.list({ ...filter, backwards: true, limit })
    return found.map(({ details, ...entry }) => ({
      ...entry,
      details: JSON.parse(details) as AuditView['details'],
    }))
  })
}
