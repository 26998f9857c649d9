/** The same seed gives the same history; chunks and restarts change nothing in the books. */
import { expect, test } from 'vitest'
import { generatedSource } from '../intake/source.ts'
import { trade } from '../intake/trade.ts'
import { simulation } from '../simulation.ts'
import { books } from '../summary.ts'
import { historyOf } from './history.ts'
import { fileShop, memoryShop } from './shops.ts'
import { temporaryPath } from './temporary.ts'

const slow = { timeout: 60_000 }

const day = (seed: number) => generatedSource(seed, { days: 1, orders: 500 })

const traded = async (seed: number) => {
  const shop = await fileShop(temporaryPath('shop.db'), simulation(seed))
  await trade(shop, day(seed), { seed })
  return { history: await historyOf(shop), books: await books(shop) }
}

test(
  'the same seed gives the same history twice: types, streams, payloads, and their order',
  slow,
  async () => {
    const [first, second] = [await traded(7), await traded(7)]
    expect(second).toEqual(first)
  },
)

test('another seed gives another history', slow, async () => {
  const [first, second] = [await traded(7), await traded(8)]
  expect(second.history.streams).not.toBe(first.history.streams)
})

test('in memory every stream is the same as in a file', slow, async () => {
  const shop = await memoryShop(simulation(7))
  await trade(shop, day(7), { seed: 7 })
  const { history } = await traded(7)
  expect((await historyOf(shop)).streams).toBe(history.streams)
})

test('the books do not depend on how many invoices are traded at once', slow, async () => {
  const small = await memoryShop(simulation(7))
  await trade(small, day(7), { seed: 7, chunkSize: 13 })
  const { messages: _, ...inChunks } = await books(small)
  expect((await traded(7)).books).toMatchObject(inChunks)
})

test(
  'an intake that was interrupted goes on, and one that is finished does nothing',
  slow,
  async () => {
    const path = temporaryPath('shop.db')
    const interrupted = await fileShop(path, simulation(7))
    const stop = new AbortController()
    await trade(interrupted, day(7), { seed: 7, signal: stop.signal, onTraded: () => stop.abort() })
    const before = (await books(interrupted)).messages
    await interrupted.stop()

    const resumed = await fileShop(path, simulation(7))
    await trade(resumed, day(7), { seed: 7 })
    const finished = { history: await historyOf(resumed), books: await books(resumed) }
    expect(finished).toEqual(await traded(7))
    expect(finished.books.messages).toBeGreaterThan(before)
    await resumed.stop()

    const again = await fileShop(path, simulation(7))
    await trade(again, day(7), { seed: 7 })
    expect(await books(again)).toEqual(finished.books)
  },
)

test('an intake that lost its place sends all again, and nothing happens twice', slow, async () => {
  const shop = await memoryShop(simulation(7))
  await trade(shop, day(7), { seed: 7 })
  const { messages: before, ...once } = await books(shop)
  // Live trade goes on behind the day, so it reads the day again.
  const endless = { ...day(7), total: Infinity }
  await trade(shop, { ...endless, invoices: () => day(7).invoices() }, { seed: 7 })
  const { messages: after, ...twice } = await books(shop)
  expect(twice).toEqual(once)
  expect(after).toBe(before)
})
