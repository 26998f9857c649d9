// How registrations and the bus itself end: off, abort signals, drain, close; and that nothing is left behind.
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { event } from '../message/define.ts'
import { plain } from '../message/schema.ts'
import type { Bus } from './bus.ts'
import { bus } from './bus.ts'

const Placed = event('OrderPlaced', plain<{ id: string }>())
const Paid = event('OrderPaid', plain<{ id: string }>())
const placed = Placed({ id: '7' })
const paid = Paid({ id: '7' })

/** A gate that the test opens, so that it decides who finishes when. */
const gate = () => Promise.withResolvers<void>()

/** A turn of the event loop: whoever could go on has done so. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

const code = (expected: string) => expect.objectContaining({ code: expected })

const aborter = () => {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    abort: (reason?: unknown) => controller.abort(reason),
    left: () => getEventListeners(controller.signal, 'abort').length,
  }
}

describe('off', () => {
  test('and what on gives both remove, as often as they are called', async () => {
    const events = bus()
    const handler = vi.fn<() => void>()
    const remove = events.on(Placed, handler)
    remove()
    remove()
    events.on('*', handler)
    events.off('*', handler)
    events.off(Placed, handler)
    await events.emit(placed)
    expect(handler).not.toHaveBeenCalled()
    expect(events.listeners()).toBe(0)
  })

  test('removes every registration of a function, an unsubscribe only its own', async () => {
    const events = bus()
    const handler = vi.fn<() => void>()
    const remove = events.on(Placed, handler)
    events.on(Placed, handler)
    await events.emit(placed)
    expect(handler).toHaveBeenCalledTimes(2)
    remove()
    remove()
    await events.emit(placed)
    expect(handler).toHaveBeenCalledTimes(3)
    events.on(Placed, handler)
    events.off(Placed, handler)
    expect(events.listeners(Placed)).toBe(0)
  })

  test('leaves other events and other functions alone', async () => {
    const events = bus()
    const handler = vi.fn<() => void>()
    events.on(Placed, handler)
    events.on(Paid, handler)
    events.on('*', handler)
    events.on(Placed, () => undefined)
    events.off(Placed, handler)
    expect([events.listeners(Placed), events.listeners(Paid), events.listeners('*')]).toEqual([
      1, 1, 1,
    ])
    expect(events.listeners()).toBe(3)
    await events.emit(paid)
    expect(handler).toHaveBeenCalledTimes(2)
  })

  test('after 100,000 registrations leaves no listener, no type and no abort listener', () => {
    const events = bus()
    const { signal } = new AbortController()
    const handlers = Array.from({ length: 100_000 }, (_, n) => () => n)
    const types = Array.from({ length: 100 }, (_, n) => event(`Type ${n}`, plain<number>()))
    for (const [n, handler] of handlers.entries()) {
      const target = types[n % 100] ?? '*'
      if (n % 2 === 0) events.on(target as never, handler, n % 1000 === 0 ? { signal } : {})
      else events.once(target as never, handler)
    }
    expect(events.listeners()).toBe(100_000)
    expect(getEventListeners(signal, 'abort')).toHaveLength(100)
    for (const [n, handler] of handlers.entries()) events.off(types[n % 100] as never, handler)
    for (const handler of handlers) events.on(Placed, handler)()
    expect(events.listeners()).toBe(0)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    // Nothing remembers the types: a namesake may now be registered.
    events.on(event('Type 1', plain<string>()), () => undefined)
  })

  test('lets the garbage collector have the handler', async () => {
    const events = bus()
    const refs = await comeAndGo(events)
    await collected(refs)
    expect(events.listeners()).toBe(0)
  })
})

/** Handlers that were registered, called and removed, held by nobody else. */
async function comeAndGo(events: Bus): Promise<readonly WeakRef<object>[]> {
  const refs: WeakRef<object>[] = []
  for (let n = 0; n < 10; n++) {
    const handler = async () => n
    refs.push(new WeakRef(handler))
    const remove = n % 3 === 0 ? events.on('*', handler) : events.on(Placed, handler)
    await events.emit(placed)
    if (n % 2 === 0) remove()
    events.off(Placed, handler)
    events.off('*', handler)
  }
  return refs
}

async function collected(refs: readonly WeakRef<object>[]): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  while (refs.some((ref) => ref.deref() !== undefined)) {
    await turn() // a WeakRef holds its target until the end of the turn that made or read it
    collect()
  }
}

