/**
 * What is due is found by the partition that takes care of it. What stands already is noted so when it is put again, or when
 * its subscription is divided anew.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
ALTER TABLE thence_retries ADD COLUMN partitions INTEGER NOT NULL DEFAULT 1;
ALTER TABLE thence_retries ADD COLUMN partition INTEGER NOT NULL DEFAULT 0;
CREATE INDEX thence_retries_share ON thence_retries (subscription, partitions, partition, due, position) WHERE state = 'due';
`

export const retriesByShare: Migration = {
  number: 11,
  name: 'retries-by-share',
  script: script.trim(),
}
