import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite from 'better-sqlite3'
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest'
import { isThenceError, ThenceError } from '../../src/errors.ts'
import type { Database } from '../../src/ports/database.ts'
import type { AppendRequest } from '../../src/ports/events.ts'
import {
  appended,
  committing,
  directory,
  drivers,
  message,
  opened,
  store,
  storePath,
} from './kit.ts'

const code = (expected: string) => (error: unknown) =>
  isThenceError(error) && error.code === expected

const one = (): AppendRequest[] => [{ stream: 's', messages: [message()] }]

/** Runs mount; where that is not allowed the test is skipped, and says why. */
const mount = (context: TestContext, options: readonly string[], target: string): void => {
  mkdirSync(target, { recursive: true })
  try {
    execFileSync('mount', [...options, target], { stdio: 'pipe' })
  } catch (error) {
    const reason = `mounting is not possible here: ${(error as Error).message}`
    if (process.env['THENCE_REQUIRE_ALL'] === '1') throw new Error(reason)
    context.skip(reason)
  }
  onTestFinished(() => void execFileSync('umount', [target]))
}

describe.each(drivers)('a full disk on $name', ({ connect }) => {
  const smallDisk = (context: TestContext) => {
    const target = join(directory(), 'disk')
    mount(context, ['-t', 'tmpfs', '-o', 'size=1500k', 'tmpfs'], target)
    const ballast = join(target, 'ballast')
    writeFileSync(ballast, Buffer.alloc(500_000))
    return { path: join(target, 'store.db'), ballast }
  }

  const fill = async (database: Database): Promise<{ ids: string[]; error: unknown }> => {
    const ids: string[] = []
    for (let index = 0; index < 10_000; index += 1) {
      const batch = Array.from({ length: 5 }, () =>
        message({ data: JSON.stringify('x'.repeat(500)) }),
      )
      try {
        await database.append(batch.map((each) => ({ stream: 's', messages: [each] })))
        ids.push(...batch.map(({ id }) => id))
      } catch (error) {
        return { ids, error }
      }
    }
    throw new Error('the disk never filled up')
  }

  test('fails the whole batch, keeps what was acknowledged, and goes on when there is space', async (context) => {
    const { path, ballast } = smallDisk(context)
    const database = await store(path, { connect })
    const { ids, error } = await fill(database)
    expect(error).toSatisfy(code('STORE_FULL'))
    expect(ids.length).toBeGreaterThan(50)
    const read = async () =>
      (await database.read(({ events }) => events.readStream('s', { limit: 100_000 }))).map(
        ({ id }) => id,
      )
    expect(await read()).toEqual(ids)
    await expect(fill(database)).resolves.toMatchObject({ ids: [] })
    rmSync(ballast)
    const [verdict] = await database.append(one())
    expect(appended(verdict)).toMatchObject({ version: ids.length + 1, position: ids.length + 1 })
    await database.close()
    const raw = new DatabaseSync(path)
    expect(raw.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    raw.close()
  })

  test('cannot be swallowed by the work: the transaction does not commit', async (context) => {
    const { path } = smallDisk(context)
    const database = await store(path, { connect })
    await fill(database)
    const attempt = database.transact(async ({ documents }) => {
      for (let index = 0; index < 3000; index += 1) {
        try {
          await documents.put('c', String(index), JSON.stringify('x'.repeat(1000)))
        } catch {
          return 'swallowed'
        }
      }
      return 'never full'
    })
    await expect(attempt).rejects.toSatisfy(code('STORE_FULL'))
    expect(await database.read(({ documents }) => documents.list('c', { limit: 9 }))).toEqual([])
  })
})

describe('a file that cannot be written', () => {
  const connections: readonly [string, (path: string) => DatabaseSync | BetterSqlite.Database][] = [
    ['read-only on node:sqlite', (path) => new DatabaseSync(path, { readOnly: true })],
    ['read-only on better-sqlite3', (path) => new BetterSqlite(path, { readonly: true })],
    ['immutable', (path) => new DatabaseSync(`file:${path}?immutable=1`, { readOnly: true })],
  ]

  const prepared = async (): Promise<string> => {
    const path = storePath()
    const database = await store(path)
    await database.append(one())
    await database.close()
    return path
  }

  const expectReadOnly = async (database: Database): Promise<void> => {
    expect(await database.read(({ events }) => events.head())).toBe(1)
    await expect(database.append(one())).rejects.toSatisfy(code('STORE_READ_ONLY'))
    const put = database.transact(({ documents }) => documents.put('c', 'k', '1'))
    await expect(put).rejects.toSatisfy(code('STORE_READ_ONLY'))
    expect(await database.read(({ events }) => events.head())).toBe(1)
  }

  test.each(connections)('because it was opened %s can be read', async (_, connect) => {
    await expectReadOnly(await opened(connect(await prepared())))
  })

  test('because its disk is mounted read-only can be read by an immutable connection', async (context) => {
    const source = await prepared()
    const target = join(directory(), 'disk')
    mount(context, ['--bind', '-o', 'ro', join(source, '..')], target)
    const path = join(target, 'store.db')
    const connection = new DatabaseSync(`file:${path}?immutable=1`, { readOnly: true })
    onTestFinished(() => {
      if (connection.isOpen) connection.close()
    })
    const database = await opened(connection)
    await expectReadOnly(database)
    await database.close()
  })

  test('and was never migrated cannot be migrated', async () => {
    const path = storePath()
    new DatabaseSync(path).close()
    const database = await opened(new DatabaseSync(path, { readOnly: true }))
    await expect(database.migrate()).rejects.toSatisfy(code('STORE_READ_ONLY'))
  })
})

describe.each(drivers)('a damaged file on $name', ({ connect }) => {
  const filled = async (): Promise<string> => {
    const path = storePath()
    const database = await store(path, { connect })
    for (let index = 0; index < 20; index += 1)
      await database.append([
        { stream: 's', messages: Array.from({ length: 50 }, () => message()) },
      ])
    await database.close()
    return path
  }

  const overwrite = (path: string, offset: number, size: number): void => {
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(size, 0xa5), 0, size, offset)
    closeSync(file)
  }

  test('with another header is refused', async () => {
    const path = await filled()
    overwrite(path, 0, 100)
    await expect(opened(connect(path))).rejects.toSatisfy(code('STORE_CORRUPT'))
  })

  test('that is no database at all is refused and stays as it is', async () => {
    const path = storePath()
    const text = 'Dear diary, '.repeat(1000)
    writeFileSync(path, text)
    await expect(opened(connect(path))).rejects.toSatisfy(code('STORE_CORRUPT'))
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('with damaged pages in the middle says so when they are read', async () => {
    const path = await filled()
    const size = statSync(path).size
    overwrite(path, 4096 * 20, size - 4096 * 20)
    const attempt = async () => {
      const database = await opened(connect(path))
      await database.read(({ events }) => events.readAll({ limit: 10_000 }))
    }
    await expect(attempt()).rejects.toSatisfy(code('STORE_CORRUPT'))
  })
})

describe.each(drivers)('another connection that holds the write lock on $name', ({ connect }) => {
  const locked = async (busyTimeout: number) => {
    const path = storePath()
    const database = await store(path, { connect, busyTimeout })
    // By the same driver: two copies of SQLite in one process do not see each other's locks.
    const other = connect(path)
    onTestFinished(() => void other.close())
    other.exec('BEGIN IMMEDIATE')
    return { database, other }
  }

  test('for too long gives STORE_BUSY, does not block the event loop, and nothing is lost', async () => {
    const { database, other } = await locked(60)
    let turns = 0
    let waiting = true
    const turn = (): void => {
      turns += 1
      if (waiting) setImmediate(turn)
    }
    setImmediate(turn)
    await expect(database.append(one())).rejects.toSatisfy(code('STORE_BUSY'))
    waiting = false
    expect(turns).toBeGreaterThan(20)
    other.exec('ROLLBACK')
    expect(appended((await database.append(one()))[0])).toMatchObject({ version: 1, position: 1 })
  })

  test('and lets go in time is waited for', async () => {
    const { database, other } = await locked(10_000)
    const attempt = database.append(one())
    setImmediate(() => other.exec('ROLLBACK'))
    expect(appended((await attempt)[0])).toMatchObject({ version: 1, position: 1 })
  })

  test('does not stop reads', async () => {
    const { database } = await locked(60)
    expect(await database.read(({ events }) => events.head())).toBe(0)
  })
})

test('a commit that fails leaves nothing behind and the store usable', async () => {
  const connection = new DatabaseSync(storePath())
  let broken = false
  const problem = Object.assign(new Error('disk I/O error'), { errcode: 10 })
  const database = await opened(
    committing(connection, (commit) => {
      if (broken) throw problem
      return commit()
    }),
  )
  await database.migrate()
  broken = true
  const failed = await database.append(one()).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(ThenceError)
  expect(failed).toMatchObject({ code: 'STORE_FAILED', cause: problem })
  expect(connection.isTransaction).toBe(false)
  broken = false
  expect(appended((await database.append(one()))[0])).toMatchObject({ version: 1, position: 1 })
})

test('a connection that its owner closed gives STORE_CLOSED', async () => {
  for (const { connect } of drivers) {
    const connection = connect(storePath())
    const database = await opened(connection)
    await database.migrate()
    connection.close()
    await expect(database.append(one())).rejects.toSatisfy(code('STORE_CLOSED'))
    await database.close()
  }
})
