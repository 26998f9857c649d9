// Who is called, in what order, with what, and what is waited for.
import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { command, event } from '../message/define.ts'
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

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('emit', () => {
  test('gives the event itself to every handler of its type and to no other', async () => {
    const events = bus()
    const seen: unknown[] = []
    events.on(Placed, (given) => seen.push(['first', given]))
    events.on(Placed, (given) => seen.push(['second', given]))
    events.on(Paid, (given) => seen.push(['paid', given]))
    await events.emit(placed)
    expect(seen).toEqual([
      ['first', placed],
      ['second', placed],
    ])
    expect((seen[0] as unknown[])[1]).toBe(placed)
  })

  test('calls handlers synchronously, in the order of registration, wildcards among them', () => {
    const events = bus()
    const order: string[] = []
    events.on('*', () => order.push('a'))
    events.on(Placed, () => order.push('b'))
    events.on('*', () => order.push('c'))
    events.on(Placed, () => order.push('d'))
    void events.emit(placed)
    expect(order).toEqual(['a', 'b', 'c', 'd'])
    void events.emit(paid)
    expect(order.slice(4)).toEqual(['a', 'c'])
  })

  test.each([1, 2, 10])('resolves when all of %i async handlers have settled', async (count) => {
    const events = bus()
    const gates = Array.from({ length: count }, gate)
    for (const { promise } of gates) events.on(Placed, () => promise)
    let done = false
    const emitted = events.emit(placed).then(() => (done = true))
    for (const { resolve } of gates) {
      await turn()
      expect(done).toBe(false)
      resolve()
    }
    await emitted
    expect(done).toBe(true)
  })

  test('runs the handlers of one event side by side', async () => {
    const events = bus()
    const { promise, resolve } = gate()
    events.on(Placed, () => promise)
    events.on(Placed, async () => resolve())
    await events.emit(placed)
  })

  test('resolves at once when nobody listens', async () => {
    expect(await bus().emit(placed)).toBeUndefined()
  })

  test('resolves to nothing, whatever handlers return', async () => {
    const events = bus()
    events.on(Placed, () => 42)
    expect(await events.emit(placed)).toBeUndefined()
    events.on(Placed, async () => 'text')
    events.on(Placed, () => ({}))
    expect(await events.emit(placed)).toBeUndefined()
  })

  test.each([1, 2])(
    'waits for a thenable and asks it only once, with %i handlers',
    async (count) => {
      const { events, told } = watched()
      let asked = 0
      const thenable = {
        // oxlint-disable-next-line unicorn/no-thenable
        then: (_: unknown, reject: (error: unknown) => void) => {
          asked++
          reject('no')
        },
      }
      events.on(Placed, () => thenable, { name: 'lazy' })
      if (count === 2) events.on(Placed, async () => undefined)
      await events.emit(placed)
      expect(asked).toBe(1)
      expect(told).toEqual([{ error: 'no', handler: 'lazy', type: 'OrderPlaced' }])
    },
  )

  test('is not affected by handlers that come and go meanwhile', async () => {
    const events = bus()
    const order: string[] = []
    const second = () => order.push('second')
    events.on(Placed, () => {
      order.push('first')
      events.off(Placed, second)
      events.on(Placed, () => order.push('late'))
      events.on('*', () => order.push('late wildcard'))
    })
    events.on(Placed, second)
    await events.emit(placed)
    expect(order).toEqual(['first', 'second'])
  })

  test('may be called from a handler, for the same type too', async () => {
    const events = bus()
    const order: string[] = []
    events.on(Placed, async ({ data }) => {
      order.push(`in ${data.id}`)
      if (data.id.length < 3) await events.emit(Placed({ id: `${data.id}1` }))
      order.push(`out ${data.id}`)
    })
    await events.emit(Placed({ id: '1' }))
    expect(order).toEqual(['in 1', 'in 11', 'in 111', 'out 111', 'out 11', 'out 1'])
  })

  test('refuses what is no event', () => {
    const Pay = command('Pay', plain<{ id: string }>())
    const events = bus()
    expect(() => events.emit(Pay({ id: '7' }) as never)).toThrow(code('CONFIG_INVALID'))
  })
})

