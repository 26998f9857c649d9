// A COMMIT that fails: whether it is certain that nothing was committed, and that the same again is safe where it isn't.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { runLimited } from './children.ts'
import { appended, committing, message, opened, store, storePath } from './kit.ts'

interface Failing {
  /** What happens to the open transaction before the error is thrown. */
  readonly before: 'COMMIT' | 'ROLLBACK' | undefined
  readonly error: Error
}

/** A store whose COMMIT fails as it is told to, once. */
const failing = async () => {
  const connection = new DatabaseSync(storePath())
  let next: Failing | undefined
  const database = await opened(
    committing(connection, (commit) => {
      if (next === undefined) return commit()
      const { before, error } = next
      next = undefined
      if (before !== undefined) connection.exec(before)
      throw error
    }),
  )
  await database.migrate()
  const fail = (how: Failing): void => void (next = how)
  return { database, connection, fail }
}

const coded = (errcode: number): Error => Object.assign(new Error('made to fail'), { errcode })
const named = (code: string): Error => Object.assign(new Error('made to fail'), { code })

describe('a COMMIT that fails', () => {
  const unknown: readonly (readonly [string, Error])[] = [
    ['the file could not be synced', coded(1034)],
    ['the file could not be written', coded(778)],
    ['the index of the log could not grow', coded(4874)],
    ['the index of the log could not grow, says better-sqlite3', named('SQLITE_IOERR_SHMSIZE')],
    ['there is no memory', coded(7)],
    ['something that SQLite does not know', new Error('odd')],
  ]

  test.each(unknown)('is unknown: %s', async (_, error) => {
    for (const before of ['COMMIT', 'ROLLBACK'] as const) {
      const { database, connection, fail } = await failing()
      const request = { stream: 's', messages: [message()] }
      await database.append([{ stream: 's', messages: [message()] }])
      fail({ before, error })
      await expect(database.append([request])).rejects.toMatchObject({
        code: 'OUTCOME_UNKNOWN',
        cause: error,
      })
      expect(connection.isTransaction).toBe(false)
      const [verdict] = await database.append([request])
      const outcome = before === 'COMMIT' ? 'duplicate' : 'appended'
      expect(verdict).toMatchObject({ outcome, version: 2, position: 2 })
    }
  })

  const certain: readonly (readonly [string, string, Failing])[] = [
    ['the disk is full', 'STORE_FULL', { before: 'ROLLBACK', error: coded(13) }],
    ['a constraint is broken', 'STORE_FAILED', { before: 'ROLLBACK', error: coded(787) }],
    ['another connection reads', 'STORE_BUSY', { before: undefined, error: coded(5) }],
    ['it is still open', 'STORE_FAILED', { before: undefined, error: coded(1034) }],
  ]

  test.each(certain)('is certain: %s', async (_, code, how) => {
    const { database, connection, fail } = await failing()
    const request = { stream: 's', messages: [message()] }
    fail(how)
    await expect(database.append([request])).rejects.toMatchObject({ code, cause: how.error })
    expect(connection.isTransaction).toBe(false)
    expect(appended((await database.append([request]))[0])).toMatchObject({ position: 1 })
  })

  test('because its owner closed the connection is certain', async () => {
    const { database, connection } = await failing()
    const closed = database.transact(({ documents }) => {
      void documents.put('c', 'k', '1')
      connection.close()
    })
    await expect(closed).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  test('because a file may not grow is unknown, and the same again is safe', async () => {
    const path = storePath()
    await (await store(path)).close()
    const lines = await runLimited(600, 'fill', path)
    const told = lines.map((line) => JSON.parse(line) as { id: string; code?: string })
    const last = told.at(-1)
    expect(last).toMatchObject({ code: 'OUTCOME_UNKNOWN', errcode: 778 })
    expect(told.length).toBeGreaterThan(3)
    const database = await store(path)
    const again = told.map(({ id }) => message({ id, data: JSON.stringify({ id }) }))
    const verdicts = await database.append(
      again.map((one) => ({ stream: 'filled', messages: [one] })),
    )
    const outcomes = verdicts.map(({ outcome }) => outcome)
    expect(outcomes.slice(0, -1)).toEqual(told.slice(1).map(() => 'duplicate'))
    const stored = await database.read(({ events }) => events.readStream('filled', { limit: 999 }))
    expect(stored.map(({ id }) => id)).toEqual(told.map(({ id }) => id))
  })
})
