// What a failing handler reaches: onError, with its name, and nothing and nobody else.
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isThenceError } from '../errors.ts'
import { event } from '../message/define.ts'
import { plain } from '../message/schema.ts'
import type { FailureContext } from './bus.ts'
import { bus } from './bus.ts'

const Placed = event('OrderPlaced', plain<{ id: string }>())
const Paid = event('OrderPaid', plain<{ id: string }>())
const placed = Placed({ id: '7' })
const paid = Paid({ id: '7' })

/** A gate that the test opens, so that it decides who finishes when. */
const gate = () => Promise.withResolvers<void>()

/** A bus and what its onError was told. */
const watched = () => {
  const told: { error: unknown; handler: string; type: string }[] = []
  const onError = (error: unknown, { handler, event: { type } }: FailureContext) =>
    void told.push({ error, handler, type })
  return { events: bus({ onError }), told }
}

/** A turn of the event loop: whoever could go on has done so. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

const unhandled: unknown[] = []
const note = (error: unknown) => void unhandled.push(error)
beforeEach(() => void process.on('unhandledRejection', note))
afterEach(async () => {
  await turn()
  process.off('unhandledRejection', note)
  if (unhandled.length > 0) throw new AggregateError(unhandled.splice(0), 'unhandled rejections')
})

const silenced = () => {
  const spy = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => spy.mockRestore())
  return () => spy.mock.calls.map((words) => words.join(' '))
}

const boom = new Error('boom')
const fails = (): never => {
  throw boom
}

describe('a failing handler', () => {
  test.each([
    ['throws', fails],
    ['rejects at once', () => Promise.reject(boom)],
    ['rejects later', () => turn().then(() => Promise.reject(boom))],
  ])('that %s is told by name and breaks nothing', async (_, fails) => {
    for (const others of [0, 1, 9]) {
      const { events, told } = watched()
      const seen: number[] = []
      for (let n = 0; n < others; n++) events.on(Placed, () => seen.push(n))
      events.on(Placed, fails, { name: 'mailer' })
      for (let n = 0; n < others; n++)
        events.on(Placed, async () => turn().then(() => seen.push(n)))
      await expect(events.emit(placed)).resolves.toBeUndefined()
      expect(told).toEqual([{ error: boom, handler: 'mailer', type: 'OrderPlaced' }])
      expect(seen).toHaveLength(2 * others)
      await events.emit(placed)
      expect(told).toHaveLength(2)
    }
  })

  test('is told although another one takes for ever', async () => {
    const { promise: failure, resolve } = Promise.withResolvers<string>()
    const events = bus({ onError: (_, { handler }) => resolve(handler) })
    const { promise, resolve: open } = gate()
    events.on(Placed, () => promise)
    events.on(Placed, async () => Promise.reject(boom), { name: 'quick' })
    const emitted = events.emit(placed)
    expect(await failure).toBe('quick')
    open()
    await emitted
  })

  test('is told once for each that fails, at its own time', async () => {
    const { events, told } = watched()
    const gates = Array.from({ length: 4 }, gate)
    for (const [n, { promise }] of gates.entries()) {
      events.on(Placed, () => promise, { name: `handler ${n}` })
      events.on(Placed, () => undefined)
    }
    const emitted = events.emit(placed)
    for (const n of [2, 0, 3]) {
      gates[n]?.reject(new Error(String(n)))
      await turn()
    }
    expect(told.map(({ handler }) => handler)).toEqual(['handler 2', 'handler 0', 'handler 3'])
    gates[1]?.resolve()
    await emitted
    expect(told).toHaveLength(3)
  })

  test('goes by its given name, else that of its function, else that of its event', async () => {
    const { events, told } = watched()
    const sendMail = () => Promise.reject(boom)
    events.on(Placed, sendMail, { name: 'mail' })
    events.on(Placed, sendMail)
    events.on(Placed, () => Promise.reject(boom))
    events.on('*', () => Promise.reject(boom))
    events.once(Placed, function remember() {
      throw boom
    })
    await events.emit(placed)
    expect(told.map(({ handler }) => handler).toSorted()).toEqual([
      'anonymous handler of OrderPlaced',
      'anonymous handler of every event',
      'mail',
      'remember',
      'sendMail',
    ])
  })

  test('is one line on standard error when nobody asked for errors', async () => {
    const lines = silenced()
    const events = bus()
    events.on(Placed, async () => Promise.reject(new TypeError('bad\nforged: line')), {
      name: 'mail',
    })
    await events.emit(placed)
    expect(lines()).toEqual([
      'thence: bus: mail failed on OrderPlaced. TypeError: bad forged: line',
    ])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('worse')
      },
    ],
    ['rejects', () => Promise.reject(new Error('worse'))],
  ])('still ends on standard error when onError %s', async (_, onError) => {
    const lines = silenced()
    for (const count of [1, 2]) {
      const events = bus({ onError })
      for (let n = 0; n < count; n++)
        events.on(Placed, async () => Promise.reject(boom), { name: `mail ${n}` })
      await events.emit(placed)
      await events.drain()
      const printed = lines().slice(-count)
      expect(printed).toHaveLength(count)
      expect(printed[0]).toMatch(/onError failed \(Error: worse\).* mail 0 failed .*boom/)
    }
  })

  test('may throw what cannot be printed', async () => {
    const lines = silenced()
    const events = bus()
    events.on(Placed, async () => Promise.reject(Object.create(null) as Error))
    await events.emit(placed)
    expect(lines()[0]).toContain('cannot be printed')
  })

  test('is waited for until an async onError has dealt with it', async () => {
    for (const count of [1, 2]) {
      const { promise, resolve } = gate()
      const events = bus({ onError: () => promise })
      for (let n = 0; n < count; n++) events.on(Placed, async () => Promise.reject(boom))
      let done = false
      const emitted = events.emit(placed).then(() => (done = true))
      await turn()
      expect(done).toBe(false)
      resolve()
      await emitted
    }
  })

  test('is waited for by drain, like any other', async () => {
    const { events, told } = watched()
    for (let n = 0; n < 3; n++) events.on(Placed, () => turn().then(fails))
    events.on(Paid, () => turn().then(fails))
    void events.emit(placed)
    void events.emit(paid)
    await events.drain()
    expect(told).toHaveLength(4)
  })
})

test('thousands of events in any mix lose nothing and leave nothing in flight', async () => {
  const { events, told } = watched()
  let called = 0
  for (let n = 0; n < 10; n++)
    events.on(n % 3 === 0 ? '*' : (Placed as never), async () => {
      called++
      if (n === 4) throw new Error('four')
      if (n % 2 === 0) await turn()
    })
  for (let n = 0; n < 1000; n++) void events.emit(n % 2 === 0 ? placed : paid)
  await events.drain()
  expect([called, told.length]).toEqual([500 * 10 + 500 * 4, 500])
  expect(told.every(({ error }) => error instanceof Error && !isThenceError(error))).toBe(true)
})
