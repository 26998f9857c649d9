/**
 * What a message waits behind is found from an index alone, however many wait with it.
 */
import type { Migration } from '../../../ports/database.ts'

const script = `
CREATE INDEX thence_retries_parked ON thence_retries (subscription, key, position) WHERE state = 'parked';
`

export const parkedByKey: Migration = {
  number: 13,
  name: 'parked-by-key',
  script: script.trim(),
}
