// A handler does its work once per message, in order per key, side by side otherwise.
import { event, handler, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
const Heard = event('Heard', plain<{ bell: string; n: number }>())

const rings = (bells: number, times: number) =>
  Array.from({ length: bells * times }, (_, at) =>
    Rung({ bell: `bell ${at % bells}`, n: Math.floor(at / bells) }),
  )

const byBell = { key: ({ data }: { data: { bell: string } }) => data.bell }

describe.each(kinds)('a handler on $name', ({ make }) => {
  it('keeps the order of each key and works on several keys side by side, up to its limit', async () => {
    const heard = new Map<string, number[]>()
    let now = 0
    let most = 0
    const ear = handler('ear', Rung, {
      ...byBell,
      concurrency: 4,
      run: async ({ data: { bell, n } }) => {
        now += 1
        most = Math.max(most, now)
        // Some take longer than others.
        for (let turns = (n * 7) % 5; turns >= 0; turns -= 1)
          await new Promise<void>((resolve) => test.runtime.soon(resolve))
        heard.set(bell, [...(heard.get(bell) ?? []), n])
        now -= 1
      },
    })
    const test = await run(make(), (app) => app.use(ear))
    await test.app.append({ events: rings(10, 20) })
    await test.settle()
    expect(most).toBe(4)
    expect(heard.size).toBe(10)
    for (const order of heard.values()) expect(order).toEqual([...Array(20).keys()])
  })

  it('does not wait for a slow key to commit what came before it', async () => {
    const slow = gate()
    const ear = handler('ear', Rung, {
      ...byBell,
      run: async ({ data }, context) => {
        if (data.bell === 'slow') await slow.opened
        context.append('ears', Heard(data))
      },
    })
    const test = await run(make(), (app) => app.use(ear).messages(Heard))
    await test.app.append({
      events: [Rung({ bell: 'quick', n: 1 }), Rung({ bell: 'slow', n: 2 })],
    })
    await test.spy.message(Heard, ({ data }) => data.bell === 'quick')
    expect(test.spy.messages.filter(({ type }) => type === 'Heard')).toHaveLength(1)
    slow.open()
    await test.settle()
    await test.spy.message(Heard, ({ data }) => data.bell === 'slow')
  })

  it('is given every message once, across restarts', async () => {
    const place = make()
    const heard: number[] = []
    const ear = handler('ear', Rung, ({ data }) => void heard.push(data.n))
    for (let start = 0; start < 3; start += 1) {
      const test = await run(place, (app) => app.use(ear))
      await test.app.append({ events: Rung({ bell: 'one', n: start }) })
      await test.settle()
      await test.stop()
    }
    expect(heard).toEqual([0, 1, 2])
  })

  it('is given what was recorded before it was there', async () => {
    const place = make()
    const before = await run(place, (app) => app.messages(Rung))
    await before.app.append({ events: rings(2, 3) })
    await before.stop()
    let heard = 0
    const after = await run(place, (app) => app.handle('ear', Rung, () => void (heard += 1)))
    await after.settle()
    expect(heard).toBe(6)
  })

  it('is told to stop when its time is up, and tried again', async () => {
    const aborted: unknown[] = []
    const ear = handler('ear', Rung, {
      timeout: '5s',
      retry: { base: 100 },
      run: ({ data }, { signal }) => {
        if (aborted.length > 0) return
        signal.addEventListener('abort', () => aborted.push(signal.reason))
        // It ignores the signal: it never ends.
        return data.n === 0 ? new Promise<void>(() => undefined) : undefined
      },
    })
    const test = await run(make(), (app) => app.use(ear))
    const begun = test.runtime.now()
    await test.app.append({ events: Rung({ bell: 'one', n: 0 }) })
    const failed = await test.spy.signal('message-failed')
    expect(failed.error).toMatchObject({ code: 'TIMEOUT' })
    expect(aborted).toEqual([failed.error])
    expect(test.runtime.now()).toBe(begun + 5000)
    await test.settle()
    expect(test.spy.signals.map(({ name }) => name)).toEqual(['message-failed'])
  })
})

describe.each(kinds)('stopping on $name', ({ make }) => {
  it('waits for the handler in hand, and commits what it did', async () => {
    const slow = gate()
    const place = make()
    let calls = 0
    const build = handler('ear', Rung, async ({ data }, context) => {
      calls += 1
      await slow.opened
      context.append('ears', Heard(data))
    })
    const first = await run(place, (app) => app.use(build).messages(Heard))
    await first.app.append({ events: Rung({ bell: 'one', n: 1 }) })
    await first.spy.until('the handler to be called', () => calls === 1)
    let stopped = false
    const stopping = first.app.stop().then(() => (stopped = true))
    await first.runtime.advance('9s')
    expect(stopped).toBe(false)
    slow.open()
    await stopping
    const second = await run(place, (app) => app.use(build).messages(Heard))
    await second.settle()
    await second.spy.message(Heard)
    expect(calls).toBe(1)
  })

  it('begins nothing new while it waits', async () => {
    const slow = gate()
    let calls = 0
    const build = handler('ear', Rung, {
      ...byBell,
      concurrency: 2,
      run: async () => {
        calls += 1
        await slow.opened
      },
    })
    const test = await run(make(), (app) => app.use(build))
    await test.app.append({ events: rings(5, 2) })
    await test.spy.until('two handlers to be called', () => calls === 2)
    const stopping = test.app.stop()
    slow.open()
    await stopping
    expect(calls).toBe(2)
  })

  it('gives back what does not end in time, and holds nothing against it', async () => {
    const place = make()
    let calls = 0
    let reason: unknown
    const build = handler('ear', Rung, {
      retry: { attempts: 1 },
      run: (_, { signal }) => {
        calls += 1
        if (calls > 1) return
        return new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
            reject(new Error('I was interrupted'))
          })
        })
      },
    })
    const first = await run(place, (app) => app.use(build))
    await first.app.append({ events: Rung({ bell: 'one', n: 1 }) })
    await first.spy.until('the handler to be called', () => calls === 1)
    const begun = first.runtime.now()
    await first.runtime.until(first.app.stop({ deadline: 3000 }))
    expect(first.runtime.now()).toBe(begun + 3000)
    expect(reason).toMatchObject({ code: 'ABORTED' })
    expect(first.spy.signals).toEqual([])
    const second = await run(place, (app) => app.use(build))
    await second.settle()
    expect(calls).toBe(2)
    expect(second.spy.signals).toEqual([])
    expect(await look(second)(({ deadLetters }) => deadLetters.counts())).toMatchObject({
      parked: 0,
    })
  })
})
