/**
 * All migrations in order. One that was released is never changed; the next one is added.
 */
import type { Migration } from '../../../ports/database.ts'
import { tables } from './0001-tables.ts'
import { audit } from './0002-audit.ts'
import { jobs } from './0003-jobs.ts'
import { leases } from './0004-leases.ts'
import { retention } from './0005-retention.ts'
import { inbox } from './0006-inbox.ts'
import { timers } from './0007-timers.ts'
import { letters } from './0008-letters.ts'
import { failureKinds } from './0009-failure-kinds.ts'
import { retriesByState } from './0010-retries-by-state.ts'
import { retriesByShare } from './0011-retries-by-share.ts'
import { inboxDigests } from './0012-inbox-digests.ts'
import { parkedByKey } from './0013-parked-by-key.ts'

export const migrations: readonly Migration[] = [
  tables,
  audit,
  jobs,
  leases,
  retention,
  inbox,
  timers,
  letters,
  failureKinds,
  retriesByState,
  retriesByShare,
  inboxDigests,
  parkedByKey,
]
