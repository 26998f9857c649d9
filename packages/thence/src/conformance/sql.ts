/** Plain SQL inside the transaction of the effect, where an adapter has it; a typed refusal where it has not. */
import { strict as assert } from 'node:assert'
import type { Capabilities, Database } from '../ports/database.ts'
import type { SqlValue } from '../ports/sql.ts'
import { type Case, casesOf, type Subject } from './case.ts'
import { given, head, hostileNames, messages, refuses } from './samples.ts'

const it = casesOf('sql')

const withSql = {
  requires: ({ sql }: Capabilities): string | undefined => (sql ? undefined : 'it has no SQL'),
}
const withoutSql = {
  requires: ({ sql }: Capabilities): string | undefined => (sql ? 'it has SQL' : undefined),
}

const run = (database: Database, text: string, ...values: SqlValue[]): Promise<number> =>
  database.transact(({ sql }) => sql.run(text, ...values))

/** Rows as plain objects, whatever prototype the driver gives them. */
const all = async (database: Database, text: string, ...values: SqlValue[]): Promise<unknown[]> =>
  (await database.read(({ sql }) => sql.all(text, ...values))).map((row) => ({ ...row }))

async function makeTable({ database }: Subject): Promise<void> {
  await run(database, 'create table seen (id integer primary key, name text)')
}

const insert = (
  { database, dialect }: Subject,
  id: number,
  name: string | null,
): Promise<number> => {
  const values = `${dialect.placeholder(1)}, ${dialect.placeholder(2)}`
  return run(database, `insert into seen (id, name) values (${values})`, id, name)
}

const statements: readonly Case[] = [
  it(
    'rows are written, counted and read',
    async (subject) => {
      await makeTable(subject)
      assert.equal(await insert(subject, 1, 'a'), 1)
      await insert(subject, 2, null)
      await insert(subject, 3, 'c')
      assert.deepEqual(await all(subject.database, 'select id, name from seen order by id'), [
        { id: 1, name: 'a' },
        { id: 2, name: null },
        { id: 3, name: 'c' },
      ])
      assert.equal(await run(subject.database, "update seen set name = 'x' where id > 1"), 2)
      assert.equal(await run(subject.database, 'delete from seen where id > 9'), 0)
      assert.equal(await run(subject.database, 'delete from seen'), 3)
      assert.deepEqual(await all(subject.database, 'select id from seen'), [])
    },
    withSql,
  ),

  it(
    'values travel as parameters, never as text',
    async (subject) => {
      await makeTable(subject)
      for (const [id, name] of hostileNames.entries()) await insert(subject, id, name)
      const text = `select id from seen where name = ${subject.dialect.placeholder(1)}`
      for (const [id, name] of hostileNames.entries())
        assert.deepEqual(await all(subject.database, text, name), [{ id }])
    },
    withSql,
  ),

  it(
    'large integers and bytes are stored whole',
    async (subject) => {
      const { database, dialect } = subject
      await run(database, `create table odd (big bigint, bytes ${dialect.bytes})`)
      const big = 9_007_199_254_740_993n
      const bytes = new Uint8Array([0, 1, 127, 128, 255])
      const values = `${dialect.placeholder(1)}, ${dialect.placeholder(2)}`
      await run(database, `insert into odd (big, bytes) values (${values})`, big, bytes)
      const [exact] = await all(database, 'select cast(big as text) as big from odd')
      assert.deepEqual(exact, { big: '9007199254740993' })
      const [stored] = await all(database, 'select bytes from odd')
      assert.deepEqual([...(stored as { bytes: Uint8Array }).bytes], [...bytes])
    },
    withSql,
  ),

  it(
    'a wrong statement throws a typed error and leaves the store in order',
    async (subject) => {
      await makeTable(subject)
      await refuses('SQL_FAILED', () => run(subject.database, 'select from where'))
      await insert(subject, 1, 'a')
      assert.equal((await all(subject.database, 'select id from seen')).length, 1)
    },
    withSql,
  ),
]

