/**
 * The audit log.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
CREATE TABLE thence_audit (
  id TEXT PRIMARY KEY,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  details TEXT NOT NULL,
  reason TEXT
) STRICT;

CREATE INDEX thence_audit_time ON thence_audit (time, id);
CREATE INDEX thence_audit_target ON thence_audit (target, id);
CREATE INDEX thence_audit_action ON thence_audit (action, id);
`

export const audit: Migration = { number: 2, name: 'audit', script: script.trim() }
