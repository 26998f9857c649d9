// What is written to the source while its copy comes to an end: whoever was answered before the copy is whole is in it, or it is not whole.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Database } from 'thence'
import { copyStore } from 'thence/admin'
import { sqlite } from 'thence/sqlite'
import { virtualRuntime } from 'thence/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '../../src/cli/open.ts'
import { message } from '../../src/conformance/samples.ts'
import type { Copying } from '../../src/ports/copying.ts'
import { open, place, request, waitedFor } from '../kit/open-append.ts'
import { wrap } from '../kit/places.ts'
import { leave, stores, ways, waysWithGaps, wrapCopying } from './stores.ts'

/** The target, where `copying` is another. */
const wrapped = (target: Database, own: (copying: Copying) => Partial<Copying>): Database =>
  wrap(target, {
    copying() {
      const copying = target.copying!()
      return wrapCopying(copying, own(copying))
    },
  })

/** The target, where something happens once when the log was compared and the other tables are not yet. */
const whileCompared = (target: Database, happens: () => Promise<unknown>): Database => {
  let happened = false
  return wrapped(target, (copying) => ({
    async rows(table, options) {
      if (table.name === 'checkpoints' && !happened) {
        happened = true
        await happens()
      }
      return copying.rows(table, options)
    },
  }))
}

type Way = (typeof ways)[number] | (typeof waysWithGaps)[number]

/** `other` is open on the source too. */
const both = async ([from, to]: Way) => {
  const kept = stores[from]()
  const source = await kept.open()
  await source.append([{ stream: 'long', messages: [message('before')] }])
  return { source, other: await kept.open(), target: await stores[to]().open() }
}

test.for([...ways, ...waysWithGaps])(
  'an append while the other tables are compared is not left out: from %s to %s',
  async (way) => {
    const { source, other, target } = await both(way)
    const appending = () => other.append([{ stream: 'long', messages: [message('meanwhile')] }])
    await expect(
      copyStore({ database: source }, whileCompared(target, appending)),
    ).rejects.toMatchObject({
      code: 'STORE_BUSY',
      message: expect.stringContaining('was written to while'),
    })
    await expect(target.identity()).rejects.toMatchObject({ code: 'STORE_INCOMPLETE' })
    await copyStore({ database: source }, target)
    expect(await target.read(({ events }) => events.find({ id: 'meanwhile' }))).toHaveLength(1)
  },
)

test.for(ways.slice(0, 2))(
  'an app that starts while the other tables are compared is told of: from %s to %s',
  async (way) => {
    const { source, other, target } = await both(way)
    const starting = () =>
      other.transact(({ leases }) => leases.beat({ id: 'm', name: 'shop-1:7', runs: [] }, 60_000))
    await expect(
      copyStore({ database: source }, whileCompared(target, starting)),
    ).rejects.toMatchObject({
      code: 'STORE_BUSY',
      message: expect.stringContaining('shop-1:7'),
    })
    await expect(target.identity()).rejects.toMatchObject({ code: 'STORE_INCOMPLETE' })
    await leave(source)
    await copyStore({ database: source }, target)
    expect(await target.identity()).toBe(await source.identity())
  },
)

test.for(['sequenced', 'concurrent'] as const)(
  'whoever appends in the last moment waits until the copy is whole: %s',
  async (order) => {
    const at = place()
    const source = await open(at, { order })
    const other = await open(at, { order })
    await source.append([request('a', 'first')])
    const target = await open(place(), {}, virtualRuntime({ seed: 2 }))
    let answered: Promise<string> | undefined
    const late = wrapped(target, (copying) => ({
      async end() {
        answered = other.append([request('b', 'late')]).then(() => target.identity())
        answered.catch(() => undefined)
        await Promise.race([waitedFor(at), answered])
        await copying.end()
      },
    }))
    const { identity } = await copyStore({ database: source }, late)
    expect(await answered).toBe(identity)
  },
)

test('nobody writes to a file in the last moment', async () => {
  const kept = stores.sqlite()
  const source = await kept.open()
  const target = await stores.sqlite().open()
  const held = wrapped(target, (copying) => ({
    async end() {
      await expect(kept.change(() => 'BEGIN IMMEDIATE')).rejects.toThrow('locked')
      await copying.end()
    },
  }))
  await copyStore({ database: source }, held)
  await kept.change(() => 'BEGIN IMMEDIATE')
})

const path = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'thence-held-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'store.db')
}

const opened = async (connection: DatabaseSync): Promise<Database> => {
  const database = sqlite({ database: connection })
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  return database
}

test('a file that may only be read is copied too', async () => {
  const file = path()
  const writing = await opened(new DatabaseSync(file))
  await writing.migrate()
  await writing.append([{ stream: 's', messages: [message('one')] }])
  const target = await stores.sqlite().open()
  const source = await opened(new DatabaseSync(file, { readOnly: true }))
  const meanwhile = () => writing.append([{ stream: 's', messages: [message('two')] }])
  await expect(
    copyStore({ database: source }, whileCompared(target, meanwhile)),
  ).rejects.toMatchObject({ code: 'STORE_BUSY' })
  expect((await copyStore({ database: source }, target)).tables[0]).toMatchObject({ rows: 2 })
})

test('the command holds a file that its user may write', async () => {
  const file = path()
  const writing = new DatabaseSync(file)
  onTestFinished(() => writing.close())
  await (await opened(new DatabaseSync(file))).migrate()
  const { database } = await openStore({ kind: 'file', name: file, file }, 'hold')
  onTestFinished(() => database.close())
  const held = database.copying!().hold(async () => {
    expect(() => writing.exec('BEGIN IMMEDIATE')).toThrow('locked')
    return 'held'
  })
  expect(await held).toBe('held')
})
