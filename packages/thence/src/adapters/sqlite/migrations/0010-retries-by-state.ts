/**
 * What waits is counted from an index alone, without its rows.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
CREATE INDEX thence_retries_state ON thence_retries (subscription, state);
`

export const retriesByState: Migration = {
  number: 10,
  name: 'retries-by-state',
  script: script.trim(),
}
