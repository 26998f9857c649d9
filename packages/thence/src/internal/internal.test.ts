/** Tests of the small tools that the rooms rest on. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { isThenceError } from '../errors.ts'
import { fullJitter } from './backoff.ts'
import { derivedId } from './derived-id.ts'
import { milliseconds } from './duration.ts'
import { Gate } from './gate.ts'
import { hashOf } from './hash.ts'
import { paged } from './paged.ts'
import { Recent } from './recent.ts'
import { cleanText, storableText } from './text.ts'
import { UuidSource } from './uuid.ts'

const asIs = <T>(item: T): T => item

const filled = (byte: number) => (bytes: Uint8Array) => void bytes.fill(byte)

test('a source of ids never repeats one and sorts by creation, even when the clock steps back', () => {
  let now = 1_700_000_000_000
  const source = new UuidSource(() => now, filled(0xff))
  const ids: string[] = []
  for (let index = 0; index < 20_000; index += 1) {
    if (index % 5000 === 2500) now -= 10_000
    if (index % 5000 === 0) now += 1
    ids.push(source.next())
  }
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
})

test('an id is a version 7 UUID of the time it was made', () => {
  const id = new UuidSource(() => 0x0123456789ab, filled(0x5a)).next()
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a derived id is the same for the same cause, another for any other, and of the time of its cause', () => {
  const id = derivedId(0x0123456789ab, 'mail', 'a', '0')
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(derivedId(0x0123456789ab, 'mail', 'a', '0')).toBe(id)
  const others = [['mail', 'a', '1'], ['mail', 'a0', ''], ['maila', '0'], ['mail,a', '0'], []]
  const ids = others.map((cause) => derivedId(0x0123456789ab, ...cause))
  expect(new Set([id, ...ids]).size).toBe(others.length + 1)
})

test('full jitter lies between zero and the doubled bound, and never above the cap', () => {
  const backoff = { base: 100, cap: 1000 }
  expect(fullJitter(backoff, 1, 0)).toBe(0)
  expect(fullJitter(backoff, 1, 0.999)).toBe(100)
  expect(fullJitter(backoff, 3, 0.5)).toBe(200)
  expect(fullJitter(backoff, 5000, 0.999)).toBe(999)
})

test.each([
  [250, 250],
  ['250ms', 250],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
] as const)('the duration %s is %s milliseconds', (duration, expected) => {
  expect(milliseconds('timeout', duration)).toBe(expected)
})

test.each(['soon', '5 parsecs', -1, Number.NaN, ''])('the duration %s is refused', (duration) => {
  expect(() => milliseconds('timeout', duration as never)).toThrow(/timeout is/)
})

test('the gate lets one in at a time, in order, and answers synchronously when it is free', async () => {
  const gate = new Gate()
  const order: string[] = []
  expect(gate.run(() => 'at once')).toBe('at once')
  const open = Promise.withResolvers<void>()
  const first = gate.run(async () => {
    order.push('first in')
    await open.promise
    order.push('first out')
  })
  const second = gate.run(() => void order.push('second'))
  expect(order).toEqual(['first in'])
  open.resolve()
  await Promise.all([first, second])
  expect(order).toEqual(['first in', 'first out', 'second'])
})

test('the gate opens again after work that throws', async () => {
  const gate = new Gate()
  expect(() =>
    gate.run(() => {
      throw new Error('sync')
    }),
  ).toThrow('sync')
  await expect(gate.run(() => Promise.reject(new Error('async')))).rejects.toThrow('async')
  expect(gate.run(() => 'open')).toBe('open')
})

test('the gate refuses a call from inside its own work instead of waiting for itself', async () => {
  const gate = new Gate()
  const inner = await gate.run(async () => {
    await Promise.resolve()
    try {
      return await gate.run(() => 'never')
    } catch (error) {
      return error
    }
  })
  expect(isThenceError(inner, 'TRANSACTION_NESTED')).toBe(true)
})

test('work that outlives the gate is outside again', async () => {
  const gate = new Gate()
  const later = Promise.withResolvers<void>()
  let left: Promise<unknown> = Promise.resolve()
  await gate.run(async () => {
    left = later.promise.then(() => gate.run(() => 'outside'))
    await Promise.resolve()
  })
  later.resolve()
  expect(await left).toBe('outside')
})

test('twenty thousand that wait behind one are all let in', async () => {
  const gate = new Gate()
  const open = Promise.withResolvers<void>()
  const first = gate.run(() => open.promise)
  const waiting = Array.from({ length: 20_000 }, (_, index) =>
    Promise.resolve(gate.run(() => index)),
  )
  open.resolve()
  await first
  expect((await Promise.all(waiting)).at(-1)).toBe(19_999)
})

test('what has waited runs in the context of its own caller', async () => {
  const gate = new Gate()
  const caller = new AsyncLocalStorage<string>()
  const open = Promise.withResolvers<void>()
  const first = caller.run('first', () => gate.run(() => open.promise))
  const second = caller.run('second', () => gate.run(() => caller.getStore()))
  open.resolve()
  await first
  expect(await second).toBe('second')
})

test('recent keeps what was used last', () => {
  const recent = new Recent<string, number>(2)
  recent.set('a', 1)
  recent.set('b', 2)
  expect(recent.get('a')).toBe(1)
  recent.set('c', 3)
  expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([1, undefined, 3])
})

test('pages are read one after the other, also when nobody waits for the last item', async () => {
  const pages = [[1, 2], [], [3]]
  let running = 0
  const iterator = paged(async () => {
    running += 1
    expect(running).toBe(1)
    await Promise.resolve()
    running -= 1
    return pages.shift()
  }, asIs)
  const results = await Promise.all(Array.from({ length: 5 }, () => iterator.next()))
  expect(results.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined])
})

test('what is left of a page is given at once, without a turn for each item', async () => {
  const iterator = paged(async () => [1, 2], asIs)
  await iterator.next()
  let given = false
  void iterator.next().then(() => (given = true))
  await Promise.resolve()
  expect(given).toBe(true)
})

test('an item is made when its turn comes; one that cannot be made stays the next one', async () => {
  const made: number[] = []
  const iterator = paged(
    async () => [1, 2, 3],
    (item) => {
      made.push(item)
      if (item === 2) throw new Error('unreadable')
      return -item
    },
  )
  expect(await iterator.next()).toEqual({ done: false, value: -1 })
  expect(made).toEqual([1])
  await expect(iterator.next()).rejects.toThrow('unreadable')
  await expect(iterator.next()).rejects.toThrow('unreadable')
  expect(made).toEqual([1, 2, 2])
})

test('no page is read after the caller has stopped', async () => {
  let read = 0
  for await (const item of paged(async () => [(read += 1)], asIs)) if (item === 2) break
  expect(read).toBe(2)
})

test('a page that cannot be read fails that call and the next one tries again', async () => {
  let calls = 0
  const iterator = paged(async () => {
    calls += 1
    if (calls === 1) throw new Error('unreadable')
    return calls === 2 ? ['read'] : undefined
  }, asIs)
  await expect(iterator.next()).rejects.toThrow('unreadable')
  expect(await iterator.next()).toEqual({ done: false, value: 'read' })
})

test('text for a line holds no control characters, text for storage no NUL and no lone surrogate', () => {
  expect(cleanText('a\u001b[31m\nb\u2028c', 100)).toBe('a [31m b c')
  expect(cleanText('abcdef', 4)).toBe('abc…')
  expect(storableText('a\u0000b\nc\ud800', 100)).toBe('a\ufffdb\nc\ufffd')
})

test('a hash never changes between releases, and spreads keys that look alike evenly', () => {
  expect(['', 'a', 'order-7', 'Ω'].map(hashOf)).toEqual([
    2872998923, 2448022055, 3568847935, 4074469233,
  ])
  for (const partitions of [2, 7, 16]) {
    const counts = Array<number>(partitions).fill(0)
    for (let n = 0; n < 8000; n += 1) counts[hashOf(`order-${n}`) % partitions]! += 1
    for (const count of counts) {
      expect(count).toBeGreaterThan((8000 / partitions) * 0.85)
      expect(count).toBeLessThan((8000 / partitions) * 1.15)
    }
  }
})
