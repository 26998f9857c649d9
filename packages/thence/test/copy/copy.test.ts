// A store that is copied to another database: what comes with it, that it goes on where it was, and that nothing else is taken for it.
import { app } from 'thence'
import { copyStore } from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { readEverything } from '../../src/conformance/everything.ts'
import { message } from '../../src/conformance/samples.ts'
import { copiedTables } from '../../src/ports/copying.ts'
import { wrap } from '../kit/places.ts'
import type { Kept } from './stores.ts'
import { fill, forgetful, leave, stores, ways, waysWithGaps, wrapCopying } from './stores.ts'

const everything = async (database: Awaited<ReturnType<Kept['open']>>) =>
  database.read((transaction) => readEverything(transaction, ['a', 'ü "\\ 漢']))

describe.for([...ways, ...waysWithGaps])('from %s to %s', ([from, to]) => {
  test('everything of every port comes with it', async () => {
    const source = await stores[from]().open()
    await fill(source)
    const before = await everything(source)
    const kept = stores[to]()
    const target = await kept.open()
    const { identity, tables, rebuilds } = await copyStore({ database: source }, target)
    expect(rebuilds).toEqual([])
    expect(await target.identity()).toBe(identity)
    expect(await source.identity()).toBe(identity)
    expect(await everything(target)).toEqual({ ...before, audit: expect.anything() })
    expect(await everything(source)).toEqual(before)
    const rows = Object.fromEntries(tables.map((one) => [one.table, one.rows]))
    expect(rows).toMatchObject({ events: 2106, tags: 4202, head: 1, checkpoints: 5, timers: 2 })
    // Nothing is left out because there was nothing of it.
    expect(Object.entries(rows).filter(([, count]) => count === 0)).toEqual([])
    for (const { checksum } of tables) expect(checksum).toMatch(/^[0-9a-f]{64}$/)
  })

  test('the log goes on: neither position nor version nor id is given twice', async () => {
    const source = await stores[from]().open()
    await fill(source)
    const target = await stores[to]().open()
    await copyStore({ database: source }, target)
    const append = (database: typeof target) =>
      database.append([
        { stream: 'long', expected: 2100, messages: [message('next')] },
        { stream: 'trimmed', messages: [message('after what is gone')] },
        { stream: 'ended a', messages: [message('too late')] },
        { stream: 'again', messages: [message('long 5')] },
        {
          stream: 'conditional',
          condition: { query: [{ tags: ['tag 6', 'every'] }], after: 100 },
          messages: [message('not so')],
        },
      ])
    expect(await append(target)).toEqual(await append(source))
    await target.transact(({ sizes }) => sizes.measure(10_000))
    await source.transact(({ sizes }) => sizes.measure(10_000))
    const sizes = (database: typeof target) =>
      database.read(async (transaction) => (await transaction.sizes.read(100)).categories)
    expect(await sizes(target)).toEqual(await sizes(source))
  })
})

describe.for(ways)('interrupted on the way from %s to %s', ([from, to]) => {
  test('a copy that ends at any of its writes goes on, and nothing runs on it before', async () => {
    const source = await stores[from]().open()
    await fill(source)
    const kept = stores[to]()
    const target = await kept.open()
    let left = 0
    const dying = wrap(target, {
      copying() {
        const copying = target.copying!()
        return wrapCopying(copying, {
          async write(table, rows) {
            left -= 1
            if (left < 0) throw new Error('killed')
            await copying.write(table, rows)
          },
        })
      },
    })
    let tries = 0
    for (;;) {
      left = tries
      tries += 1
      const copied = await copyStore({ database: source }, dying).catch((error: Error) => error)
      if (!(copied instanceof Error)) break
      expect(copied.message).toBe('killed')
      await expect(target.identity()).rejects.toMatchObject({ code: 'STORE_INCOMPLETE' })
    }
    expect(tries).toBeGreaterThan(copiedTables.length / 2)
    expect(await everything(target)).toEqual({
      ...(await everything(source)),
      audit: expect.anything(),
    })
  })
})

