// One id, one command: the same again gives what came of the first, another one is refused, whichever way they come.
import type { CommandMessage } from 'thence'
import { aggregate, command, documents, event, handler, plain, projection } from 'thence'
import { describe, expect, it } from 'vitest'
import { faulty, slowly } from '../kit/faults.ts'
import type { Around, Kind, Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

interface Sum {
  readonly n: number
  readonly note?: unknown
}

const Add = command('Add', plain<Sum>())
const Less = command('Less', plain<Sum>())
const Ring = command('Ring', plain<Sum>())
const Added = event('Added', plain<Sum>())
const Asked = event('Asked', plain<Sum>())

const counter = aggregate('counter', {
  initial: () => ({}),
  evolve: (on) => on(Added, (state) => state),
  decide: (on) =>
    on(Add, (_, { data }) => Added({ n: data.n })).on(Less, (_, { data }) => Added({ n: -data.n })),
  stream: () => 'one',
})

const bell = (rung: number[] = []) => handler('bell', Ring, ({ data }) => void rung.push(data.n))

/** Changes with every append, so that appends go through a transaction. */
const seen = projection('seen', {
  view: documents<number>(),
  inline: true,
  on: (on) => on(Added, ({ data }, view) => view.put(String(data.n), data.n)),
})

const start = (place: Place, options: { inline?: boolean; around?: Around } = {}) => {
  const { inline = false, around } = options
  return run(
    place,
    (app) => (inline ? app.use(counter, bell(), seen) : app.use(counter, bell())).messages(Asked),
    around === undefined ? {} : { around },
  )
}

type Test = Awaited<ReturnType<typeof start>>
type Sent = CommandMessage<'Add' | 'Less' | 'Ring'>

/** The ways in which a command comes to an aggregate. */
const ways: readonly (readonly [string, (test: Test, sent: Sent) => Promise<unknown>])[] = [
  ['at once', ({ app }, sent) => app.send(sent)],
  ['in a transaction', ({ app }, sent) => app.transaction((tx) => tx.send(sent))],
  ['for later', ({ app }, sent) => app.send(sent, { in: '1s' })],
  [
    'for later in a transaction',
    ({ app }, sent) => app.transaction((tx) => tx.send(sent, { in: '1s' })),
  ],
]

const sums = async ({ app }: Pick<Test, 'app'>): Promise<readonly number[]> =>
  (await all(app.stream('counter-one'))).map(({ data }) => (data as Sum).n)

const refusal = { code: 'MESSAGE_ID_REUSED', details: { id: 'mine' } }
const first = Add({ n: 1 }, { id: 'mine' })
const others = [
  ['other data', Add({ n: 2 }, { id: 'mine' })],
  ['another type', Less({ n: 1 }, { id: 'mine' })],
] as const

describe.each(kinds)('on $name, an id that a command has', ({ make }: Kind) => {
  const pairs = ways.flatMap(([before, send]) =>
    ways.map(([after, again]) => ({ before, after, send, again })),
  )

  it.each(pairs)('sent $before is not taken by another sent $after', async ({ send, again }) => {
    const test = await start(make())
    await send(test, first)
    for (const [what, other] of others)
      await expect(again(test, other), what).rejects.toMatchObject(refusal)
    await test.advance('3s')
    for (const [what, other] of others)
      await expect(again(test, other), what).rejects.toMatchObject(refusal)
    await test.advance('3s')
    expect(await sums(test)).toEqual([1])
  })

  it.each(pairs)('sent $before is that of the same sent $after', async ({ send, again }) => {
    const test = await start(make())
    await send(test, first)
    await again(test, first)
    await test.advance('3s')
    await again(test, first)
    await test.advance('3s')
    expect(await sums(test)).toEqual([1])
  })

  it.each(['alone', 'beside an inline view'])(
    'is taken by one of several that come at the same time, %s',
    async (beside) => {
      const place = make()
      const options = { inline: beside !== 'alone', around: slowly }
      const both = [await start(place, options), await start(place, options)] as const
      const sends = Array.from({ length: 12 }, (_, n) =>
        both[n % 2 === 0 ? 0 : 1].app.send(Add({ n: n % 3 }, { id: 'mine' })),
      )
      const results = await place.runtime.until(Promise.allSettled(sends))
      const [winner, ...more] = await sums(both[0])
      expect(more).toEqual([])
      for (const [n, result] of results.entries())
        expect(result, `${n}`).toMatchObject(
          n % 3 === winner ? { status: 'fulfilled' } : { status: 'rejected', reason: refusal },
        )
    },
  )

  it('is known as long as the log or the inbox has the command', async () => {
    const place = make()
    const test = await start(place)
    await test.app.send(first, { in: '1s' })
    await test.advance('3s')
    await test.app.database.transact(({ inbox }) => inbox.trim(test.runtime.now() + 1, 10))
    await expect(test.app.send(others[0][1])).rejects.toMatchObject(refusal)
    await test.app.send(Add({ n: 5 }, { id: 'next' }))
    await test.stop()
    const again = await start(place)
    await expect(again.app.send(Add({ n: 6 }, { id: 'next' }))).rejects.toMatchObject({
      code: 'MESSAGE_ID_REUSED',
    })
  })

  it('that an older version has written is taken for what comes again', async () => {
    const test = await start(make())
    const { events } = await test.app.send(Add({ n: 1 }))
    await test.app.database.transact(({ inbox }) =>
      inbox.remember('counter', 'mine', {
        stream: 'counter-one',
        version: 1,
        position: 1,
        count: 1,
      }),
    )
    const again = await test.app.send(others[0][1])
    expect(again).toMatchObject({ duplicate: true, events: [{ id: events[0]?.id }] })
    expect(await test.app.send(others[0][1], { in: '1s' })).toMatchObject({ duplicate: true })
    expect(await sums(test)).toEqual([1])
  })

  it('keeps its first when a command of the log has it too: that one is parked with its why', async () => {
    const place = make()
    const asking = handler('asking', Asked, (_, { send }) => send(Add({ n: 2 }, { id: 'mine' })))
    const test = await run(place, (app) => app.use(counter, asking))
    await test.app.send(first)
    await test.app.append({ events: Asked({ n: 1 }) })
    await test.settle()
    expect(await sums(test)).toEqual([1])
    const letters = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 9 }))
    expect(letters).toMatchObject([
      { subscription: 'counter', errorCode: 'MESSAGE_ID_REUSED', state: 'parked' },
    ])
  })

  it('is not taken by a command that is recorded at once, while its own waits', async () => {
    const rung: number[] = []
    const test = await run(make(), (app) => app.use(bell(rung)))
    await test.app.send(Ring({ n: 1 }, { id: 'mine' }), { in: '1s' })
    const other = Ring({ n: 2 }, { id: 'mine' })
    await expect(test.app.send(other)).rejects.toMatchObject(refusal)
    await expect(test.app.transaction((tx) => tx.send(other))).rejects.toMatchObject(refusal)
    await test.app.send(Ring({ n: 1 }, { id: 'mine' }))
    await test.advance('3s')
    expect(rung).toEqual([1])
  })

  it('is its own when the answer was lost', async () => {
    for (const when of ['after the commit', 'instead of the commit'] as const) {
      let losing = 0
      const around: Around = (inner) =>
        faulty(inner, () => (losing-- > 0 ? when : undefined)).database
      const test = await start(make(), { around })
      losing = 1
      const sent = await test.runtime.until(test.app.send(first))
      expect(sent, when).toMatchObject({ duplicate: false, version: 1 })
      expect(await test.app.send(first)).toMatchObject({ duplicate: true, version: 1 })
      await test.stop()
    }
  })
})

