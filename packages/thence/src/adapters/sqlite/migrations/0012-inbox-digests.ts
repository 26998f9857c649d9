/**
 * The inbox knows what was asked for. Rows from before do not, and are taken for what comes again.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
ALTER TABLE thence_inbox ADD COLUMN digest TEXT;
`

export const inboxDigests: Migration = {
  number: 12,
  name: 'inbox-digests',
  script: script.trim(),
}
