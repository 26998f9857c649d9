// Through each library: the user's row and what the app records commit together or not at all, and what comes back is the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { libraries } from '../kit/own/libraries.ts'
import { libraryOfTest, openShop, Order, Ordered, Pack, type Shop, Total } from '../kit/own/shop.ts'
import { all } from '../kit/places.ts'

const failure = new Error('after all')

let shop: Shop
beforeAll(async () => (shop = await openShop()))
afterAll(() => shop.close())

describe.each(libraries)('a transaction of $name', ({ name, open }) => {
  it('commits its row with what the app appends, sends and keeps for later', async () => {
    const { app } = shop
    const id = `${name} commits`
    const before = await shop.head()
    const result = await libraryOfTest(shop, open).transaction(async ({ own, insert }) => {
      await insert(id)
      const done = await app.within(own, async (tx) => {
        await tx.append({ stream: id, events: [Ordered({ id, n: 1 }), Ordered({ id, n: 2 })] })
        await tx.send(Order({ id, n: 3 }))
        const pack = await tx.send(Pack({ id, n: 4 }))
        expect(pack).toMatchObject({ stream: 'commands-Pack', position: before + 4 })
        const { due } = await tx.send(Pack({ id, n: 5 }, { id: `${id}, later` }), { in: '1h' })
        expect(due).toBe(shop.test.runtime.now() + 3_600_000)
        // It sees what it has done.
        expect((await all(tx.stream(id))).map(({ data }) => data)).toEqual([
          { id, n: 1 },
          { id, n: 2 },
        ])
        return 'done'
      })
      // Nobody else does.
      expect(await shop.head()).toBe(before)
      return done
    })
    expect(result).toMatchObject({ value: 'done', position: before + 4, duplicate: false })
    // No time passes, so no poll looks.
    app.wake()
    await app.until(result.token, { handler: 'packing' })
    expect(await app.ask(Total(id), { after: result.token })).toBe(6)
    expect(await shop.orders(id)).toEqual([id])
    expect(await shop.head()).toBe(before + 5)
    expect(await shop.waiting(id)).toEqual([`send:${id}, later`])
  })

  it('that rolls back leaves nothing of ours, and burns no position', async () => {
    const { app } = shop
    const id = `${name} rolls back`
    const once = { consumer: 'orders', id }
    const before = await shop.head()
    const library = libraryOfTest(shop, open)
    const rolledBack = library.transaction(async ({ own, insert }) => {
      await insert(id)
      const work = app.within(
        own,
        async (tx) => {
          await tx.append({ stream: id, events: Ordered({ id, n: 1 }) })
          await tx.send(Pack({ id, n: 5 }, { id }), { in: '1h' })
        },
        { once },
      )
      expect(await work).toMatchObject({ position: before + 1 })
      throw failure
    })
    await expect(rolledBack).rejects.toBe(failure)
    expect(await shop.orders(id)).toEqual([])
    expect(await shop.head()).toBe(before)
    expect(await shop.waiting(id)).toEqual([])
    expect(await app.ask(Total(id))).toBe(0)
    const next = await library.transaction(({ own }) =>
      app.within(own, (tx) => tx.append({ events: Ordered({ id, n: 2 }) }), { once }),
    )
    expect(next).toMatchObject({ position: before + 1, duplicate: false })
  })

  it('goes on with its own row if what the app was to do is refused', async () => {
    const { app } = shop
    const id = `${name} goes on`
    await app.append({ stream: id, events: Ordered({ id, n: 1 }) })
    const before = await shop.head()
    await libraryOfTest(shop, open).transaction(async ({ own, insert }) => {
      await insert(`${id} 1`)
      const refused = app.within(own, async (tx) => {
        await tx.append({ events: Ordered({ id, n: 2 }) })
        await tx.append({ stream: id, events: Ordered({ id, n: 2 }), expected: 'none' })
      })
      await expect(refused).rejects.toMatchObject({
        code: 'VERSION_CONFLICT',
        details: { stream: id, expected: 'none', actual: 1 },
      })
      const rejected = app.within(own, (tx) => tx.send(Order({ id, n: 11 })))
      await expect(rejected).rejects.toMatchObject({ code: 'REJECTED' })
      await insert(`${id} 2`)
    })
    expect(await shop.orders(id)).toEqual([`${id} 1`, `${id} 2`])
    expect(await shop.head()).toBe(before)
    expect(await app.ask(Total(id))).toBe(1)
  })

  it('does nothing twice: by the ids of messages, and by the id of what it is done for', async () => {
    const { app } = shop
    const id = `${name} twice`
    const before = await shop.head()
    const library = libraryOfTest(shop, open)
    const ordered = Ordered({ id, n: 1 }, { id })
    const arrive = (row: string) =>
      library.transaction(async ({ own, insert }) => {
        await insert(row)
        const once = { consumer: 'orders', id: `${id}, delivery` }
        const work = app.within(own, async (tx) => (await tx.append({ events: ordered })) && row, {
          once,
        })
        return work
      })
    expect(await arrive(`${id} 1`)).toMatchObject({ value: `${id} 1`, duplicate: false })
    expect(await arrive(`${id} 2`)).toMatchObject({
      value: `${id} 1`,
      duplicate: true,
      position: before + 1,
    })
    const again = await library.transaction(({ own }) =>
      app.within(own, (tx) => tx.append({ events: ordered })),
    )
    expect(again.value).toMatchObject({ position: before + 1, duplicate: true })
    expect(again.value.events.map(({ data }) => data)).toEqual([{ id, n: 1 }])
    expect(await shop.head()).toBe(before + 1)
    expect(await app.ask(Total(id))).toBe(1)
  })

  it('carries values as they are', async () => {
    const { app } = shop
    const odd = `'"\\{},?$2 ${name}`
    const stream = `s'?$1 ${name}`
    const message = Ordered(
      { id: `; ? ?? $1 :name \\? \\\\ "x" é 🦊 ${name}`, n: Number.MAX_SAFE_INTEGER },
      {
        id: `'; ? ?? $1 :name \\? \\\\ {"x"} 🦊 ${name}`,
        tags: ['a tag', odd],
        metadata: { correlationId: 'their own', user: { text: '\n\t?$1\\', no: null, yes: true } },
      },
    )
    const { value } = await libraryOfTest(shop, open).transaction(({ own }) =>
      app.within(own, async (tx) => {
        await tx.append({ stream, events: message })
        const condition = { query: [{ tags: [odd], types: ['Ordered'] }], after: 0 }
        const second = tx.append({ events: Ordered({ id: '', n: 1 }), condition })
        await expect(second).rejects.toMatchObject({ code: 'CONDITION_FAILED' })
        return all(tx.stream(stream))
      }),
    )
    const stored = await all(app.stream(stream))
    expect(stored).toMatchObject([message])
    expect(value).toEqual(stored)
  })

  it('that has ended is told so', async () => {
    const { app } = shop
    const id = `${name} ended`
    const used: Parameters<typeof app.within>[0][] = []
    await libraryOfTest(shop, open).transaction(async ({ own }) => {
      used.push(own)
      await app.within(own, (tx) => tx.append({ stream: id, events: Ordered({ id, n: 1 }) }))
    })
    for (const own of used) {
      const late = app.within(own, (tx) => tx.append({ stream: id, events: Ordered({ id, n: 2 }) }))
      await expect(late).rejects.toMatchObject({ code: 'STATE_INVALID' })
    }
    expect((await all(app.stream(id))).map(({ data }) => data)).toEqual([{ id, n: 1 }])
    expect(used).toHaveLength(1)
  })
})
