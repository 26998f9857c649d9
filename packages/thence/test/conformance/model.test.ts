/** Random programs give the same results on every adapter as on the memory adapter. */
import { randomInt } from 'node:crypto'
import { describe, test } from 'vitest'
import { compareWithModel } from './model.ts'
import { makeBetterSqlite, makeNodeSqlite, makeSqliteInMemory } from './stores.ts'

// Set THENCE_SEED to the number in a failed test's title to see the same programs again.
const seed = Number(process.env['THENCE_SEED'] ?? randomInt(2 ** 31))

describe('an adapter does what the memory adapter does', () => {
  test.each([
    ['sqlite on node:sqlite', makeNodeSqlite],
    ['sqlite on better-sqlite3', makeBetterSqlite],
    ['sqlite in memory', makeSqliteInMemory],
  ] as const)(`%s (seed ${seed})`, { timeout: 60_000 }, async (_name, make) =>
    compareWithModel(make, seed),
  )
})
