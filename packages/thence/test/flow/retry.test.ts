// What happens to a message that fails: tried again later and later, across restarts, then parked with its whole why;
// only its key waits, and an operator sends it through or gives it up.
import { event, handler, plain } from 'thence'
import type { Database, RetryPolicy } from 'thence'
import { discard, redrive } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { all, gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
const Echoed = event('Echoed', plain<{ n: number }>())
const retry: Partial<RetryPolicy> = { attempts: 4, base: 100, cap: 300 }

class TooLoud extends Error {
  override readonly name = 'TooLoud'
  readonly code = 'DECIBELS'
}

const parkedLetter = async (database: Database) => {
  const letters = await database.read(({ deadLetters }) =>
    deadLetters.list({ state: 'parked', limit: 10 }),
  )
  expect(letters).toHaveLength(1)
  return letters[0] as (typeof letters)[number]
}

/** Rings three bells three times; what comes second from bell a fails while `broken`. */
const belfry = async ({ make }: Kind) => {
  const state = { broken: true, calls: [] as string[], place: make() }
  const ear = handler('ear', Rung, {
    key: ({ data }) => data.bell,
    retry,
    run: function listen({ data: { bell, n } }) {
      state.calls.push(`${bell}${n}`)
      if (state.broken && bell === 'a' && n === 1) throw new TooLoud('That was too loud.')
    },
  })
  const start = () => run(state.place, (app) => app.use(ear))
  const test = await start()
  const bells = ['a', 'b', 'c']
  const events = [0, 1, 2].flatMap((n) => bells.map((bell) => Rung({ bell, n })))
  await test.app.append({ events })
  return { state, test, start }
}

const count = (calls: readonly string[], one: string): number =>
  calls.filter((call) => call === one).length

describe.each(kinds)('a message that fails on $name', (kind) => {
  it('is tried again with growing pauses and then parked', async () => {
    const { state, test } = await belfry(kind)
    await test.settle()
    const failed = test.spy.signals.filter((signal) => signal.name === 'message-failed')
    expect(failed.map(({ attempts }) => attempts)).toEqual([1, 2, 3])
    for (const [at, { retryIn }] of failed.entries())
      expect(retryIn).toBeLessThanOrEqual(Math.min(300, 100 * 2 ** at))
    expect(test.spy.signals.at(-1)).toMatchObject({ name: 'message-parked', attempts: 4, key: 'a' })
    expect(count(state.calls, 'a1')).toBe(4)
  })

  it('is not tried before its time', async () => {
    const { state, test } = await belfry(kind)
    const { retryIn } = await test.spy.signal('message-failed')
    expect(retryIn).toBeGreaterThan(1)
    await test.runtime.advance(retryIn - 1)
    expect(count(state.calls, 'a1')).toBe(1)
    await test.runtime.advance(1)
    expect(count(state.calls, 'a1')).toBe(2)
  })

  it('keeps waiting what has its key, and nothing else', async () => {
    const { state, test } = await belfry(kind)
    await test.settle()
    expect(state.calls.filter((call) => !call.startsWith('a'))).toEqual([
      'b0',
      'c0',
      'b1',
      'c1',
      'b2',
      'c2',
    ])
    expect(count(state.calls, 'a0')).toBe(1)
    expect(count(state.calls, 'a2')).toBe(0)
    await test.app.append({ events: [Rung({ bell: 'a', n: 3 }), Rung({ bell: 'b', n: 3 })] })
    await test.settle()
    expect([count(state.calls, 'a3'), count(state.calls, 'b3')]).toEqual([0, 1])
  })

  it('leaves a dead letter with the error, the attempts and the message as it was', async () => {
    const { test } = await belfry(kind)
    await test.settle()
    const letter = await parkedLetter(test.app.database)
    const [message] = await look(test)(({ events }) => events.readAll({ after: 3, limit: 1 })).then(
      (page) => page.messages,
    )
    expect(letter).toMatchObject({
      subscription: 'ear',
      key: 'a',
      message,
      errorName: 'TooLoud',
      errorCode: 'DECIBELS',
      errorMessage: 'That was too loud.',
      reason: null,
    })
    expect(letter.stack).toContain('listen')
    expect(letter.message.data).toBe('{"bell":"a","n":1}')
    expect(letter.attempts).toHaveLength(4)
    const times = letter.attempts.map(({ time }) => time)
    expect(times).toEqual(times.toSorted((one, other) => one - other))
    expect(letter.attempts[0]?.error).toBe('TooLoud: That was too loud.')
    expect(letter.time).toBe(times.at(-1))
  })

  it('keeps the latest twenty attempts, and counts them all', async () => {
    const tries: string[] = []
    const test = await run(kind.make(), (app) =>
      app.handle('ear', Rung, {
        retry: { attempts: 25, base: 100, cap: 300 },
        run: () => {
          tries.push(`no ${tries.length + 1}`)
          throw new Error(tries.at(-1))
        },
      }),
    )
    await test.app.append({ events: Rung({ bell: 'a', n: 1 }) })
    await test.settle()
    expect(test.spy.signals.at(-1)).toMatchObject({ name: 'message-parked', attempts: 25 })
    const { attempts } = await parkedLetter(test.app.database)
    expect(attempts.map(({ error }) => error)).toEqual(tries.slice(5).map((one) => `Error: ${one}`))
  })

  it('counts its attempts across restarts', async () => {
    const { state, test, start } = await belfry(kind)
    await test.spy.until('two attempts', () => count(state.calls, 'a1') === 2)
    await test.stop()
    const again = await start()
    await again.settle()
    expect(count(state.calls, 'a1')).toBe(4)
    expect((await parkedLetter(again.app.database)).attempts).toHaveLength(4)
    expect(count(state.calls, 'a2')).toBe(0)
    expect(count(state.calls, 'b2')).toBe(1)
  })

  it('stays parked across restarts', async () => {
    const { state, test, start } = await belfry(kind)
    await test.settle()
    await test.stop()
    const again = await start()
    await again.app.append({ events: [Rung({ bell: 'a', n: 4 }), Rung({ bell: 'c', n: 4 })] })
    await again.advance('1h')
    expect(count(state.calls, 'a1')).toBe(4)
    expect([count(state.calls, 'a4'), count(state.calls, 'c4')]).toEqual([0, 1])
  })

  it('goes through when it is sent again, and what waited follows in order', async () => {
    const { state, test } = await belfry(kind)
    await test.settle()
    await test.app.append({ events: Rung({ bell: 'a', n: 3 }) })
    const letter = await parkedLetter(test.app.database)
    state.broken = false
    state.calls = []
    await redrive({ database: test.app.database, runtime: test.runtime }, letter.id)
    await test.advance('2s')
    expect(state.calls).toEqual(['a1', 'a2', 'a3'])
    const stored = await look(test)(({ deadLetters }) => deadLetters.get(letter.id))
    expect(stored?.state).toBe('resolved')
    await test.app.append({ events: Rung({ bell: 'a', n: 4 }) })
    await test.settle()
    expect(state.calls.at(-1)).toBe('a4')
  })

  it('has all its attempts anew when it is sent again, and parks under the same letter', async () => {
    const { state, test } = await belfry(kind)
    await test.settle()
    const letter = await parkedLetter(test.app.database)
    await redrive({ database: test.app.database, runtime: test.runtime }, letter.id)
    await test.advance('1m')
    expect(count(state.calls, 'a1')).toBe(8)
    expect((await parkedLetter(test.app.database)).id).toBe(letter.id)
  })

  it('is passed over when it is given up', async () => {
    const { state, test } = await belfry(kind)
    await test.settle()
    const letter = await parkedLetter(test.app.database)
    state.calls = []
    await discard({ database: test.app.database, runtime: test.runtime }, letter.id, 'A test bell.')
    await test.advance('2s')
    expect(state.calls).toEqual(['a2'])
    const stored = await look(test)(({ deadLetters }) => deadLetters.get(letter.id))
    expect(stored).toMatchObject({ state: 'discarded', reason: 'A test bell.' })
  })

  it('commits nothing of an attempt during which an operator gave it up', async () => {
    const door = gate()
    let calls = 0
    const ear = handler('ear', Rung, {
      key: ({ data }) => data.bell,
      retry: { attempts: 1 },
      run: async ({ data: { n } }, { append }) => {
        calls += 1
        if (calls === 1) throw new Error('Too far away.')
        await door.opened
        append('echo', Echoed({ n }))
      },
    })
    const test = await run(kind.make(), (app) => app.use(ear).messages(Echoed))
    const on = { database: test.app.database, runtime: test.runtime }
    await test.app.append({ events: Rung({ bell: 'a', n: 0 }) })
    await test.settle()
    const { id } = await parkedLetter(on.database)
    await redrive(on, id)
    await test.runtime.advance('2s')
    await discard(on, id, 'Nobody listens.')
    door.open()
    await test.settle()
    expect(calls).toBe(2)
    expect(await all(test.app.stream('echo'))).toEqual([])
    const letter = await look(test)(({ deadLetters }) => deadLetters.get(id))
    expect(letter?.state).toBe('discarded')
  })

  it('is parked at once when the error says that trying again cannot help', async () => {
    let calls = 0
    const test = await run(kind.make(), (app) =>
      app.handle('ear', Rung, () => {
        calls += 1
        throw Object.assign(new Error('never'), { retryable: false })
      }),
    )
    await test.app.append({ events: Rung({ bell: 'a', n: 0 }) })
    await test.settle()
    expect(calls).toBe(1)
    expect(await parkedLetter(test.app.database)).toMatchObject({ errorMessage: 'never' })
  })

  it('may throw anything at all', async () => {
    const thrown: readonly unknown[] = [
      undefined,
      null,
      'text',
      7,
      { toString: 1 },
      Symbol('x'),
      '\u0000\ud800',
    ]
    const test = await run(kind.make(), (app) =>
      app.use(
        handler('ear', Rung, {
          key: ({ data }) => data.bell,
          retry: { attempts: 1 },
          run: ({ data }) => {
            throw thrown[data.n]
          },
        }),
      ),
    )
    await test.app.append({ events: thrown.map((_, n) => Rung({ bell: `${n}`, n })) })
    await test.settle()
    const counts = await look(test)(({ deadLetters }) => deadLetters.counts())
    expect(counts.parked).toBe(thrown.length)
  })
})

describe.each(kinds)('a message that cannot be read on $name', ({ make }) => {
  const broken = { kind: 'event', type: 'Rung', correlationId: null, causationId: null } as const
  const rest = { metadata: null, tags: [], time: 0, schemaVersion: 1 } as const

  it.each([
    ['was damaged', { data: '{"bell":', schemaVersion: 1 }, 'MESSAGE_UNREADABLE'],
    ['comes from a newer program', { data: '{}', schemaVersion: 2 }, 'MESSAGE_FROM_FUTURE'],
  ] as const)('because it %s is parked at once, and others flow', async (_, wrong, code) => {
    const place = make()
    const heard: number[] = []
    const build = handler('ear', Rung, {
      key: ({ data }) => data.bell,
      run: ({ data }) => void heard.push(data.n),
    })
    const test = await run(place, (app) => app.use(build))
    await test.app.database.transact(async ({ events }) => {
      const message = { ...broken, ...rest, ...wrong, id: 'broken' }
      await events.append({ stream: 'ruin', messages: [message] })
    })
    await test.app.append({ events: Rung({ bell: 'a', n: 1 }) })
    await test.settle()
    expect(heard).toEqual([1])
    const letter = await parkedLetter(test.app.database)
    expect(letter).toMatchObject({ errorCode: code, key: 'ruin', message: wrong })
    expect(letter.attempts).toHaveLength(1)
  })
})
