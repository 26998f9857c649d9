// What is done once: in the inbox, in the transaction of the work, for one process or two, whatever answers are lost.
import { memory, memoryStore } from 'thence/memory'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import type { When } from '../kit/faults.ts'
import { faulty } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { all, file, kinds, run } from '../kit/places.ts'
import type { Transaction } from '../kit/sums.ts'
import { Added, build, counter, everything, Noted, once, start, types } from '../kit/sums.ts'

describe.each(kinds)('a transaction that is done once on $name', ({ make }) => {
  it('is not run again, and gives what it gave the first time', async () => {
    const place = make()
    const test = await start(place)
    let ran = 0
    const work = async (tx: Transaction) => {
      ran += 1
      const { position } = await tx.append({ events: Added({ n: 1 }) })
      return { ran, position, absent: undefined }
    }
    const first = await test.app.transaction(work, { once })
    expect(first).toEqual({
      value: { ran: 1, position: 1 },
      position: 1,
      token: first.token,
      duplicate: false,
    })
    await test.app.append({ events: Added({ n: 2 }) })
    expect(await test.app.transaction(work, { once })).toEqual({ ...first, duplicate: true })
    await test.stop()
    const again = await start(place)
    expect(await again.app.transaction(work, { once })).toEqual({ ...first, duplicate: true })
    expect(ran).toBe(1)
    const others = [
      { ...once, id: 'file 8' },
      { ...once, consumer: 'exports' },
    ]
    for (const other of others) await again.app.transaction(work, { once: other })
    expect(ran).toBe(3)
  })

  it('runs once of many that come together', async () => {
    const test = await start(make())
    const calls = Array.from({ length: 10 }, (_, n) =>
      test.app.transaction((tx) => tx.append({ events: Added({ n }) }).then(() => n), { once }),
    )
    const results = await Promise.all(calls)
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(new Set(results.map(({ value }) => value)).size).toBe(1)
    expect(await types(test)).toEqual(['Added'])
  })

  it('is not remembered if it was undone', async () => {
    const test = await start(make())
    const failing = test.app.transaction(
      async (tx) => {
        await tx.append({ events: Added({ n: 1 }) })
        throw new Error('not now')
      },
      { once },
    )
    await expect(failing).rejects.toThrow('not now')
    const result = await test.app.transaction(() => 'now', { once })
    expect(result).toMatchObject({ value: 'now', duplicate: false })
  })

  it('keeps any small result, or none, and refuses what it cannot keep', async () => {
    const test = await start(make())
    for (const [index, value] of [undefined, null, 0, '', [], { a: [1] }].entries()) {
      const own = { ...once, id: `n${index}` }
      const first = await test.app.transaction(() => value, { once: own })
      expect(first.value).toEqual(value)
      const second = await test.app.transaction(() => 'other', { once: own })
      expect(second).toEqual({ ...first, duplicate: true })
    }
    for (const value of [new Date(), Number.NaN, 'x'.repeat(70_000)]) {
      const call = test.app.transaction(
        async (tx) => {
          await tx.append({ events: Added({ n: 1 }) })
          return value
        },
        { once },
      )
      await expect(call).rejects.toMatchObject({ code: 'VALUE_NOT_STORABLE' })
    }
    expect(await types(test)).toEqual([])
  })

  it('needs a name that is no aggregate’s', async () => {
    const test = await start(make())
    const wrong = [
      ['CONFIG_INVALID', { ...once, consumer: 'counter' }],
      ['NAME_INVALID', { ...once, consumer: '' }],
      ['NAME_INVALID', { ...once, id: 'x'.repeat(300) }],
    ] as const
    for (const [code, own] of wrong)
      await expect(test.app.transaction(() => 1, { once: own })).rejects.toMatchObject({ code })
    await expect(test.app.transaction('x' as never)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })

  it('may be done again when the inbox has forgotten it', async () => {
    const test = await start(make())
    await test.app.transaction(() => 1, { once })
    await test.runtime.advance('1s')
    await test.app.database.transact(({ inbox }) => inbox.trim(test.runtime.now(), 10))
    const again = await test.app.transaction(() => 2, { once })
    expect(again).toMatchObject({ value: 2, duplicate: false })
  })
})

const inMemory = (): Place => {
  const store = memoryStore()
  return { runtime: virtualRuntime(), open: () => memory({ store }) }
}

it.each([
  ['memory', inMemory],
  ['a file', () => file.make()],
] as const)('two processes on %s do what is done once once', async (_, make) => {
  const place = make()
  const both = [await start(place), await start(place)] as const
  const calls = Array.from({ length: 20 }, (__, n) =>
    both[n % 2 === 0 ? 0 : 1].app.transaction(
      async (tx) => {
        await tx.append({ events: Added({ n: 1 }) })
        return n
      },
      { once: { ...once, id: `file ${n % 5}` } },
    ),
  )
  const results = await place.runtime.until(Promise.all(calls))
  expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(5)
  for (let id = 0; id < 5; id += 1)
    expect(new Set(results.filter((__, n) => n % 5 === id).map(({ value }) => value)).size).toBe(1)
  expect(await types(both[1])).toHaveLength(5)
})

describe.each(kinds)('a transaction whose answer is lost on $name', ({ make }) => {
  const lossy = async (place: Place) => {
    const losing: { when: When; left: number } = { when: 'after the commit', left: 0 }
    const chosen = (): When | undefined => {
      if (losing.left === 0) return undefined
      losing.left -= 1
      return losing.when
    }
    const test = await run(place, build, { around: (one) => faulty(one, chosen).database })
    const lose = (when: When, left: number): void => void Object.assign(losing, { when, left })
    return { ...test, lose }
  }
  const lostWays = ['after the commit', 'instead of the commit'] as const

  it.each(lostWays)('%s: the caller is told, for nothing says what it did', async (when) => {
    const { app, lose, runtime } = await lossy(make())
    lose(when, 1)
    const told = app.transaction((tx) => tx.append({ events: Added({ n: 1 }) }))
    await expect(runtime.until(told)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      cause: { code: 'OUTCOME_UNKNOWN' },
    })
    expect(await all(app.log())).toHaveLength(when === 'after the commit' ? 1 : 0)
  })

  it('that is done once is found again, and is its caller’s own', async () => {
    const { app, lose, runtime } = await lossy(make())
    lose('after the commit', 1)
    const result = await runtime.until(
      app.transaction(async (tx) => (await tx.append({ events: Added({ n: 1 }) })).version, {
        once,
      }),
    )
    expect(result).toMatchObject({ value: 1, position: 1, duplicate: false })
  })

  it('instead of the commit: its work is not run again by itself', async () => {
    const { app, lose, runtime } = await lossy(make())
    let ran = 0
    lose('instead of the commit', 1)
    const told = app.transaction(() => void (ran += 1), { once })
    await expect(runtime.until(told)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: once,
      message: expect.stringContaining(
        'The same call again, with once imports and file 7, is safe.',
      ),
    })
    expect(ran).toBe(1)
  })

  it('is not taken for its own if another call has done it meanwhile', async () => {
    const place = make()
    const { app, lose, runtime } = await lossy(place)
    const work = async (tx: Transaction) => {
      await tx.append({ events: Added({ n: 1 }) })
      return 'mine'
    }
    lose('instead of the commit', 1)
    const told = app.transaction(work, { once })
    const other = app.database.transact(async ({ inbox }) => {
      await inbox.remember(once.consumer, once.id, {
        stream: '',
        version: 0,
        position: 0,
        count: 0,
        result: '"theirs"',
      })
    })
    const [result] = await runtime.until(Promise.all([told, other]))
    expect(result).toMatchObject({ value: 'theirs', position: 0, duplicate: true })
  })

  it.each(lostWays)('%s, for as long as it may: the same again is safe', async (when) => {
    for (const left of [1, 2, 3, 6, 9]) {
      const { app, lose, runtime } = await lossy(make())
      let ran = 0
      const work = async (tx: Transaction) => {
        ran += 1
        await everything(tx)
        return ran
      }
      lose(when, left)
      const codes = new Set<unknown>()
      const untilDone = async (): Promise<{ value: number }> => {
        for (;;) {
          try {
            return await app.transaction(work, { once })
          } catch (error) {
            codes.add((error as { code: unknown }).code)
          }
        }
      }
      const { value } = await runtime.until(untilDone())
      expect(value).toBe(ran)
      expect(when === 'instead of the commit' || ran === 1).toBe(true)
      expect([...codes].every((code) => code === 'OUTCOME_UNKNOWN')).toBe(true)
      lose(when, 0)
      await runtime.until(app.whenIdle())
      const log = (await all(app.log())).map(({ type }) => type)
      expect(log).toEqual(['Added', 'Added', 'Added', 'Note', 'Noted'])
    }
  })
})

describe('a handler that works in a transaction of its own', () => {
  it('does its work once, however often it is tried', async () => {
    let failures = 3
    const key: string[] = []
    const place = file.make()
    const test = await run(place, (app) =>
      app
        .use(counter)
        .messages(Noted)
        .handle('clerk', Added, {
          retry: { attempts: 5 },
          run: async ({ data, id }, { idempotencyKey }) => {
            key.push(idempotencyKey)
            const { app: own } = test
            await own.transaction((tx) => tx.append({ stream: 'books', events: Noted(data) }), {
              once: { consumer: 'clerk', id },
            })
            failures -= 1
            if (failures >= 0) throw new Error('after all')
          },
        }),
    )
    await test.app.append({ events: Added({ n: 1 }, { id: 'first' }) })
    await test.settle()
    expect(key).toEqual(Array(4).fill('clerk:first'))
    expect(await types(test)).toEqual(['Added', 'Noted'])
  })
})
