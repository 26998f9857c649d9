// A deploy whose version takes types that the running one does without: what is of these types waits for who takes it.
import type { Place } from '../kit/places.ts'
import { aggregate, command, event, handler, plain, saga } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { gate, kinds, look, run } from '../kit/places.ts'

interface Strike {
  readonly bell: string
  readonly n: number
}

const Rung = event('Rung', plain<Strike>())
const Other = event('Other', plain<Strike>())

/** What was heard, by whom, in order. */
const ears = (heard: string[]) => ({
  old: handler('ear', Rung, ({ data }) => void heard.push(`old Rung ${data.n}`)),
  young: handler(
    'ear',
    [Rung, Other],
    ({ type, data }) => void heard.push(`young ${type} ${data.n}`),
  ),
})

const both = (n: number) => [Other({ bell: 'a', n }), Rung({ bell: 'a', n })]

describe.each(kinds)('a handler that gains a type, on $name', ({ make }) => {
  it('loses none of it in a rolling deploy, and is handed over in order', async () => {
    const place = make()
    const heard: string[] = []
    const { old, young } = ears(heard)
    const one = await run(place, (app) => app.use(old).messages(Other))
    await one.app.append({ events: Rung({ bell: 'a', n: 0 }) })
    const two = await run(place, (app) => app.use(young))
    for (let n = 1; n <= 5; n += 1) {
      await two.app.append({ events: both(n) })
      await place.runtime.advance(400)
    }
    await two.settle()
    const expected = [1, 2, 3, 4, 5].flatMap((n) => [`young Other ${n}`, `young Rung ${n}`])
    expect(heard.filter((line) => line.startsWith('young'))).toEqual(expected)
    const [missing] = one.spy.signals.filter(({ name }) => name === 'types-missing')
    expect(missing).toMatchObject({ subscription: 'ear', types: ['Other'] })
    await two.stop()
    await place.runtime.advance('10s')
  })

  it('commits nothing of what the old version has in hand when the new one starts', async () => {
    const place = make()
    const heard: string[] = []
    const door = gate()
    const old = handler('ear', Rung, async ({ data: { n } }, context) => {
      await door.opened
      heard.push(`old ${n}`)
      context.append('ears', Other({ bell: 'old', n }))
    })
    const { young } = ears(heard)
    const one = await run(place, (app) => app.use(old).messages(Other))
    await one.app.append({ events: Rung({ bell: 'a', n: 1 }) })
    await place.runtime.advance(0)
    const two = await run(place, (app) => app.use(young))
    await two.app.append({ events: Other({ bell: 'a', n: 2 }) })
    // It has not looked yet, and does not know.
    door.open()
    await place.runtime.advance(10)
    await two.settle()
    expect(heard).toEqual(['old 1', 'young Rung 1', 'young Other 2'])
    expect(one.spy.signals.map(({ name }) => name)).toContain('lease-lost')
  })

  it('waits for the new version if only the old one is left, until an operator gives the type up', async () => {
    const place = make()
    const heard: string[] = []
    const { old, young } = ears(heard)
    const two = await run(place, (app) => app.use(young))
    await two.stop()
    const one = await run(place, (app) => app.use(old).messages(Other))
    await one.app.append({ events: both(1) })
    await place.runtime.advance('10s')
    expect(heard).toEqual([])
    const on = { database: one.app.database, runtime: place.runtime }
    const { attention } = await admin.status(on)
    expect(attention).toMatchObject([
      {
        name: 'ear',
        what: '2 behind, and no process takes all of Other, Rung',
        advice: 'Start one that does, or: thence subscriptions drop-type ear TYPE',
      },
    ])
    expect(await admin.dropTypes(on, 'ear', { types: ['Other'], reason: 'rolled back' })).toEqual({
      subscription: 'ear',
      dropped: ['Other'],
      types: ['Rung'],
    })
    await one.settle()
    expect(heard).toEqual(['old Rung 1'])
    const [act] = await admin.audit(on)
    expect(act).toMatchObject({ action: 'subscription.drop-type', target: 'ear' })
  })

  it('does not let a restart of the old version take the type away', async () => {
    const place = make()
    const heard: string[] = []
    const { old, young } = ears(heard)
    const two = await run(place, (app) => app.use(young))
    const one = await run(place, (app) => app.use(old).messages(Other))
    await place.runtime.advance('3s')
    await one.app.append({ events: both(1) })
    await two.settle()
    expect(heard).toEqual(['young Other 1', 'young Rung 1'])
    const parts = await look(two)(({ documents }) => documents.get('$parts', 'ear'))
    expect(JSON.parse(parts ?? '{}')).toMatchObject({ types: ['Other', 'Rung'] })
  })

  it('tells once from where on it takes it', async () => {
    const place = make()
    const { old, young } = ears([])
    const one = await run(place, (app) => app.use(old).messages(Other))
    await one.app.append({ events: both(1) })
    await one.settle()
    await one.stop()
    const told: string[] = []
    const quiet = () => undefined
    const logger = { error: quiet, warn: (text: string) => void told.push(text), info: quiet }
    for (let starts = 0; starts < 2; starts += 1) {
      const two = await run(place, (app) => app.use(young), { logger })
      await two.stop()
    }
    expect(told).toEqual([
      'thence: ear: takes Other from position 2 on; what came before was passed over',
    ])
  })

  it('refuses to give up what it does not take', async () => {
    const place = make()
    const one = await run(place, (app) => app.use(ears([]).old))
    const on = { database: one.app.database, runtime: place.runtime }
    await expect(admin.dropTypes(on, 'ear', { types: ['Othr'] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    await expect(admin.dropTypes(on, 'eer', { types: ['Rung'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

const Add = command('Add', plain<Strike>())
const Take = command('Take', plain<Strike>())

const sum = (taken: number[], takes: boolean) =>
  aggregate('sum', {
    initial: () => ({}),
    evolve: (on) => on(Rung, (state) => state),
    decide: (on) => {
      const old = on(Add, (_, { data }) => Rung(data))
      if (!takes) return old
      return old.on(Take, (_, { data }) => {
        taken.push(data.n)
        return Rung(data)
      })
    },
    stream: ({ data }) => data.bell,
  })

/** Starts the version that sends what the older one cannot take, while that one holds the lease. */
const replaced = async (place: Place, old: Parameters<typeof run>[1], young: typeof old) => {
  const one = await run(place, old)
  await one.app.append({ events: Rung({ bell: 'a', n: 0 }) })
  await one.advance('2s')
  const two = await run(place, young)
  await two.app.append({ events: [1, 2, 3].map((n) => Other({ bell: 'a', n })) })
  await place.runtime.advance('3s')
  await two.settle()
}

describe.each(kinds)('a rolling deploy, on $name', ({ make }) => {
  it('loses no recorded command that only the new version of an aggregate takes', async () => {
    const taken: number[] = []
    const asker = handler('asker', Other, ({ data }, context) => context.send(Take(data)))
    await replaced(
      make(),
      (app) => app.use(sum(taken, false)).messages(Other, Take),
      (app) => app.use(sum(taken, true), asker),
    )
    expect(taken).toEqual([1, 2, 3])
  })

  it('loses no message that only the new version of a saga takes', async () => {
    const watch = (noted: number[] | undefined) =>
      saga('watch', {
        startedBy: Rung,
        key: ({ data }) => data.bell,
        on: (on) => {
          const old = on(Rung, () => undefined)
          if (noted === undefined) return old
          return old.on(Other, (_, { data }) => {
            noted.push(data.n)
            return undefined
          })
        },
      })
    const noted: number[] = []
    await replaced(
      make(),
      (app) => app.use(watch(undefined)).messages(Other),
      (app) => app.use(watch(noted)),
    )
    expect(noted).toEqual([1, 2, 3])
  })
})
