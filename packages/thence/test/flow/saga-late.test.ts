// What reaches a saga late, or in another shape than it was remembered: timers that were cancelled while their message
// was already in the log, events of an older version, keys that name no stream.
import type { App } from 'thence'
import { command, event, plain, saga, step } from 'thence'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

type Order = { readonly id: string }
const shape = plain<Order>()
const Placed = event('Placed', shape)
const Paid = event('Paid', shape)
const Asked = event('Asked', shape)
const Declined = event('Declined', shape)
const Charge = command('Charge', shape)
const Cancel = command('Cancel', shape)

const key = ({ data }: { readonly data: Order }): string => data.id
const id = '1'

const typesIn = async (app: Pick<App, 'stream'>, stream: string): Promise<readonly string[]> =>
  (await all(app.stream(stream))).map(({ type }) => type)

/** The codes of the errors for which messages are parked. */
const parkedFor = async (test: Parameters<typeof look>[0]): Promise<readonly unknown[]> => {
  const letters = await look(test)(({ deadLetters }) =>
    deadLetters.list({ state: 'parked', limit: 10 }),
  )
  return letters.map(({ errorCode }) => errorCode)
}

type Happening = ReturnType<typeof Paid | typeof Asked | typeof Declined>

/** Time passes in a process without the saga, whose clock fires what is due after this has happened. */
const elsewhere = async (place: Place, happens: Happening): Promise<void> => {
  const other = await run(place, (app) => app.messages(Placed, Paid, Asked, Declined))
  await other.app.append({ events: happens })
  await other.advance('2m')
  await other.stop()
}

describe.each(kinds)('a timer that fired before the saga could stop it, on $name', ({ make }) => {
  const waiting = saga('waiting', {
    startedBy: Placed,
    key,
    on: (on) =>
      on(Placed, () => ({ timer: { name: 'late', in: '1m' } }))
        .on(Paid, () => ({ cancelTimer: 'late' }))
        .on(Asked, () => ({ timer: { name: 'late', in: '1h' } })),
    onTimer: ({ key: order }) => ({ send: Cancel({ id: order }) }),
  })
  const open = (place: Place) =>
    run(place, (app) => app.use(waiting).handle('desk', Cancel, () => undefined))
  const begin = async (): Promise<Place> => {
    const place = make()
    const test = await open(place)
    await test.app.append({ events: Placed({ id }) })
    await test.settle()
    await test.stop()
    return place
  }

  it('does nothing when it was cancelled', async () => {
    const place = await begin()
    await elsewhere(place, Paid({ id }))
    const test = await open(place)
    await test.settle()
    expect(await typesIn(test.app, 'waiting.timers')).toEqual(['waiting.timerFired'])
    expect(await typesIn(test.app, 'waiting-1')).not.toContain('Cancel')
  })

  it('does nothing when it was set anew, and the new one fires', async () => {
    const place = await begin()
    await elsewhere(place, Asked({ id }))
    const test = await open(place)
    await test.settle()
    expect(await typesIn(test.app, 'waiting-1')).not.toContain('Cancel')
    // Read from the stream once more: the timer that is open is part of the state.
    await test.stop()
    const again = await open(place)
    await again.advance('2h')
    expect((await typesIn(again.app, 'waiting-1')).filter((type) => type === 'Cancel')).toEqual([
      'Cancel',
    ])
  })

  it('does nothing when its step has failed meanwhile', async () => {
    const place = make()
    const retry = { attempts: 2, base: 1000, cap: 1000 }
    const paying = saga('paying', {
      startedBy: Placed,
      key,
      steps: [
        step('pay', {
          do: Charge,
          done: Paid,
          failed: Declined,
          undo: Cancel,
          timeout: '1m',
          retry,
        }),
      ],
    })
    const start = () =>
      run(place, (app) => app.use(paying).handle('bank', [Charge, Cancel], () => undefined))
    const before = await start()
    await before.app.append({ events: Placed({ id }) })
    await before.settle()
    await before.stop()
    await elsewhere(place, Declined({ id }))
    const after = await start()
    await after.advance('2s')
    expect(await typesIn(after.app, 'paying-1')).toEqual([
      'paying.started',
      'Charge',
      'paying.stepFailed',
      'Charge',
    ])
  })
})

