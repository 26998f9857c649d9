/**
 * When a timer is tried, and how it failed: one that can't be fired is kept and told, and holds up no other.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
ALTER TABLE thence_timers ADD COLUMN next INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thence_timers ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thence_timers ADD COLUMN error TEXT;
UPDATE thence_timers SET next = max(1, due);

DROP INDEX thence_timers_due;
DROP INDEX thence_timers_owner;
CREATE INDEX thence_timers_next ON thence_timers (next, id);
CREATE INDEX thence_timers_owner ON thence_timers (owner, next, id);
`

export const timers: Migration = { number: 7, name: 'timers', script: script.trim() }
