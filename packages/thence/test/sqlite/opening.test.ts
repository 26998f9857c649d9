/** A store may be opened while another process holds the lock of its file: it waits, as for any other lock. */
import { describe, expect, test } from 'vitest'
import { isThenceError } from '../../src/errors.ts'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import { sqlite } from 'thence/sqlite'
import { drivers, store, storePath } from './kit.ts'

describe.each(drivers)('opening a store on $name while the file is locked', ({ connect }) => {
  const locked = async () => {
    const path = storePath()
    // Closed, so that the file is whole and alone.
    await (await store(path)).close()
    const other = connect(path)
    // As the first connection after a crash does, while it recovers the log.
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return { path, other }
  }

  test('waits until the lock is free', async () => {
    const { path, other } = await locked()
    const database = sqlite({ database: connect(path) })
    const opening = database.open(systemRuntime())
    other.close()
    await opening
    expect(await database.read(({ events }) => events.head())).toBe(0)
    await database.close()
  })

  test('gives STORE_BUSY when it waited for too long', async () => {
    const { path, other } = await locked()
    const database = sqlite({ database: connect(path), busyTimeout: 5 })
    const error = await Promise.resolve(database.open(systemRuntime())).catch((why: unknown) => why)
    expect(isThenceError(error, 'STORE_BUSY')).toBe(true)
    other.close()
    await database.close()
  })
})
