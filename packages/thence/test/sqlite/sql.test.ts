import { describe, expect, test } from 'vitest'
import { isThenceError } from '../../src/errors.ts'
import { drivers, message, store } from './kit.ts'

const code = (expected: string) => (error: unknown) =>
  isThenceError(error) && error.code === expected

describe.each(drivers)("a user's SQL on $name", ({ connect }) => {
  const open = async () => {
    const database = await store(undefined, { connect })
    await database.transact(({ sql }) => sql.run('CREATE TABLE t (a INTEGER, b TEXT)'))
    return database
  }

  test('tells how many rows a statement changed, and 0 for one that changes none', async () => {
    const database = await open()
    await database.transact(async ({ sql }) => {
      expect(await sql.run('INSERT INTO t VALUES (1, ?), (2, ?)', 'x', null)).toBe(2)
      expect(await sql.run('CREATE INDEX i ON t (a)')).toBe(0)
      expect(await sql.run('SELECT * FROM t')).toBe(0)
      expect(await sql.run('UPDATE t SET b = ? WHERE a > ?', 'y', 0)).toBe(2)
      expect(await sql.run('DELETE FROM t WHERE a = 1 RETURNING a')).toBe(1)
      expect(
        await sql.run('WITH x AS (SELECT 2 AS a) UPDATE t SET b = 1 WHERE a IN (SELECT a FROM x)'),
      ).toBe(1)
      expect(await sql.all('SELECT * FROM t')).toEqual([{ a: 2, b: '1' }])
    })
  })

  test('never rounds an integer', async () => {
    const database = await open()
    const large = 2n ** 60n + 1n
    await database.transact(({ sql }) => sql.run('INSERT INTO t VALUES (?, ?)', large, 'x'))
    const rows = await database.read(({ sql }) =>
      sql.all("SELECT a, 7 AS small, 0.5 AS half, x'01' AS bytes FROM t"),
    )
    expect(rows).toEqual([{ a: large, small: 7, half: 0.5, bytes: expect.anything() }])
    expect(Buffer.from(rows[0]!['bytes'] as Uint8Array).toString('hex')).toBe('01')
  })

  test.each([
    'BEGIN',
    'commit',
    ' \n ROLLBACK',
    '-- harmless\nSAVEPOINT a',
    '/* harmless */ RELEASE a',
    '; END',
    "ATTACH 'x' AS y",
    'DETACH y',
    'PRAGMA user_version = 3',
    'VACUUM',
    '',
    '-- nothing',
    'INSERT INTO t VALUES (1, 1); COMMIT',
    'SELECT 1; SELECT 2',
  ])('refuses %j', async (text) => {
    const database = await open()
    await expect(database.transact(({ sql }) => sql.run(text))).rejects.toSatisfy(
      code('CONFIG_INVALID'),
    )
    await expect(database.transact(({ sql }) => sql.all(text))).rejects.toSatisfy(
      code('CONFIG_INVALID'),
    )
    expect(await database.read(({ sql }) => sql.all('SELECT * FROM t'))).toEqual([])
  })

  test('allows a semicolon and a comment at the end', async () => {
    const database = await open()
    const rows = await database.read(({ sql }) => sql.all('SELECT 1 AS a; -- that is all'))
    expect(rows).toEqual([{ a: 1 }])
  })

  test('cannot write while reading', async () => {
    const database = await open()
    for (const text of [
      'INSERT INTO t VALUES (1, 1) RETURNING a',
      'WITH x AS (SELECT 1) INSERT INTO t SELECT 1, 1 FROM x RETURNING a',
    ])
      await expect(database.read(({ sql }) => sql.all(text))).rejects.toSatisfy(
        code('STATE_INVALID'),
      )
    await expect(database.read(({ sql }) => sql.run('DELETE FROM t'))).rejects.toSatisfy(
      code('STATE_INVALID'),
    )
    expect(await database.read(({ sql }) => sql.all('SELECT * FROM t'))).toEqual([])
  })

  test('a mistake is typed, undoes its statement only, and tells what SQLite said', async () => {
    const database = await open()
    await database.transact(async ({ sql }) => {
      await sql.run('CREATE UNIQUE INDEX once ON t (a)')
      await sql.run('INSERT INTO t VALUES (1, 1)')
      expect(() => sql.run('INSERT INTO nowhere VALUES (1)')).toThrow(/no such table: nowhere/)
      expect(() => sql.run('INSERT INTO t VALUES (2, 2), (1, 1)')).toThrow(/UNIQUE/)
      expect(() => sql.all('SELECT ? AS a', 1, 2)).toThrow(/parameter|range/)
    })
    expect(await database.read(({ sql }) => sql.all('SELECT a FROM t'))).toEqual([{ a: 1 }])
  })

  test('rows are keyed by any name without touching prototypes', async () => {
    const database = await open()
    const [row] = await database.read(({ sql }) =>
      sql.all('SELECT 1 AS "__proto__", 2 AS "constructor"'),
    )
    expect(Object.getPrototypeOf(row)).toBe(null)
    expect(row?.['constructor']).toBe(2)
    expect(row?.['toString']).toBe(undefined)
  })

  test('that changes the log itself is seen by the next append', async () => {
    const database = await store(undefined, { connect })
    await database.append([{ stream: 's', messages: [message(), message()] }])
    await database.transact(({ sql }) => sql.run('DELETE FROM thence_events WHERE version = 2'))
    const [verdict] = await database.append([{ stream: 's', messages: [message()] }])
    expect(verdict).toMatchObject({ outcome: 'appended', version: 2, position: 3 })
  })
})
