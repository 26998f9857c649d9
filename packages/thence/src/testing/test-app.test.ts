// An app on a virtual clock: it runs, retries and repeats without waiting, and a spy that waits in vain says why.
import { memory } from 'thence/memory'
import { app, event, plain } from 'thence'
import { settle, spy, testApp, virtualRuntime } from 'thence/testing'
import { describe, expect, it } from 'vitest'

const Rung = event('Rung', plain<{ times: number }>())
const Heard = event('Heard', plain<{ times: number }>())

const listening = (fails = 0) => {
  let left = fails
  return testApp((one) =>
    one.messages(Heard).handle('ear', Rung, ({ data }, context) => {
      left -= 1
      if (left >= 0) throw new Error('too loud')
      context.append('ears', Heard(data))
    }),
  )
}

describe('an app for a test', () => {
  it('does what follows and comes to rest', async () => {
    await using test = await listening()
    await test.app.append({ events: Rung({ times: 3 }) })
    await test.settle()
    const heard = await test.spy.message(Heard)
    expect(heard.data.times).toBe(3)
    expect(test.spy.signals).toEqual([])
  })

  it('lets the time of retries pass', async () => {
    await using test = await listening(3)
    const before = test.runtime.now()
    await test.app.append({ events: Rung({ times: 3 }) })
    await test.settle()
    expect(test.spy.signals.map(({ name }) => name)).toEqual(Array(3).fill('message-failed'))
    expect(test.runtime.now()).toBeGreaterThan(before)
  })

  it('does the very same for the same seed', async () => {
    const run = async () => {
      await using test = await listening(3)
      await test.app.append({ events: [Rung({ times: 1 }), Rung({ times: 2 })] })
      await test.settle()
      await test.spy.message(Heard, ({ data }) => data.times === 2)
      const signals = test.spy.signals.map((one) => 'retryIn' in one && one.retryIn)
      return { messages: test.spy.messages, signals }
    }
    expect(await run()).toEqual(await run())
  })

  it('shares a clock with another app', async () => {
    const runtime = virtualRuntime()
    await using one = await testApp((builder) => builder.messages(Rung), { runtime })
    await using two = await testApp((builder) => builder.messages(Rung), { runtime })
    await one.advance('1h')
    const at = (await two.app.append({ events: Rung({ times: 1 }) })).events[0]?.time
    expect(at).toBe(runtime.now())
  })
})

describe('a spy', () => {
  it('waits for a signal by name', async () => {
    await using test = await listening(1)
    await test.app.append({ events: Rung({ times: 1 }) })
    const failed = await test.spy.signal('message-failed', ({ attempts }) => attempts === 1)
    expect(failed.error).toMatchObject({ message: 'too loud' })
  })

  it('waits on the real clock of a real app', async () => {
    await using real = await app({ database: memory(), logger: false })
      .messages(Heard)
      .handle('ear', Rung, ({ data }, context) => context.append('ears', Heard(data)))
      .start()
    using watching = spy(real)
    await real.append({ events: Rung({ times: 2 }) })
    expect((await watching.message(Heard, ({ data }) => data.times === 2)).stream).toBe('ears')
  })

  it('tells what it has seen when it waits in vain', async () => {
    await using test = await listening(1)
    await test.app.append({ events: Rung({ times: 1 }) })
    await expect(test.spy.message(Heard, ({ data }) => data.times === 2)).rejects.toThrow(
      /for a message Heard[\s\S]*Signals: message-failed\.[\s\S]*Messages: Rung, Heard\./,
    )
  })

  it('gives up on the real clock too', async () => {
    await using real = await app({ database: memory(), logger: false }).messages(Rung).start()
    using watching = spy(real, { within: '5ms' })
    await expect(watching.message(Rung)).rejects.toThrow('Messages: none')
  })

  it('settles an app that was started by hand', async () => {
    const runtime = virtualRuntime()
    await using own = await app({ database: memory(), runtime, logger: false })
      .messages(Rung)
      .start()
    await own.append({ events: Rung({ times: 1 }) })
    await settle(own, runtime)
    using watching = spy(own, { runtime })
    expect((await watching.message(Rung)).position).toBe(1)
  })
})