describe.for(ways.slice(0, 2))('on the way from %s to %s', ([from, to]) => {
  const both = async () => {
    const source = await stores[from]().open()
    await fill(source)
    const kept = stores[to]()
    return { source, kept, target: await kept.open() }
  }

  const interrupted = async (source: Parameters<typeof copyStore>[1], target: typeof source) => {
    const controller = new AbortController()
    await expect(
      copyStore({ database: source }, target, {
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === 'verify') controller.abort()
        },
      }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
  }

  test('while apps run on the source only the log is copied', async () => {
    const { source, target } = await both()
    await source.transact(({ leases }) =>
      leases.beat({ id: 'm', name: 'shop-1:7', runs: [] }, 60_000),
    )
    const refused = copyStore({ database: source }, target)
    await expect(refused).rejects.toMatchObject({
      code: 'STORE_BUSY',
      message: expect.stringContaining('shop-1:7'),
    })
    expect(await target.read(({ events }) => events.head())).toBe(2108)
    await source.append([{ stream: 'long', messages: [message('meanwhile')] }])
    await leave(source)
    await copyStore({ database: source }, target)
    expect(await everything(target)).toEqual({
      ...(await everything(source)),
      audit: expect.anything(),
    })
  })

  test('what changed on the source since it was copied is copied anew', async () => {
    const { source, target } = await both()
    await interrupted(source, target)
    await source.transact(async ({ documents, timers, events }) => {
      await documents.put('documents', 'shared', '"changed"')
      await documents.delete('documents', 'a')
      await timers.cancelAll('shared')
      await events.append({ stream: 'long', messages: [message('later')] })
    })
    await copyStore({ database: source }, target)
    expect(await everything(target)).toEqual({
      ...(await everything(source)),
      audit: expect.anything(),
    })
  })

  test.for([
    ["UPDATE TABLE SET data = '{}' WHERE position = 300", 'events', 300],
    ['DELETE FROM TABLE WHERE position = 2000', 'events', 2000],
    ["UPDATE TABLE SET tag = 'other' WHERE position = 300 AND tag = 'every'", 'tags', 300],
  ] as const)('a log that is not the same is told of: %s', async ([text, name, position]) => {
    const { source, kept, target } = await both()
    await interrupted(source, target)
    await kept.change((table) => text.replace('TABLE', table(name)))
    await expect(copyStore({ database: source }, target)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(`position ${position}`),
    })
    await expect(target.identity()).rejects.toMatchObject({ code: 'STORE_INCOMPLETE' })
  })

  test('no app starts on a target that is not whole', async () => {
    const { source, target, kept } = await both()
    await interrupted(source, target)
    await expect(
      app({ database: kept.connect(), runtime: kept.runtime, logger: false }).start(),
    ).rejects.toMatchObject({
      code: 'STORE_INCOMPLETE',
      message: expect.stringContaining('thence store copy'),
    })
  })

  test('a target with something of its own, a whole copy and another source are refused', async () => {
    const { source, target } = await both()
    const other = await stores[to]().open()
    await other.append([{ stream: 's', messages: [message('own')] }])
    const refused = async (one: typeof source, two: typeof source, told: string): Promise<void> => {
      await expect(copyStore({ database: one }, two)).rejects.toMatchObject({
        code: 'STATE_INVALID',
        message: expect.stringContaining(told),
      })
    }
    await refused(source, other, 'something of its own')
    expect(await other.read(({ events }) => events.head())).toBe(1)
    await refused(source, source, 'The target is the source')
    await interrupted(source, target)
    await refused(other, target, 'another store')
    await copyStore({ database: source }, target)
    await refused(source, target, 'whole copy')
  })

  test('a store that does not outlive its process is neither copied nor filled', async () => {
    const { source } = await both()
    const refusal = { code: 'CAPABILITY_MISSING' }
    await expect(copyStore({ database: source }, await forgetful())).rejects.toMatchObject(refusal)
    await expect(copyStore({ database: await forgetful() }, source)).rejects.toMatchObject(refusal)
  })
})