describe('an abort signal', () => {
  test('removes its handlers', async () => {
    const events = bus()
    const { signal, abort, left } = aborter()
    const handler = vi.fn<() => void>()
    events.on(Placed, handler, { signal })
    events.on('*', handler, { signal })
    events.once(Placed, handler, { signal })
    expect(left()).toBe(3)
    abort()
    await events.emit(placed)
    expect(handler).not.toHaveBeenCalled()
    expect([events.listeners(), left()]).toEqual([0, 0])
  })

  test('is let go of when the handler goes first', async () => {
    const events = bus()
    const { signal, left } = aborter()
    const handler = () => undefined
    events.on(Placed, handler, { signal })()
    events.on(Placed, handler, { signal })
    events.off(Placed, handler)
    events.once(Placed, handler, { signal })
    const next = events.once(Placed, { signal })
    await events.emit(placed)
    await next
    expect([events.listeners(), left()]).toEqual([0, 0])
  })

  test('that is aborted already registers nothing', () => {
    const events = bus()
    events.on(Placed, () => undefined, { signal: AbortSignal.abort() })()
    expect(events.listeners()).toBe(0)
  })

  test('is not taken hold of by a registration that is refused', () => {
    const events = bus()
    const { signal, left } = aborter()
    events.on(Placed, () => undefined)
    const Twin = event('OrderPlaced', plain<{ other: number }>())
    expect(() => events.on(Twin, () => undefined, { signal })).toThrow(code('NAME_TAKEN'))
    expect(left()).toBe(0)
  })

  test('may serve many handlers without a warning', async () => {
    const warnings: unknown[] = []
    const warned = (warning: unknown) => void warnings.push(warning)
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const events = bus()
    const { signal, abort } = aborter()
    for (let n = 0; n < 100; n++) events.on(Placed, () => n, { signal })
    await turn()
    abort()
    expect(warnings).toEqual([])
  })

  test('of the bus closes it at once', async () => {
    const { signal, abort, left } = aborter()
    const events = bus({ signal })
    const { promise, resolve } = gate()
    events.on(Placed, () => promise)
    const next = events.once(Paid)
    const emitted = events.emit(placed)
    abort()
    expect(() => events.emit(placed)).toThrow(code('APP_STOPPED'))
    await expect(next).rejects.toMatchObject({ code: 'APP_STOPPED' })
    expect([events.listeners(), left()]).toEqual([0, 0])
    resolve()
    await emitted
    await events.drain()
    expect(() => bus({ signal }).emit(placed)).toThrow(code('APP_STOPPED'))
  })

  test('of the bus is let go of when the bus closes', async () => {
    const { signal, left } = aborter()
    const events = bus({ signal })
    expect(left()).toBe(1)
    await events.close()
    expect(left()).toBe(0)
  })
})

describe('drain', () => {
  test('resolves at once when nothing is in flight', async () => {
    const events = bus()
    events.on(Placed, () => undefined)
    void events.emit(placed)
    await events.drain()
  })

  test('waits for all events, and for what their handlers emitted meanwhile', async () => {
    const events = bus()
    const order: string[] = []
    events.on(Placed, async () => {
      await turn()
      void events.emit(paid)
      order.push('placed')
    })
    events.on(Paid, async () => {
      await turn()
      order.push('paid')
    })
    void events.emit(placed)
    void events.emit(placed)
    await Promise.all([events.drain(), events.drain()])
    expect(order).toEqual(['placed', 'placed', 'paid', 'paid'])
  })

  test('called by a synchronous handler waits for those after it', async () => {
    const events = bus()
    const { promise, resolve } = gate()
    let drained: Promise<void> | undefined
    let done = false
    events.on(Placed, () => void (drained = events.drain().then(() => void (done = true))))
    events.on(Placed, () => promise)
    void events.emit(placed)
    await turn()
    expect(done).toBe(false)
    resolve()
    await drained
  })
})

describe('close', () => {
  test('delivers what is in flight, then refuses further use', async () => {
    const events = bus()
    const seen: string[] = []
    events.on(Placed, () => turn().then(() => events.emit(paid)))
    events.on(Paid, () => turn().then(() => seen.push('paid')))
    void events.emit(placed)
    await events.close()
    expect(seen).toEqual(['paid'])
    expect(events.listeners()).toBe(0)
    for (const use of [
      () => events.emit(placed),
      () => events.on(Placed, () => undefined),
      () => events.once(Placed, () => undefined),
      () => events.once(Placed),
    ])
      expect(use).toThrow(code('APP_STOPPED'))
    events.off(Placed, () => undefined)
    await events.drain()
    await events.close()
  })

  test('is what await using does', async () => {
    let outer
    {
      await using events = bus()
      outer = events
    }
    expect(() => outer.emit(placed)).toThrow(code('APP_STOPPED'))
  })
})
