/**
 * The inbox: when each row was remembered, and what came of it. Rows from before are as old as the message that they
 * led to.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
ALTER TABLE thence_inbox ADD COLUMN result TEXT;
ALTER TABLE thence_inbox ADD COLUMN time INTEGER NOT NULL DEFAULT 0;

UPDATE thence_inbox SET time = coalesce(
  (SELECT time FROM thence_events WHERE thence_events.position = thence_inbox.position),
  (SELECT max(time) FROM thence_events),
  0
);

CREATE INDEX thence_inbox_time ON thence_inbox (time, consumer, id);
`

export const inbox: Migration = { number: 6, name: 'inbox', script: script.trim() }