describe.each(kinds)('a saga across versions and restarts on $name', ({ make }) => {
  it('gives the data of what it saw in the shape of today', async () => {
    const first = event('Sold', plain<{ id: string; name: string }>())
    const second = first.upcast(plain<{ id: string; buyer: { name: string } }>(), (old) => ({
      id: old.id,
      buyer: { name: old.name },
    }))
    const third = second.upcast(plain<{ id: string; buyer: { names: string[] } }>(), (old) => ({
      id: old.id,
      buyer: { names: [old.buyer.name] },
    }))
    const Greet = command('Greet', plain<{ names: readonly string[] }>())
    const selling = (Sold: typeof third) =>
      saga('selling', {
        startedBy: Sold,
        key: ({ data }) => data.id,
        steps: [
          step('pay', { do: ({ key: order }) => Charge({ id: order }), done: Paid }),
          step('greet', {
            do: ({ data }) => Greet({ names: data(Sold).buyer.names }),
            done: Asked,
          }),
        ],
      })
    const place = make()
    const greeted: unknown[] = []
    const start = (Sold: typeof third) =>
      run(place, (app) =>
        app
          .use(selling(Sold))
          .handle('bank', Charge, () => undefined)
          .handle('desk', Greet, ({ data }) => void greeted.push(data)),
      )
    const old = await start(first as never)
    await old.app.append({ events: first({ id: 'a', name: 'Ann' }) })
    await old.settle()
    await old.stop()
    const middle = await start(second as never)
    await middle.app.append({ events: second({ id: 'b', buyer: { name: 'Bo' } }) })
    await middle.settle()
    await middle.stop()
    const today = await start(third)
    await today.app.append({ events: [Paid({ id: 'a' }), Paid({ id: 'b' })] })
    await today.settle()
    expect(greeted).toEqual([{ names: ['Ann'] }, { names: ['Bo'] }])
  })

  it('parks what an older program cannot read in what was seen', async () => {
    const first = event('Sold', shape)
    const second = first.upcast(plain<{ id: string; of: number }>(), ({ id: order }) => ({
      id: order,
      of: 1,
    }))
    const selling = (Sold: typeof first) =>
      saga('selling', {
        startedBy: Sold,
        key,
        on: (on) => on(Asked, ({ data }) => ({ send: Cancel({ id: data(Sold).id }) })),
      })
    const place = make()
    const start = (Sold: typeof first) =>
      run(place, (app) => app.use(selling(Sold)).handle('desk', Cancel, () => undefined))
    const today = await start(second as never)
    await today.app.append({ events: second({ id, of: 2 }) })
    await today.settle()
    await today.stop()
    const back = await start(first)
    await back.app.append({ events: Asked({ id }) })
    await back.settle()
    expect(await parkedFor(back)).toEqual(['MESSAGE_FROM_FUTURE'])
  })

  it('remembers the same state before and after a restart', async () => {
    const states: unknown[] = []
    const keeping = saga('keeping', {
      startedBy: Placed,
      key,
      state: () => undefined as { n: number; gone?: undefined } | undefined,
      on: (on) =>
        on(Placed, () => ({ state: { n: 1, gone: undefined } }))
          .on(Paid, () => ({ state: undefined }))
          .on(Asked, ({ state }) => void states.push(state)),
    })
    const place = make()
    for (const events of [[Placed({ id }), Paid({ id }), Asked({ id })], [Asked({ id })]]) {
      const test = await run(place, (app) => app.use(keeping))
      await test.app.append({ events })
      await test.settle()
      await test.stop()
    }
    expect(states.map((state) => JSON.stringify(state))).toEqual(['{"n":1}', '{"n":1}'])
    expect(states[0]).toStrictEqual(states[1])
  })

  it('parks a message whose key could name no stream, and nothing else', async () => {
    const keyed = saga('keyed', {
      startedBy: Placed,
      key,
      on: (on) => on(Placed, () => ({ complete: true })),
    })
    const test = await run(make(), (app) => app.use(keyed))
    for (const bad of ['', 'a\nb', 'x'.repeat(5000)])
      await test.app.append({ stream: `shop-${bad.length}`, events: Placed({ id: bad }) })
    await test.app.append({ events: Placed({ id }) })
    await test.settle()
    expect(await parkedFor(test)).toEqual(Array(3).fill('NAME_INVALID'))
    expect(await typesIn(test.app, 'keyed-1')).toContain('keyed.finished')
  })

  it('sends what the last reaction asked for, and says that it ended after that', async () => {
    const thanking = saga('thanking', {
      startedBy: Placed,
      key,
      steps: [step('pay', { do: Charge, done: Paid })],
      on: (on) => on(Paid, (_, { data }) => ({ send: Cancel(data) })),
    })
    const test = await run(make(), (app) =>
      app.use(thanking).handle('all', [Charge, Cancel], () => undefined),
    )
    await test.app.append({ events: [Placed({ id }), Paid({ id })] })
    await test.settle()
    expect(await typesIn(test.app, 'thanking-1')).toEqual([
      'thanking.started',
      'Charge',
      'thanking.stepDone',
      'thanking.reacted',
      'Cancel',
      'thanking.finished',
    ])
  })
})
