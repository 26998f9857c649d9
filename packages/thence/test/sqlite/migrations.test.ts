import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { migrations } from '../../src/adapters/sqlite/migrations/all.ts'
import { isThenceError } from '../../src/errors.ts'
import { runChild } from './children.ts'
import { appended, drivers, message, opened, store, storePath } from './kit.ts'

/** Everything of ours in the file, as SQLite itself writes it down. */
const dump = (path: string): string => {
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database
    .prepare(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type = 'table' DESC, name",
    )
    .all()
  database.close()
  return `${rows.map((row) => `${String(row['sql'])};`).join('\n\n')}\n`
}

const code = (expected: string) => (error: unknown) =>
  isThenceError(error) && error.code === expected

/** How many there are, and so the number of the last. */
const all = migrations.length

test('the migrated schema is the committed one', async () => {
  const path = storePath()
  await store(path)
  await expect(dump(path)).toMatchFileSnapshot('../../src/adapters/sqlite/schema.sql')
})

test('planning changes nothing, migrating applies each number once', async () => {
  const path = storePath()
  const database = await opened(new DatabaseSync(path))
  const pending = migrations.map(({ number, name }) => ({ number, name }))
  expect(pending[0]).toEqual({ number: 1, name: 'tables' })
  expect(await database.plan()).toMatchObject({ current: 0, pending })
  expect(dump(path)).toBe('\n')
  expect(await database.migrate()).toMatchObject({ current: 0, pending })
  expect(await database.plan()).toEqual({ current: all, pending: [] })
  expect(await database.migrate()).toEqual({ current: all, pending: [] })
})

test.each(drivers)('two connections migrate one new file at once on $name', async ({ connect }) => {
  const path = storePath()
  const databases = await Promise.all([1, 2, 3].map(() => opened(connect(path))))
  const plans = await Promise.all(databases.map((database) => database.migrate()))
  expect(plans.filter(({ pending }) => pending.length === all)).toHaveLength(1)
})

test('four processes migrate one new file at once', { timeout: 60_000 }, async () => {
  const path = storePath()
  const outputs = await Promise.all([1, 2, 3, 4].map(() => runChild('migrate', path)))
  expect(outputs.flat().filter((line) => line === String(all))).toHaveLength(1)
  expect(outputs.flat().filter((line) => line === '0')).toHaveLength(3)
  const raw = new DatabaseSync(path)
  expect(raw.prepare('SELECT number FROM thence_migrations').all()).toHaveLength(all)
  raw.close()
})

test('a store that was not migrated says so', async () => {
  const database = await opened(new DatabaseSync(storePath()))
  const attempt = database.append([{ stream: 'a', messages: [message()] }])
  await expect(attempt).rejects.toSatisfy(code('STORE_NOT_MIGRATED'))
})

test('a store of a newer version is refused', async () => {
  const path = storePath()
  await (await store(path)).close()
  const raw = new DatabaseSync(path)
  raw.exec("INSERT INTO thence_migrations VALUES (99, 'future', 0)")
  raw.close()
  await expect(opened(new DatabaseSync(path))).rejects.toSatisfy(code('STORE_TOO_NEW'))
})

test("another application's file is left as it is until someone migrates it", async () => {
  const path = storePath()
  const raw = new DatabaseSync(path)
  raw.exec("CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada')")
  const database = await opened(new DatabaseSync(path))
  expect((await database.plan()).current).toBe(0)
  expect(raw.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' })
  await database.migrate()
  const [verdict] = await database.append([{ stream: 'a', messages: [message()] }])
  expect(appended(verdict).position).toBe(1)
  expect(raw.prepare('SELECT name FROM customers').get()).toEqual({ name: 'Ada' })
  raw.close()
})

test.each([
  ['has tables of our names that are not ours', 'CREATE TABLE thence_events (a)'],
  ['lost an index', 'DROP INDEX thence_events_type'],
  ['lost a trigger', 'DROP TRIGGER thence_events_deleted'],
  ['lost a table', 'DROP TABLE thence_inbox'],
])('a file that %s is refused', async (_, statement) => {
  const path = storePath()
  if (!statement.startsWith('CREATE')) await (await store(path)).close()
  const raw = new DatabaseSync(path)
  raw.exec(statement)
  raw.close()
  await expect(opened(new DatabaseSync(path))).rejects.toSatisfy(code('STORE_CORRUPT'))
})

test('a file in another encoding is refused', async () => {
  const raw = new DatabaseSync(storePath())
  raw.exec("PRAGMA encoding = 'UTF-16'; CREATE TABLE a (b)")
  await expect(opened(raw)).rejects.toSatisfy(code('CONFIG_INVALID'))
})

test('durability is full unless asked otherwise, and the log is written ahead', async () => {
  const raw = new DatabaseSync(storePath())
  await (await opened(raw)).migrate()
  expect(raw.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
  expect(raw.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  const weak = new DatabaseSync(storePath())
  await opened(weak, { synchronous: 'normal' })
  expect(weak.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 })
})

test('each store has an identity of its own', async () => {
  const path = storePath()
  await store(path)
  await store(path)
  const raw = new DatabaseSync(path)
  const rows = raw.prepare('SELECT key, length(value) AS size FROM thence_meta').all()
  expect(rows).toEqual([{ key: 'store_id', size: 36 }])
  raw.close()
})

test('inbox rows from before the inbox knew time are as old as the message that they led to', async () => {
  const path = storePath()
  const raw = new DatabaseSync(path)
  const last = migrations.findIndex(({ name }) => name === 'inbox')
  for (const { number, name, script } of migrations.slice(0, last)) {
    raw.exec(script)
    raw.prepare('INSERT INTO thence_migrations VALUES (?, ?, 0)').run(number, name)
  }
  raw.exec(`
    INSERT INTO thence_meta VALUES ('store_id', 'here');
    INSERT INTO thence_events (position, stream, version, kind, type, schema_version, id, time, data)
      VALUES (1, 's', 1, 'event', 'T', 1, 'a', 100, '{}'), (2, 's', 2, 'event', 'T', 1, 'b', 200, '{}');
    INSERT INTO thence_inbox (consumer, id, stream, version, position, count)
      VALUES ('c', 'of a', 's', 1, 1, 1), ('c', 'of nothing', 's', 0, 0, 0);
  `)
  raw.close()
  const database = await store(path)
  const recall = (id: string) => database.read(({ inbox }) => inbox.recall('c', id))
  const place = { stream: 's', version: 1, position: 1, count: 1 }
  expect(await recall('of a')).toEqual({ ...place, time: 100 })
  expect(await recall('of nothing')).toMatchObject({ time: 200 })
})
