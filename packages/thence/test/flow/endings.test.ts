// How the work of a handler ends: after its end it can ask for nothing, after `stop` none begins, and whatever it
// throws is written down.
import { event, handler, plain } from 'thence'
import type { HandlerContext } from 'thence'
import { describe, expect, it } from 'vitest'
import { heldReads } from '../kit/calls.ts'
import { all, gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ n: number }>())
const Heard = event('Heard', plain<{ n: number }>())

const byNumber = { key: ({ data }: { data: { n: number } }) => `${data.n}` }
const rings = (...numbers: readonly number[]) => numbers.map((n) => Rung({ n }))

const askAll = (context: HandlerContext): readonly (() => void)[] => [
  () => context.append('ears', Heard({ n: 99 })),
  () => context.send(),
  () => context.within(() => undefined),
]

describe.each(kinds)('asking the context after the end of the handler on $name', ({ make }) => {
  it('throws, also while its effects wait for their turn to be committed', async () => {
    const slow = gate()
    const contexts: HandlerContext[] = []
    const ear = handler('ear', Rung, {
      ...byNumber,
      run: async ({ data }, context) => {
        if (data.n === 0) await slow.opened
        context.append('ears', Heard(data))
        contexts.push(context)
      },
    })
    const test = await run(make(), (app) => app.use(ear).messages(Heard))
    await test.app.append({ events: rings(0, 1) })
    await test.spy.until('the quick one to end', () => contexts.length === 1)
    const [context] = contexts
    for (const ask of context === undefined ? [] : askAll(context))
      expect(ask).toThrow(expect.objectContaining({ code: 'STATE_INVALID' }))
    slow.open()
    await test.settle()
    const heard = await all(test.app.stream('ears'))
    expect(heard.map(({ data }) => data)).toEqual([{ n: 0 }, { n: 1 }])
    expect(test.spy.signals).toEqual([])
  })

  it('throws when the handler has failed', async () => {
    const contexts: HandlerContext[] = []
    const ear = handler('ear', Rung, {
      retry: { attempts: 1 },
      run: (_, context) => {
        contexts.push(context)
        throw new Error('No.')
      },
    })
    const test = await run(make(), (app) => app.use(ear).messages(Heard))
    await test.app.append({ events: rings(0) })
    await test.settle()
    expect(contexts).toHaveLength(1)
    for (const ask of contexts.flatMap(askAll))
      expect(ask).toThrow(expect.objectContaining({ code: 'STATE_INVALID' }))
  })
})

describe.each(kinds)('stopping in the middle of retries on $name', ({ make }) => {
  /** Everything fails at first; what is tried again says so, and hangs as long as `hangs`. */
  const start = async (concurrency: number, around?: Parameters<typeof run>[2]) => {
    const place = make()
    const state = { hangs: true, begun: [] as number[], done: [] as number[] }
    const failed = new Set<number>()
    const ear = handler('ear', Rung, {
      ...byNumber,
      concurrency,
      timeout: '1h',
      retry: { attempts: 9, base: 0, cap: 0 },
      run: async ({ data: { n } }) => {
        if (!failed.has(n)) {
          failed.add(n)
          throw new Error('The first time.')
        }
        state.begun.push(n)
        // It ignores its signal.
        if (state.hangs) await new Promise<void>(() => undefined)
        state.done.push(n)
      },
    })
    const open = (options = around) => run(place, (app) => app.use(ear), options)
    return { place, state, test: await open(), open }
  }

  it('begins no other, and is over at its deadline', async () => {
    const { place, state, test, open } = await start(2)
    await test.app.append({ events: rings(1, 2, 3, 4, 5) })
    await test.spy.until('two retries', () => state.begun.length === 2)
    const begun = place.runtime.now()
    await place.runtime.until(test.app.stop({ deadline: 100 }))
    expect(place.runtime.now()).toBe(begun + 100)
    await place.runtime.advance('1m')
    expect(state.begun).toHaveLength(2)
    state.hangs = false
    const again = await open()
    await again.settle()
    expect(state.done.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5])
    expect(again.spy.signals).toEqual([])
  })

  it.each(['retries.take', 'checkpoints.load'])(
    'begins none whose %s was being read',
    async (held) => {
      const reading = gate()
      const read = gate()
      let armed = false
      const { place, state, test } = await start(2, {
        around: (one) =>
          heldReads(one, (call) => {
            if (!armed || call !== held) return undefined
            reading.open()
            return read.opened
          }),
      })
      await test.app.append({ events: rings(1) })
      armed = true
      await place.runtime.until(reading.opened)
      const stopping = test.app.stop({ deadline: 100 })
      await place.runtime.rest()
      read.open()
      await place.runtime.until(stopping)
      expect(state.begun).toEqual([])
    },
  )
})

/** Errors that are not what they should be. */
const odd: Readonly<Record<string, () => unknown>> = {
  'a message that is an object': () => Object.assign(new Error('x'), { message: { why: 1 } }),
  'a name that is a symbol': () => Object.assign(new Error('x'), { name: Symbol('x') }),
  'a stack that is a number': () => Object.assign(new Error('x'), { stack: 7 }),
  'a cause whose stack is an object': () =>
    new Error('x', { cause: Object.assign(new Error('y'), { stack: { at: 1 } }) }),
  'a message that has no text': () =>
    Object.assign(new Error('x'), { message: Object.create(null) as unknown }),
  ...Object.fromEntries(
    ['message', 'name', 'stack', 'code', 'cause', 'retryable'].map((field) => [
      `a ${field} that throws`,
      () =>
        Object.defineProperty(new Error('x'), field, {
          get: () => {
            throw new Error('Do not look.')
          },
        }),
    ]),
  ),
  'nothing that can be looked at': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
}

describe.each(kinds)('an odd error on $name', ({ make }) => {
  it.each(Object.keys(odd))('with %s is parked like any other', async (what) => {
    const ear = handler('ear', Rung, {
      ...byNumber,
      retry: { attempts: 2, base: 1 },
      run: ({ data }, { append, within }) => {
        append('ears', Heard(data))
        if (data.n === 1) throw odd[what]?.()
        if (data.n === 2)
          within(() => {
            throw odd[what]?.()
          })
      },
    })
    const test = await run(make(), (app) => app.use(ear).messages(Heard))
    await test.app.append({ events: rings(0, 1, 2, 3) })
    await test.settle()
    const letters = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 10 }))
    expect(letters.map(({ key }) => key).toSorted()).toEqual(['1', '2'])
    expect(letters.map(({ attempts }) => attempts.length)).toEqual([2, 2])
    const heard = await all(test.app.stream('ears'))
    expect(heard.map(({ data }) => data)).toEqual([{ n: 0 }, { n: 3 }])
  })
})
