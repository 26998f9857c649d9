// What was rolled back has not happened: nobody is told of it, so nobody reads past what comes in its place, and a
// transaction that hung is held against the one message that made it hang.
import { documents, event, handler, plain, projection } from 'thence'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ n: number }>())
const Refused = event('Refused', plain<{ n: number }>())
const Asked = event('Asked', plain<{ n: number }>())
const Answered = event('Answered', plain<{ n: number }>())

/** Hears every bell, and an inline view refuses what is to be refused. */
const withRefusal = async (place: Place) => {
  const heard: number[] = []
  const strict = projection('strict', {
    inline: true,
    view: documents<number>(),
    on: (on) =>
      on(Refused, () => {
        throw new Error('This must not be.')
      }),
  })
  const ear = handler('ear', Rung, ({ data }) => void heard.push(data.n))
  return { heard, test: await run(place, (app) => app.use(strict, ear).messages(Answered)) }
}

describe.each(kinds)('an append that an inline view refuses on $name', ({ make }) => {
  it('hides nothing that is appended in its place', async () => {
    const { heard, test } = await withRefusal(make())
    await expect(test.app.append({ events: Refused({ n: 0 }) })).rejects.toThrow('must not be')
    for (const n of [1, 2, 3]) await test.app.append({ events: Rung({ n }) })
    await test.settle()
    expect(heard).toEqual([1, 2, 3])
  })

  it('hides nothing that shares a commit with it, before and behind it', async () => {
    const { heard, test } = await withRefusal(make())
    const one = (events: ReturnType<typeof Answered> | ReturnType<typeof Refused>) =>
      test.app.append({ events })
    const results = await Promise.allSettled([
      one(Refused({ n: 0 })),
      one(Answered({ n: 0 })),
      one(Refused({ n: 0 })),
      one(Answered({ n: 0 })),
      one(Refused({ n: 0 })),
    ])
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(3)
    for (const n of [1, 2, 3]) await test.app.append({ events: Rung({ n }) })
    await test.settle()
    expect(heard).toEqual([1, 2, 3])
  })
})

describe.each(kinds)(
  'what a handler asked for before its transaction failed on $name',
  ({ make }) => {
    /** `Asked` 0 answers and then fails; the others only answer. */
    const start = async () => {
      const heard: number[] = []
      const maker = handler('maker', Asked, {
        key: ({ id }) => id,
        retry: { attempts: 3, base: 1000 },
        run: ({ data }, { append, within }) => {
          append('answers', Answered(data))
          within(() => {
            if (data.n === 0) throw new Error('The row is locked.')
          })
        },
      })
      const ear = handler('ear', Rung, ({ data }) => void heard.push(data.n))
      const test = await run(make(), (app) => app.use(maker, ear).messages(Answered))
      return { heard, test }
    }

    it('hides nothing that is appended in its place, attempt by attempt', async () => {
      const { heard, test } = await start()
      await test.app.append({ events: Asked({ n: 0 }) })
      for (const n of [1, 2, 3]) {
        await test.spy.until(
          `attempt ${n}`,
          () => test.spy.signals.filter((signal) => 'attempts' in signal).length === n,
        )
        await test.app.append({ events: Rung({ n }) })
      }
      await test.settle()
      expect(heard).toEqual([1, 2, 3])
      expect(test.spy.signals.at(-1)).toMatchObject({ name: 'message-parked', attempts: 3 })
    })

    it('hides nothing beside the answers of others in the same transaction', async () => {
      const { heard, test } = await start()
      await test.app.append({ events: [Asked({ n: 0 }), Asked({ n: 1 }), Asked({ n: 0 })] })
      await test.spy.message(Answered)
      await test.app.append({ events: Rung({ n: 1 }) })
      await test.app.append({ events: Rung({ n: 2 }) })
      await test.settle()
      expect(heard).toEqual([1, 2])
      const answers = await all(test.app.stream('answers'))
      expect(answers.map(({ data }) => data)).toEqual([{ n: 1 }])
    })
  },
)

describe.each(kinds)('a message whose transaction hangs on $name', ({ make }) => {
  const never = () => new Promise<void>(() => undefined)

  const hanging = (keyed: boolean) => {
    const state = { hangs: Infinity }
    const view = projection('book', {
      ...(keyed ? { key: ({ data }) => `${(data as { n: number }).n}` } : {}),
      retry: { attempts: 2, base: 10 },
      view: documents<number>(),
      on: (on) =>
        on(Rung, async ({ data }, documents) => {
          await documents.put(`${data.n}`, data.n)
          if (data.n !== 2) return
          state.hangs -= 1
          if (state.hangs >= 0) await never()
        }),
    })
    return { state, view }
  }
  const events = [1, 2, 3].map((n) => Rung({ n }))

  it.each([
    ['with a key only this message waits', true, [1, 3]],
    ['in one sequence all behind it wait', false, [1]],
  ] as const)('is counted and parked: %s', async (_, keyed, shown) => {
    const { view } = hanging(keyed)
    const test = await run(make(), (app) => app.use(view))
    await test.app.append({ events })
    await test.settle()
    const { letters, documents } = await look(test)(async (one) => ({
      letters: await one.deadLetters.list({ limit: 10 }),
      documents: await one.documents.list('book', { limit: 10 }),
    }))
    expect(letters).toMatchObject([
      { state: 'parked', errorCode: 'TRANSACTION_TIMEOUT', message: { position: 2 } },
    ])
    expect(letters[0]?.attempts).toHaveLength(2)
    expect(documents.map(({ value }) => Number(value))).toEqual(shown)
    expect(test.spy.signals.map(({ name }) => name)).toEqual(['message-failed', 'message-parked'])
  })

  it('goes through when it hangs no more', async () => {
    const { state, view } = hanging(true)
    const test = await run(make(), (app) => app.use(view))
    // With all others, and then alone.
    state.hangs = 2
    await test.app.append({ events })
    await test.settle()
    const documents = await look(test)((one) => one.documents.list('book', { limit: 10 }))
    expect(documents.map(({ value }) => Number(value))).toEqual([1, 2, 3])
    expect(test.spy.signals.map(({ name }) => name)).toEqual(['message-failed'])
  })

  it('is parked too when it is a handler that hangs in its transaction', async () => {
    const ear = handler('ear', Rung, {
      key: ({ data }) => `${data.n}`,
      retry: { attempts: 2, base: 10 },
      run: ({ data }, { append, within }) => {
        append('answers', Answered(data))
        within(() => (data.n === 2 ? never() : undefined))
      },
    })
    const test = await run(make(), (app) => app.use(ear).messages(Answered))
    await test.app.append({ events })
    await test.settle()
    const answers = await all(test.app.stream('answers'))
    expect(answers.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 3 }])
    expect(test.spy.signals.at(-1)).toMatchObject({
      name: 'message-parked',
      key: '2',
      attempts: 2,
    })
  })
})
