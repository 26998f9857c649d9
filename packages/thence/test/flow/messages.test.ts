// Messages through a whole app: any schema library, old versions brought up to date, and metadata that travels.
import { type } from 'arktype'
import {
  aggregate,
  command,
  event,
  handler,
  plain,
  projection,
  query,
  saga,
  step,
  documents,
} from 'thence'
import type { Recorded } from 'thence'
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { all, kinds, look, run } from '../kit/places.ts'

const byZod = event('ByZod', z.object({ name: z.string(), age: z.number().default(1) }))
const byValibot = event(
  'ByValibot',
  v.object({ name: v.pipe(v.string(), v.trim()), age: v.number() }),
)
const byArktype = event('ByArktype', type({ name: 'string', age: 'number>0' }))
const byType = event('ByType', plain<{ name: string; age: number }>())
const definitions = [byZod, byValibot, byArktype, byType] as const

describe.each(kinds)('messages on $name', ({ make }) => {
  it('are checked and shaped by the schema of any library', async () => {
    const heard: Recorded[] = []
    const test = await run(make(), (app) =>
      app.use(handler('ear', [...definitions], (message) => void heard.push(message))),
    )
    await test.app.append({
      events: [
        byZod({ name: 'z' }),
        byValibot({ name: ' v ', age: 2 }),
        byArktype({ name: 'a', age: 3 }),
        byType({ name: 't', age: 4 }),
      ],
    })
    await test.settle()
    expect(heard.map(({ data }) => data)).toEqual([
      { name: 'z', age: 1 },
      { name: 'v', age: 2 },
      { name: 'a', age: 3 },
      { name: 't', age: 4 },
    ])
  })

  it.each([
    ['zod', byZod({ name: 7 as never })],
    ['valibot', byValibot({ name: 7 as never, age: 1 })],
    ['arktype', byArktype({ name: 7 as never, age: 1 })],
  ])(
    'that do not fit their %s schema are refused with the path, and nothing is written',
    async (_, wrong) => {
      const test = await run(make(), (app) => app.messages(...definitions))
      const appended = test.app.append({ events: [byType({ name: 't', age: 1 }), wrong] })
      await expect(appended).rejects.toMatchObject({
        code: 'SCHEMA_INVALID',
        details: { type: wrong.type, issues: [{ path: 'name' }] },
      })
      expect(await all(test.app.log())).toEqual([])
    },
  )

  it('of older versions are brought up to date when they are read, however old', async () => {
    const place = make()
    const first = event('Moved', z.object({ to: z.string() }))
    const second = first.upcast(z.object({ city: z.string() }), ({ to }) => ({ city: to }))
    const third = second.upcast(
      z.object({ city: z.string(), land: z.string().default('?') }),
      (old) => old,
    )
    const fourth = third.upcast(
      z.object({ place: z.object({ city: z.string(), land: z.string() }) }),
      (old) => ({ place: old }),
    )
    const written = [
      [first, { to: 'Rome' }],
      [second, { city: 'Oslo' }],
      [third, { city: 'Bern', land: 'CH' }],
      [fourth, { place: { city: 'Lima', land: 'PE' } }],
    ] as const
    for (const [definition, data] of written) {
      const old = await run(place, (app) => app.messages(definition))
      await old.app.append({ stream: 'moves', events: definition(data as never) })
      await old.stop()
    }
    const seen: Recorded[] = []
    const test = await run(place, (app) => app.handle('ear', fourth, (one) => void seen.push(one)))
    await test.settle()
    expect(seen.map(({ data }) => data)).toEqual([
      { place: { city: 'Rome', land: '?' } },
      { place: { city: 'Oslo', land: '?' } },
      { place: { city: 'Bern', land: 'CH' } },
      { place: { city: 'Lima', land: 'PE' } },
    ])
    expect(seen.map(({ schemaVersion }) => schemaVersion)).toEqual([4, 4, 4, 4])
    const stored = await look(test)(({ events }) => events.readStream('moves', { limit: 9 }))
    expect(stored.map(({ schemaVersion }) => schemaVersion)).toEqual([1, 2, 3, 4])
    expect(stored[0]?.data).toBe('{"to":"Rome"}')
  })

  it('whose upcast fails, or comes from the future, become dead letters with a typed error', async () => {
    const place = make()
    const first = event('Moved', plain<{ to: string }>())
    const second = first.upcast(z.object({ to: z.string().min(3) }), (old) => old)
    const third = second.upcast(plain<{ to: string }>(), (old) => old)
    const old = await run(place, (app) => app.messages(first))
    await old.app.append({ stream: 'short', events: first({ to: 'x' }) })
    await old.app.append({ stream: 'fine', events: first({ to: 'Rome' }) })
    await old.stop()
    const future = await run(place, (app) => app.messages(third))
    await future.app.append({ stream: 'future', events: third({ to: 'Mars' }) })
    await future.stop()
    const seen: string[] = []
    const test = await run(place, (app) =>
      app.handle('ear', second, ({ data }) => void seen.push(data.to)),
    )
    await test.settle()
    expect(seen).toEqual(['Rome'])
    const letters = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 9 }))
    expect(letters.map(({ key, errorCode }) => [key, errorCode])).toEqual([
      ['short', 'MESSAGE_UNREADABLE'],
      ['future', 'MESSAGE_FROM_FUTURE'],
    ])
  })

  it('are deeply frozen unless the app is told not to', async () => {
    const change = ({ data }: Recorded): void => {
      ;(data as { list: number[] }).list.push(1)
    }
    const Listed = event('Listed', plain<{ list: number[] }>())
    for (const freeze of [true, false]) {
      const test = await run(make(), (app) => app.handle('ear', Listed, change), { freeze })
      const { events } = await test.app.append({ events: Listed({ list: [] }) })
      await test.spy.until(
        'the message to be handled',
        () => test.spy.signals.length > 0 || !freeze,
      )
      await test.runtime.rest()
      expect(test.spy.signals.length > 0).toBe(freeze)
      expect(Object.isFrozen(events[0]?.data)).toBe(freeze)
      await test.stop()
    }
  })

  it('are deeply frozen in development and not in production', async () => {
    const Listed = event('Listed', plain<{ list: number[] }>())
    for (const [environment, frozen] of [
      ['development', true],
      ['production', false],
    ] as const) {
      vi.stubEnv('NODE_ENV', environment)
      const test = await run(make(), (app) => app.messages(Listed))
      const { events } = await test.app.append({ events: Listed({ list: [] }) })
      for (const { data } of [...events, ...(await all(test.app.log()))])
        expect(Object.isFrozen((data as { list: number[] }).list), environment).toBe(frozen)
      await test.stop()
    }
    vi.unstubAllEnvs()
  })

  it('do not change with the object that they were made of', async () => {
    const Listed = event('Listed', plain<{ list: number[] }>())
    const test = await run(make(), (app) => app.messages(Listed), { freeze: false })
    const data = { list: [1] }
    const appended = test.app.append({ events: Listed(data) })
    data.list.push(2)
    await appended
    expect((await all(test.app.log()))[0]?.data).toEqual({ list: [1] })
  })
})

