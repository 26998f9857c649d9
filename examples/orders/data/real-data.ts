/**
 * Where the real data lies for tests: beside the repository, not in it. Tests that need it are
 * skipped where it is absent, visibly, unless THENCE_REQUIRE_ALL=1 forbids it.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
export const YEAR = `${folder}online-retail.csv.gz`
export const SAMPLE = `${folder}samples/online-retail-3days.csv.gz`
export const absent = [YEAR, SAMPLE].filter((path) => !existsSync(path))
/** To be written behind a title. */
export const skipReason =
  absent.length === 0 ? '' : ` (skipped: ../shared/data lacks ${absent.length} files)`
