/**
 * Dead letters are grouped by how they failed, can be edited, and know the job that redrove them.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
ALTER TABLE thence_dead_letters ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE thence_dead_letters ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE thence_dead_letters ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thence_dead_letters ADD COLUMN edited TEXT;
ALTER TABLE thence_dead_letters ADD COLUMN job TEXT;
UPDATE thence_dead_letters SET type = message ->> '$.type', changed = time;

CREATE INDEX thence_dead_letters_group ON thence_dead_letters (state, subscription, fingerprint, time, id);
CREATE INDEX thence_dead_letters_changed ON thence_dead_letters (state, changed, id);
CREATE INDEX thence_dead_letters_job ON thence_dead_letters (job, state) WHERE job IS NOT NULL;
`

export const letters: Migration = { number: 8, name: 'letters', script: script.trim() }