describe.each(kinds)('metadata on $name', ({ make }) => {
  const Open = command('Open', plain<{ id: string }>())
  const Opened = event('Opened', plain<{ id: string }>())
  const Greet = command('Greet', plain<{ id: string }>())
  const Greeted = event('Greeted', plain<{ id: string }>())
  const Seen = query('Seen', { input: plain<string>(), output: plain<unknown>() })
  const door = aggregate('door', {
    initial: () => null,
    evolve: (on) => on(Opened, () => null),
    decide: (on) => on(Open, (_, { data }) => Opened(data)),
    stream: ({ data }) => data.id,
  })
  const welcome = saga('welcome', {
    startedBy: Opened,
    key: ({ data }) => data.id,
    steps: [step('greeting', { do: Greet, done: Greeted, timeout: '1m' })],
  })
  const host = handler('host', Greet, ({ data }, context) =>
    context.append('greetings', Greeted(data)),
  )
  const book = projection('book', {
    view: documents<{ tenant: unknown }>(),
    on: (on) =>
      on(Greeted, ({ data, metadata }, view) =>
        view.put(data.id, { tenant: metadata.user?.['tenant'] ?? null }),
      ),
    answers: (on) => on(Seen, (id, view) => view.get(id)),
  })

  it('travels from a command to all that follows, each with its cause', async () => {
    const test = await run(make(), (app) => app.use(door, welcome, host, book))
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const own = {
      correlationId: 'request-7',
      traceparent,
      tracestate: 'a=b',
      user: { tenant: 't1' },
    }
    await test.app.send(Open({ id: 'd' }, { id: 'open-1', metadata: own }))
    await test.settle()
    const log = await all(test.app.log())
    expect(log.map((message) => message.type)).toEqual([
      'Opened',
      'welcome.started',
      'Greet',
      'Greeted',
      'welcome.stepDone',
      'welcome.finished',
    ])
    for (const { metadata } of log) expect(metadata).toMatchObject(own)
    const causes = log.map(({ metadata }) => metadata.causationId)
    const [opened, , greet, greeted] = log.map(({ id }) => id)
    expect(causes).toEqual(['open-1', opened, opened, greet, greeted, greeted])
    expect(await test.app.ask(Seen('d'))).toEqual({ tenant: 't1' })
  })

  it('begins a correlation of its own where there is none', async () => {
    const test = await run(make(), (app) => app.use(door, welcome, host))
    await test.app.send(Open({ id: 'd' }, { id: 'open-1' }))
    await test.app.send(Open({ id: 'e' }, { id: 'open-2' }))
    await test.settle()
    for (const message of await all(test.app.log())) {
      const expected = JSON.stringify(message.data).includes('"d"') ? 'open-1' : 'open-2'
      const of =
        message.stream === 'welcome-d'
          ? 'open-1'
          : message.stream === 'welcome-e'
            ? 'open-2'
            : expected
      expect(message.metadata.correlationId, message.type).toBe(of)
    }
    const found = await look(test)(({ events }) => events.find({ correlationId: 'open-1' }))
    expect(found).toHaveLength(6)
  })

  it('travels through a timer', async () => {
    const test = await run(make(), (app) =>
      app.use(
        door,
        welcome,
        handler('host', Greet, () => undefined),
      ),
    )
    await test.app.send(Open({ id: 'd' }, { id: 'open-1', metadata: { user: { tenant: 't1' } } }))
    await test.settle()
    await test.advance('61s')
    const last = (await all(test.app.log())).at(-1)
    expect(last).toMatchObject({
      type: 'welcome.finished',
      metadata: { correlationId: 'open-1', user: { tenant: 't1' } },
    })
  })
})
