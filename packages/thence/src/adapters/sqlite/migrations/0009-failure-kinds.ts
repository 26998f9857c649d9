/**
 * Dead letters know what kind of failure it was, and whether it was one of a replay.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
ALTER TABLE thence_dead_letters ADD COLUMN kind TEXT NOT NULL DEFAULT 'transient';
ALTER TABLE thence_dead_letters ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
`

export const failureKinds: Migration = { number: 9, name: 'failure-kinds', script: script.trim() }
