// What a handler asks of the store commits once, together with its checkpoint, wherever the process dies.
import type { Database } from 'thence'
import { command, event, handler, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import type { When } from '../kit/faults.ts'
import { faulty, fillable, losable, slowly } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { all, file, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ n: number }>())
const Heard = event('Heard', plain<{ n: number }>())
const Answer = command('Answer', plain<{ n: number }>())
const Answered = event('Answered', plain<{ n: number }>())

/** Each ring is heard once, counted once, and answered once. */
const ear = handler('ear', Rung, ({ data, id }, context) => {
  context.append('ears', Heard(data))
  context.send(Answer(data))
  context.within(async ({ documents }) => {
    const before = Number((await documents.get('counts', id)) ?? '0')
    await documents.put('counts', id, `${before + 1}`)
  })
})

const mouth = handler('mouth', Answer, ({ data }, context) =>
  context.append('said', Answered(data)),
)

const rings = 7

const start = (place: Place, around?: (one: Database) => Database) =>
  run(
    place,
    (one) => one.use(ear, mouth).messages(Heard, Answered),
    around === undefined ? {} : { around },
  )

/** Every effect is there once, in order. */
const checkOnce = async (place: Place): Promise<void> => {
  const test = await start(place)
  await test.settle()
  const log = await all(test.app.log())
  const numbers = (wanted: string) =>
    log.filter(({ type }) => type === wanted).map(({ data }) => (data as { n: number }).n)
  const expected = [...Array(rings).keys()]
  for (const type of ['Rung', 'Heard', 'Answer', 'Answered'])
    expect(numbers(type), type).toEqual(expected)
  const counts = await look(test)(({ documents }) => documents.list('counts', { limit: 100 }))
  expect(counts.map(({ value }) => value)).toEqual(Array(rings).fill('1'))
  await test.stop()
}

const events = Array.from({ length: rings }, (_, n) => Rung({ n }))

describe.each(kinds)('effects on $name', ({ make }) => {
  it('happen when the handler has succeeded', async () => {
    const place = make()
    const test = await start(place)
    await test.app.append({ events })
    await test.settle()
    await test.stop()
    await checkOnce(place)
  })

  it('do not happen when the handler fails after it asked for them', async () => {
    const place = make()
    let broken = true
    const clumsy = handler('ear', Rung, {
      retry: { attempts: 2 },
      run: async (message, context) => {
        await ear.run(message, context)
        if (broken) throw new Error('after all')
      },
    })
    const test = await run(place, (one) => one.use(clumsy, mouth).messages(Heard, Answered))
    await test.app.append({ events: events.slice(0, 1) })
    await test.settle()
    expect((await all(test.app.log())).map(({ type }) => type)).toEqual(['Rung'])
    const counts = await look(test)(({ documents }) => documents.list('counts', { limit: 1 }))
    expect(counts).toEqual([])
    broken = false
  })

  it('do not happen when one of them cannot, and the message is held to account', async () => {
    const test = await run(make(), (one) =>
      one.messages(Heard).handle('ear', Rung, {
        retry: { attempts: 1 },
        run: ({ data }, context) => {
          context.append('ears', Heard(data))
          context.within(() => {
            throw new Error('the row is locked')
          })
        },
      }),
    )
    await test.app.append({ events: events.slice(0, 1) })
    await test.settle()
    expect((await all(test.app.log())).map(({ type }) => type)).toEqual(['Rung'])
    expect(test.spy.signals.map(({ name }) => name)).toEqual(['message-parked'])
  })

  it.each(['before the commit', 'after the commit', 'instead of the commit'] as const)(
    'happen once whichever write is lost %s',
    async (when: When) => {
      for (let lost = 0; lost < 16; lost += 1) {
        const place = make()
        let armed = false
        let since = 0
        const chosen = (): When | undefined => {
          if (!armed) return undefined
          since += 1
          return since === lost + 1 ? when : undefined
        }
        const test = await start(place, (one) => faulty(one, chosen).database)
        await test.app.append({ events })
        armed = true
        await test.settle()
        await test.stop()
        await checkOnce(place)
      }
    },
  )

  it('happen once when every third write fails, before and after its commit', async () => {
    const place = make()
    let armed = false
    const chosen = (write: number): When | undefined => {
      if (!armed || write % 3 !== 0) return undefined
      return write % 2 === 0 ? 'before the commit' : 'after the commit'
    }
    const test = await start(place, (one) => faulty(one, chosen).database)
    await test.app.append({ events })
    armed = true
    await test.settle()
    armed = false
    expect(test.spy.signals.every(({ name }) => name === 'subscription-failed')).toBe(true)
    await test.stop()
    await checkOnce(place)
  })

  it('are not given up when the disk is full in the middle of them', async () => {
    const place = make()
    let left = 0
    const full = (): boolean => {
      left -= 1
      return left >= 0
    }
    const test = await start(place, (one) => fillable(one, full))
    await test.app.append({ events })
    left = 30
    await test.settle()
    expect(left).toBeLessThan(0)
    expect(new Set(test.spy.signals.map(({ name }) => name))).toEqual(
      new Set([
        'subscription-failed',
        'store-failing',
        'subscription-recovered',
        'store-recovered',
      ]),
    )
    await test.stop()
    await checkOnce(place)
  })

  it('happen once when the process is killed after any write', async () => {
    for (let writes = 0; writes < 12; writes += 1) {
      const place = make()
      let seen = 0
      let armed = false
      const killed = Promise.withResolvers<void>()
      const test = await start(place, (one) => {
        const victim = losable(one)
        const die = (): undefined => {
          if (armed) seen += 1
          if (seen !== writes + 1) return undefined
          victim.lose()
          killed.resolve()
          return undefined
        }
        return faulty(victim.database, die).database
      })
      armed = true
      await test.app.append({ events }).catch(() => undefined)
      await test.runtime.until(
        Promise.race([killed.promise, test.app.whenIdle().catch(() => undefined)]),
      )
      await test.runtime.until(test.app.stop().catch(() => undefined))
      const after = await start(place)
      if ((await all(after.app.log({ limit: 1 }))).length === 0) await after.app.append({ events })
      await after.settle()
      await after.stop()
      await checkOnce(place)
    }
  })
})

describe('two apps on one file', () => {
  it('share the retries of one handler without doing its effects twice', async () => {
    const place = file.make()
    const failed = new Set<string>()
    const clumsy = handler('ear', Rung, {
      key: ({ id }) => id,
      retry: { attempts: 9, base: 50, cap: 50 },
      run: async (message, context) => {
        await ear.run(message, context)
        if (failed.has(message.id)) return
        failed.add(message.id)
        throw new Error('the first time')
      },
    })
    const open = () =>
      run(place, (one) => one.use(clumsy, mouth).messages(Heard, Answered), { around: slowly })
    const both = [await open(), await open()] as const
    await both[0].app.append({ events })
    for (const test of both) await test.settle()
    for (let round = 0; round < 5; round += 1) await place.runtime.advance('1s')
    const heard = await all(both[0].app.log({ query: [{ types: ['Heard'] }] }))
    expect(heard.map(({ data }) => (data as { n: number }).n).toSorted((a, b) => a - b)).toEqual([
      ...Array(rings).keys(),
    ])
    const counts = await look(both[0])(({ documents }) => documents.list('counts', { limit: 100 }))
    expect(counts.map(({ value }) => value)).toEqual(Array(rings).fill('1'))
  })
})
