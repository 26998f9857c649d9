/**
 * What is known of messages that were removed, and how many there are of each category.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
-- Streams of which messages were removed, or that were ended for good: versions are never given twice.
CREATE TABLE thence_trimmed (
  stream TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  time INTEGER NOT NULL,
  tombstone INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The highest removed position of each type.
CREATE TABLE thence_truncated (
  type TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages up to the measured position are counted here, those after it when somebody asks.
CREATE TABLE thence_sizes (
  category TEXT PRIMARY KEY,
  messages INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  streams INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  truncated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thence_measured (
  position INTEGER NOT NULL
) STRICT;
INSERT INTO thence_measured (position) VALUES (0);

-- What waits for a message, whichever subscription it is.
CREATE INDEX thence_retries_position ON thence_retries (position);
CREATE INDEX thence_dead_letters_position ON thence_dead_letters (position);
`

export const retention: Migration = { number: 5, name: 'retention', script: script.trim() }
