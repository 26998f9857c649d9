/**
 * Long work on the store and how far it has come.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
CREATE TABLE thence_jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  spec TEXT NOT NULL,
  progress TEXT NOT NULL,
  total INTEGER,
  next INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  actor TEXT NOT NULL,
  error TEXT
) STRICT;

CREATE INDEX thence_jobs_state ON thence_jobs (state, id);
CREATE INDEX thence_jobs_updated ON thence_jobs (updated, id);
`

export const jobs: Migration = { number: 3, name: 'jobs', script: script.trim() }
