/** Tests of group commit. */
import { expect, test } from 'vitest'
import { Lane } from './lane.ts'

const runtime = {
  now: () => 0,
  elapsed: () => 0,
  random: () => 0,
  id: () => '',
  after: () => () => undefined,
  soon: (callback: () => void) => void setImmediate(callback),
}

test('all requests of one turn share one commit', async () => {
  const batches: number[][] = []
  const lane = new Lane<number, number>(async (requests) => {
    batches.push([...requests])
    return () => requests.map((value) => ({ value: value * 10 }))
  }, runtime)
  expect(await Promise.all([1, 2, 3].map((value) => lane.add(value, 1)))).toEqual([10, 20, 30])
  expect(batches).toEqual([[1, 2, 3]])
})

test('requests that arrive while a commit is in flight form the next one', async () => {
  const batches: number[][] = []
  const inFlight = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const lane = new Lane<number, number>(async (requests) => {
    batches.push([...requests])
    begun.resolve()
    if (batches.length === 1) await inFlight.promise
    return () => requests.map((value) => ({ value }))
  }, runtime)
  const first = lane.add(1, 1)
  await begun.promise
  const rest = [lane.add(2, 1), lane.add(3, 1)]
  inFlight.resolve()
  await Promise.all([first, ...rest])
  expect(batches).toEqual([[1], [2, 3]])
})

test('a refused request fails alone; a failed commit fails all of its batch and nobody else', async () => {
  let commits = 0
  const lane = new Lane<number, number>(async (requests) => {
    commits += 1
    if (commits === 2) throw new Error('disk')
    return () => requests.map((value) => (value < 0 ? { error: new Error('refused') } : { value }))
  }, runtime)
  const outcomes = await Promise.allSettled([lane.add(1, 1), lane.add(-1, 1), lane.add(2, 1)])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const failed = await Promise.allSettled([lane.add(3, 1), lane.add(4, 1)])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await lane.add(5, 1)).toBe(5)
})

test('a batch is bounded, and what is over waits for the next one', async () => {
  const sizes: number[] = []
  const lane = new Lane<number, number>(async (requests) => {
    sizes.push(requests.length)
    return () => requests.map((value) => ({ value }))
  }, runtime)
  await Promise.all(Array.from({ length: 1200 }, (_, value) => lane.add(value, 1)))
  expect(sizes).toEqual([512, 512, 176])
})

test('callers who were answered together share the next commit too', async () => {
  const sizes: number[] = []
  const lane = new Lane<number, number>(async (requests) => {
    sizes.push(requests.length)
    return () => requests.map((value) => ({ value }))
  }, runtime)
  const caller = async (steps: number): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await lane.add(round, 1)
      // Some callers take more turns than others before they ask again.
      for (let step = 0; step < steps; step += 1) await Promise.resolve()
    }
  }
  await Promise.all([0, 1, 2, 5, 9].map(caller))
  expect(sizes).toEqual([5, 5, 5])
})

test('what is over the limit of appends is refused, and taken again when others are done', async () => {
  const inFlight = Promise.withResolvers<void>()
  const lane = new Lane<number, number>(
    async (requests) => {
      await inFlight.promise
      return () => requests.map((value) => ({ value }))
    },
    runtime,
    { maxInFlight: 2 },
  )
  const taken = [lane.add(1, 1), lane.add(2, 1)]
  await expect(lane.add(3, 1)).rejects.toMatchObject({
    code: 'STORE_OVERLOADED',
    retryable: true,
    details: { appends: 2, bytes: 2 },
  })
  inFlight.resolve()
  expect(await Promise.all(taken)).toEqual([1, 2])
  await new Promise(setImmediate)
  expect(await lane.add(3, 1)).toBe(3)
})

test('bytes are limited too; one append that is larger than the limit is taken alone', async () => {
  const lane = new Lane<number, number>(
    async (requests) => () => requests.map((value) => ({ value })),
    runtime,
    { maxBytes: 100 },
  )
  const large = lane.add(1, 1000)
  await expect(lane.add(2, 1)).rejects.toMatchObject({ code: 'STORE_OVERLOADED' })
  expect(await large).toBe(1)
  await new Promise(setImmediate)
  const fitting = [lane.add(3, 60), lane.add(4, 40)]
  await expect(lane.add(5, 1)).rejects.toMatchObject({ code: 'STORE_OVERLOADED' })
  expect(await Promise.all(fitting)).toEqual([3, 4])
})

test('a failed commit makes room like any other', async () => {
  const lane = new Lane<number, number>(() => Promise.reject(new Error('disk')), runtime, {
    maxInFlight: 1,
  })
  for (let n = 0; n < 3; n += 1) {
    await expect(lane.add(n, 1)).rejects.toThrow('disk')
    await new Promise(setImmediate)
  }
})

test('a commit takes no more bytes than four mebibytes or one append', async () => {
  const sizes: number[] = []
  const lane = new Lane<number, number>(async (requests) => {
    sizes.push(requests.length)
    return () => requests.map((value) => ({ value }))
  }, runtime)
  const mebibyte = 1024 * 1024
  await Promise.all([3, 1, 1, 5, 2].map((size, value) => lane.add(value, size * mebibyte)))
  expect(sizes).toEqual([2, 1, 1, 1])
})

/** Commits that end when they are told to, and what each of them holds. */
const remotely = () => {
  const batches: { readonly requests: readonly number[]; readonly end: () => void }[] = []
  const lane = new Lane<number, number>(
    (requests) =>
      new Promise((resolve) => {
        const end = (): void => resolve(() => requests.map((value) => ({ value })))
        batches.push({ requests, end })
      }),
    runtime,
    { remote: true },
  )
  return { lane, batches }
}
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('many are committed in halves, the next of which begins before the last is answered', async () => {
  const { lane, batches } = remotely()
  const answered: number[] = []
  const ask = async (value: number): Promise<void> => void answered.push(await lane.add(value, 1))
  const all = Array.from({ length: 256 }, (_, value) => ask(value))
  await turn()
  expect(batches.map(({ requests }) => requests.length)).toEqual([128])
  batches[0]?.end()
  // Nothing but promises: the callers of the first half come after that.
  for (let step = 0; step < 20; step += 1) await Promise.resolve()
  expect(batches.map(({ requests }) => requests.length)).toEqual([128, 128])
  expect(answered).toEqual([])
  await turn()
  expect(answered).toHaveLength(128)
  batches[1]?.end()
  await Promise.all(all)
  expect(answered).toEqual([...answered].toSorted((left, right) => left - right))
})

test('few are committed together', async () => {
  const { lane, batches } = remotely()
  const all = Array.from({ length: 100 }, (_, value) => lane.add(value, 1))
  await turn()
  batches[0]?.end()
  await Promise.all(all)
  expect(batches).toHaveLength(1)
})

test('a half that fails takes nobody of the other half with it', async () => {
  let commits = 0
  const lane = new Lane<number, number>(
    async (requests) => {
      commits += 1
      if (commits === 2) throw new Error('disk')
      return () => requests.map((value) => ({ value }))
    },
    runtime,
    { remote: true },
  )
  const all = Array.from({ length: 200 }, (_, value) => lane.add(value, 1))
  const statuses = (await Promise.allSettled(all)).map(({ status }) => status)
  expect(statuses.indexOf('rejected')).toBe(100)
  expect(statuses.lastIndexOf('fulfilled')).toBe(99)
  expect(await lane.add(5, 1)).toBe(5)
})