describe('a schema', () => {
  const Priced = event('Priced', z.object({ cents: z.string().transform(Number) }))

  test('gives handlers its output', async () => {
    const events = bus()
    const seen: number[] = []
    events.on(Priced, ({ data }) => seen.push(data.cents))
    await events.emit(Priced({ cents: '12' }))
    expect(seen).toEqual([12])
  })

  test('refuses what does not fit before any handler is called', () => {
    const events = bus()
    const handler = vi.fn<() => void>()
    events.on(Priced, handler)
    expect(() => events.emit(Priced({ cents: 12 as never }))).toThrow(code('SCHEMA_INVALID'))
    expect(handler).not.toHaveBeenCalled()
  })

  test('is not asked when only wildcards listen', async () => {
    const events = bus()
    const seen: unknown[] = []
    events.on('*', ({ data }) => seen.push(data))
    await events.emit(Priced({ cents: '12' }))
    expect(seen).toEqual([{ cents: '12' }])
  })

  test('of another definition with the same name is a mistake', () => {
    const events = bus()
    const off = events.on(Placed, () => undefined)
    const Twin = event('OrderPlaced', plain<{ other: number }>())
    expect(() => events.on(Twin, () => undefined)).toThrow(code('NAME_TAKEN'))
    off()
    expect(events.on(Twin, () => undefined)).toBeTypeOf('function')
  })
})

describe('once', () => {
  test('is called for one event, even when that handler emits again', async () => {
    const events = bus()
    const seen: string[] = []
    events.on(Placed, ({ data }) => {
      if (data.id === '1') void events.emit(Placed({ id: '2' }))
    })
    events.once(Placed, ({ data }) => {
      seen.push(data.id)
      void events.emit(Placed({ id: '3' }))
    })
    await events.emit(Placed({ id: '1' }))
    expect(seen).toEqual(['2'])
    expect(events.listeners()).toBe(1)
  })

  test('can be taken back, by its function too', async () => {
    const events = bus()
    const handler = vi.fn<() => void>()
    events.once(Placed, handler)()
    events.once('*', handler)
    events.off('*', handler)
    await events.emit(placed)
    expect(handler).not.toHaveBeenCalled()
  })

  test('without a handler is a promise of the next event', async () => {
    const events = bus()
    const next = events.once(Placed)
    const any = events.once('*')
    await events.emit(paid)
    await events.emit(placed)
    expect([await next, await any]).toEqual([placed, paid])
    expect(events.listeners()).toBe(0)
  })

  test('as a promise rejects when its signal aborts, and leaves nothing behind', async () => {
    const events = bus()
    const controller = new AbortController()
    const { signal } = controller
    const next = events.once(Placed, { signal })
    controller.abort('enough')
    await expect(next).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    await expect(events.once(Placed, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(events.listeners()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('as a promise rejects when the bus closes, harmlessly if nobody looks', async () => {
    const events = bus()
    void events.once(Placed)
    const next = events.once(Placed)
    await events.close()
    await expect(next).rejects.toMatchObject({ code: 'APP_STOPPED' })
  })
})

test('mistakes that types would tell are told at run time', () => {
  const events = bus()
  const Pay = command('Pay', plain<{ id: string }>())
  for (const use of [
    () => events.on(undefined as never, () => undefined),
    () => events.on(null as never, () => undefined),
    () => events.on(Pay as never, () => undefined),
    () => events.on('OrderPlaced' as never, () => undefined),
    () => events.once('OrderPlaced' as never),
    () => events.off(undefined as never, () => undefined),
    () => events.listeners(Pay as never),
    () => events.on(Placed, undefined as never),
  ])
    expect(use).toThrow(code('CONFIG_INVALID'))
  expect(() => events.on(Placed, () => undefined, { name: '' })).toThrow(code('NAME_INVALID'))
})