const together: readonly Case[] = [
  it(
    'what SQL changed is rolled back with everything else',
    async (subject) => {
      await makeTable(subject)
      const rollback = subject.database.transact(async ({ sql, events }) => {
        await sql.run("insert into seen (id, name) values (1, 'a')")
        await events.append({ stream: 's', messages: messages('a') })
        throw new Error('roll back')
      })
      await assert.rejects(rollback, /roll back/)
      assert.deepEqual(await all(subject.database, 'select id from seen'), [])
      assert.equal(await head(subject.database), 0)
    },
    withSql,
  ),

  it(
    'what SQL changed in a savepoint is undone with it',
    async (subject) => {
      await makeTable(subject)
      await subject.database.transact(async (transaction) => {
        await transaction.sql.run("insert into seen (id, name) values (1, 'a')")
        const undone = transaction.savepoint(async () => {
          await transaction.sql.run("insert into seen (id, name) values (2, 'b')")
          throw new Error('undo')
        })
        await assert.rejects(undone, /undo/)
      })
      assert.deepEqual(await all(subject.database, 'select id from seen'), [{ id: 1 }])
    },
    withSql,
  ),

  it(
    'statements that begin or end a transaction are refused, and the transaction goes on',
    async (subject) => {
      await makeTable(subject)
      const refused = [
        'begin',
        'BEGIN IMMEDIATE',
        'commit',
        '  commit;',
        'end',
        'rollback',
        '-- a comment\nrollback',
        '/* a comment */ commit',
        'savepoint mine',
        'release mine',
        'rollback to mine',
      ]
      const rollback = subject.database.transact(async ({ sql }) => {
        await sql.run("insert into seen (id, name) values (1, 'a')")
        for (const text of refused) {
          await assert.rejects(async () => sql.run(text), text)
          await assert.rejects(async () => sql.all(text), text)
        }
        assert.equal((await sql.all('select id from seen')).length, 1)
        throw new Error('roll back')
      })
      await assert.rejects(rollback, /roll back/)
      assert.deepEqual(await all(subject.database, 'select id from seen'), [])
    },
    withSql,
  ),

  it(
    'SQL cannot be used after its transaction has ended',
    async (subject) => {
      await makeTable(subject)
      const kept = await subject.database.transact((transaction) => ({ transaction }))
      await refuses('STATE_INVALID', () => kept.transaction.sql.all('select id from seen'))
    },
    withSql,
  ),

  it(
    'SQL that is not awaited when its transaction is rolled back leaves nothing, and disturbs no other',
    async (subject) => {
      await makeTable(subject)
      const { database } = subject
      const left: unknown[] = []
      const insert = "insert into seen (id, name) values (1, 'stray')"
      for (let round = 0; round < 10; round += 1) {
        const work = database.transact(async ({ sql }) => {
          const leave = async (text: string): Promise<number> => sql.run(text)
          const all = [leave(insert), leave('insert into nowhere values (1)'), leave(insert)]
          for (const one of all) left.push(one.catch(() => undefined))
          await all[1]
        })
        await assert.rejects(work)
        await database.transact(({ documents }) => documents.put('c', `${round}`, '{}'))
      }
      await Promise.all(left)
      assert.deepEqual(await all(database, 'select id from seen'), [])
      const listed = await database.read(({ documents }) => documents.list('c', { limit: 100 }))
      assert.equal(listed.length, 10)
    },
    withSql,
  ),

  it(
    'an adapter without SQL says so, and the transaction goes on',
    async ({ database }) => {
      await database.transact(async (transaction) => {
        await refuses('CAPABILITY_MISSING', () => transaction.sql.all('select 1'))
        await transaction.documents.put('c', 'a', '{}')
      })
      await given(database, 's', messages('a'))
      assert.equal(await database.read(({ documents }) => documents.get('c', 'a')), '{}')
    },
    withoutSql,
  ),
]

export const sql: readonly Case[] = [...statements, ...together]
