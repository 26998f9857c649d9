// What is committed above an append that stays open, in the order `concurrent`: who is told of it and when, and what an operator is told of the append.
import type { Database } from 'thence'
import { ManualRuntime } from 'thence/conformance'
import { expect, it, vi } from 'vitest'
import { holdingOwn, open, place, request } from '../kit/open-append.ts'

const order = 'concurrent'

/** The heads of which a process is told. */
const heard = async (database: Database): Promise<readonly number[]> => {
  const told: number[] = []
  const began = Promise.withResolvers<void>()
  database.listen!({
    heard: (head) => (head === undefined ? began.resolve() : told.push(head)),
    lost: began.reject,
  })
  await began.promise
  return told
}

const until = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 25_000, interval: 5 })

it.each(['commit', 'undo'] as const)(
  'what was committed above an open append is told once that has ended, without anybody who looks (%s)',
  async (how) => {
    const at = place()
    // What the clock of the listener does not do, nobody finds by looking.
    const listener = await open(at, { order, listen: true }, new ManualRuntime())
    const runtime = new ManualRuntime()
    const writer = await open(at, { order }, runtime)
    const told = await heard(listener)
    const held = await holdingOwn(at, writer, request('a', 'first'))
    await writer.append([request('b', 'second')])
    await writer.append([request('b', 'third')])
    // It looks again and again, and has nothing to tell.
    for (let times = 0; times < 20; times += 1) {
      runtime.advance(50)
      expect(await writer.read(({ events }) => events.head())).toBe(0)
    }
    expect(told).toEqual([])
    await held[how]()
    await until(() => {
      runtime.advance(50)
      expect(told.at(-1)).toBe(3)
    })
    expect(new Set(told).size).toBe(told.length)
  },
)

it('who commits the lowest append tells at once of all that stands above it', async () => {
  const at = place()
  const listener = await open(at, { order, listen: true }, new ManualRuntime())
  const runtime = new ManualRuntime()
  const writer = await open(at, { order }, runtime)
  const told = await heard(listener)
  const written = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const done = writer.transact(async ({ events }) => {
    await events.append(request('a', 'first'))
    written.resolve()
    await ending.promise
  })
  await written.promise
  await writer.append([request('b', 'second')])
  for (let times = 0; times < 20; times += 1) {
    runtime.advance(50)
    await writer.read(({ events }) => events.head())
  }
  ending.resolve()
  await done
  // What lies between two hints anyway, not the pause between two looks.
  let passed = 0
  await until(() => {
    if (passed < 20) runtime.advance(5)
    passed += 5
    expect(told).toEqual([2])
  })
})
