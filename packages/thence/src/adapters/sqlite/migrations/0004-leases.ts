/**
 * Many processes: members, leases, and checkpoints and retries by partition.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
CREATE TABLE thence_members (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  runs TEXT NOT NULL,
  started INTEGER NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_leases (
  name TEXT PRIMARY KEY,
  owner TEXT,
  epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_checkpoints_divided (
  subscription TEXT NOT NULL,
  partition INTEGER NOT NULL,
  position INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  rebuild_to INTEGER NOT NULL,
  rebuild_asked INTEGER NOT NULL,
  time INTEGER NOT NULL,
  PRIMARY KEY (subscription, partition)
) STRICT, WITHOUT ROWID;
INSERT INTO thence_checkpoints_divided
  SELECT subscription, 0, position, generation, 0, rebuild_to, rebuild_asked, time FROM thence_checkpoints;
DROP TABLE thence_checkpoints;
ALTER TABLE thence_checkpoints_divided RENAME TO thence_checkpoints;

-- Rows from before this version count as those of partition 0, the only one that there was.
ALTER TABLE thence_retries ADD COLUMN hash INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thence_retries ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;
`

export const leases: Migration = { number: 4, name: 'leases', script: script.trim() }