describe('the same command', () => {
  const [{ make }] = kinds as readonly [Kind]

  const again = async (one: Sum, two: Sum): Promise<unknown> => {
    const test = await start(make())
    await test.app.send(Add(one, { id: 'mine' }))
    return test.app.send(Add(two, { id: 'mine' })).then(
      ({ duplicate }) => duplicate,
      (error: unknown) => (error as { code?: unknown }).code,
    )
  }

  it.each<[string, unknown, unknown]>([
    ['keys in another order', { a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 }],
    ['a property that is undefined', { a: 1, b: undefined }, { a: 1 }],
    ['a date and its text', new Date(5), new Date(5).toISOString()],
    ['what has no JSON', 1n, 2n],
    ['what has none any more', 1, 2n],
    ['what had none', 1n, 2],
  ])('may have %s', async (_, one, two) => {
    expect(await again({ n: 1, note: one }, { n: 1, note: two })).toBe(true)
  })

  it.each<[string, unknown, unknown]>([
    ['a list in another order', [1, 2], [2, 1]],
    ['null', null, undefined],
    ['the text of a number', 1, '1'],
    ['another date', new Date(5), new Date(6)],
    ['other letters in a key', { a: 1 }, { A: 1 }],
  ])('has not %s', async (_, one, two) => {
    expect(await again({ n: 1, note: one }, { n: 1, note: two })).toBe('MESSAGE_ID_REUSED')
  })

  it('is found when it is recorded with its keys in another order', async () => {
    const test = await start(make())
    await test.app.send(Ring({ n: 1, note: 2 }, { id: 'mine' }))
    const two = await test.app.send(Ring({ note: 2, n: 1 }, { id: 'mine' }))
    expect(two.duplicate).toBe(true)
  })
})
