// What is old enough and needed by somebody is kept.
import type { Archive, RetentionOptions, SnapshotOptions } from 'thence'
import { command, event, plain, saga, step } from 'thence'
import { discard, redrive, retain } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { account, Deposit } from '../kit/account.ts'
import type { Keeper, Keeping } from '../kit/keeping.ts'
import { click, Clicked, keep, left, oldClicks, Paid, start } from '../kit/keeping.ts'
import type { Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

describe.each(kinds)('retention of aggregates on $name', ({ make }) => {
  const rule = { category: 'account', olderThan: '1m' } as const
  const begin = (place: Place, snapshot: SnapshotOptions) =>
    run(place, (app) => app.use(account(snapshot)), keep([rule]))
  const deposit = (test: Pick<Awaited<ReturnType<typeof begin>>, 'app' | 'runtime'>) =>
    test.runtime.until(test.app.send(Deposit({ id: 'a', by: 1 })))

  it.each([
    ['taken before', 2],
    ['that it takes itself', 1000],
  ])('goes up to a snapshot %s, and the aggregate goes on where it was', async (_, every) => {
    const test = await begin(make(), { every })
    for (let n = 0; n < 5; n += 1) await deposit(test)
    await test.advance('75s')
    const { snapshots, events } = await look(test)(async (transaction) => ({
      snapshots: await transaction.snapshots.load('account-a', 'account/1'),
      events: await transaction.events.stream('account-a'),
    }))
    expect(events?.trimmed).toBe(5)
    expect(snapshots?.version).toBe(5)
    await deposit(test)
    const [last] = await all(test.app.stream('account-a'))
    expect([last?.version, last?.data]).toEqual([6, { total: 6 }])
  })
})

/** Has a message wait in retries. */
const wait = (test: Pick<Keeper, 'app'>, position: number): Promise<void> =>
  test.app.database.transact(({ retries }) =>
    retries.put({
      subscription: 'mail',
      key: '',
      hash: 0,
      position,
      messageId: `m${position}`,
      state: 'parked',
      attempts: 1,
      due: 0,
      history: [],
    }),
  )

describe.each(kinds)('what is needed is kept on $name:', ({ make }) => {
  it('what a subscription has not read, until it has, or is said not to come back', async () => {
    const place = make()
    const seen: number[] = []
    const reading = (options: Keeping) =>
      run(
        place,
        (app) =>
          app.messages(Clicked, Paid).handle('mail', Clicked, ({ data }) => void seen.push(data.n)),
        options,
      )
    const first = await reading({})
    await click(first, 'clicks-1', 1)
    await first.settle()
    await first.stop()
    const without = await start(place, keep([oldClicks, { stream: 'paid', olderThan: '1m' }]))
    await click(without, 'clicks-1', 2)
    await without.app.append({ stream: 'paid', events: Paid({ n: 3 }) })
    await without.advance('75s')
    expect(await left(without, 'clicks-1')).toEqual([2])
    // Others are not held up by it.
    expect(await left(without, 'paid')).toEqual([])
    await without.stop()
    const again = await reading(keep([oldClicks]))
    await again.advance('25s')
    expect(seen).toEqual([1, 2])
    expect(await left(again, 'clicks-1')).toEqual([])
    await again.stop()
    const ignoring = await start(place, keep([oldClicks], { ignore: ['mail'] }))
    await click(ignoring, 'clicks-1', 4)
    await ignoring.advance('75s')
    expect(await left(ignoring, 'clicks-1')).toEqual([])
  })

  it('what waits in retries, until it does not wait any more', async () => {
    const place = make()
    let broken = true
    const failing = (options: Keeping) =>
      run(
        place,
        (app) =>
          app.handle('mail', Clicked, {
            key: ({ stream }) => stream,
            retry: { attempts: 1 },
            run: ({ data }) => {
              if (broken && data.n === 2) throw new Error('no mail')
            },
          }),
        options,
      )
    const test = await failing(keep([oldClicks]))
    await click(test, 'clicks-1', 1, 2, 3)
    await click(test, 'clicks-2', 4)
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toEqual([2, 3])
    expect(await left(test, 'clicks-2')).toEqual([])
    const held = test.spy.signals.findLast(({ name }) => name === 'retention-run')
    expect(held).toMatchObject({ held: 1 })
    broken = false
    const [letter] = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 1 }))
    const { database } = test.app
    await redrive({ database, runtime: test.runtime }, letter?.id ?? '')
    await test.advance('25s')
    expect(await left(test, 'clicks-1')).toEqual([])
  })

  it('what an operator gave up and may restore, until that is forgotten', async () => {
    const failing = run(
      make(),
      (app) =>
        app.handle('mail', Clicked, {
          key: ({ stream }) => stream,
          retry: { attempts: 1 },
          run: ({ data }) => {
            if (data.n === 2) throw new Error('no mail')
          },
        }),
      keep([oldClicks], { deadLetters: '20s' }),
    )
    const test = await failing
    const { database } = test.app
    await click(test, 'clicks-1', 1, 2, 3)
    await test.advance('55s')
    const [letter] = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 1 }))
    await discard({ database, runtime: test.runtime }, letter?.id ?? '', 'not needed')
    await test.advance('18s')
    expect(await left(test, 'clicks-1')).toEqual([2, 3])
    await test.advance('30s')
    expect(await left(test, 'clicks-1')).toEqual([])
  })

  it('all of a long stream, if it goes as a whole and its end is needed', async () => {
    const rule = { ...oldClicks, remove: 'streams', tombstone: true } as const
    const test = await start(make(), keep([rule]))
    const many = Array.from({ length: 700 }, (_, n) => Clicked({ n }))
    await test.app.append({ stream: 'clicks-1', events: many })
    await wait(test, 600)
    await test.advance('75s')
    expect(await look(test)(({ events }) => events.stream('clicks-1'))).toMatchObject({
      trimmed: 0,
      tombstone: false,
    })
  })

  it('a stream that has gone on while it was archived', async () => {
    const archive: Archive = async () => {
      await click(test, 'clicks-1', 2)
    }
    const rule = { ...oldClicks, remove: 'streams', archive } as const
    const test = await start(make(), keep([rule]))
    await click(test, 'clicks-1', 1)
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toEqual([1, 2])
  })

  it('what has come to wait while it was archived', async () => {
    const place = make()
    const taken: number[] = []
    const archive: Archive = async (messages) => {
      taken.push(...messages.map(({ position }) => position))
      if (taken.length === 2) await wait(test, 2)
    }
    const test = await start(place, keep([{ ...oldClicks, archive }]))
    await click(test, 'clicks-1', 1)
    await click(test, 'clicks-2', 2)
    await test.advance('75s')
    expect(taken).toEqual([1, 2])
    expect(await left(test, 'clicks-1')).toEqual([])
    expect(await left(test, 'clicks-2')).toEqual([2])
  })
})

const Begun = event('Begun', plain<{ id: string }>())
const Work = command('Work', plain<{ id: string }>())
const Call = command('Call', plain<{ id: string }>())
const Worked = event('Worked', plain<{ id: string }>())

const jobs = saga('jobs', {
  startedBy: Begun,
  key: ({ data }) => data.id,
  steps: [step('work', { do: Work, done: Worked, timeout: '10s', retry: { attempts: 50 } })],
})

/** One that nothing reminds. */
const calls = saga('calls', {
  startedBy: Begun,
  key: ({ data }) => data.id,
  steps: [step('call', { do: Call, done: Worked })],
})

describe.each(kinds)('retention of sagas on $name', ({ make }) => {
  it('ends instances that have ended, and leaves those that are open', async () => {
    const rules = ['jobs', 'calls'].map(
      (category) => ({ category, olderThan: '1m', remove: 'streams', tombstone: true }) as const,
    )
    const done: string[] = []
    const test = await run(
      make(),
      (app) =>
        app.use(jobs, calls).handle('worker', [Work, Call], ({ data }, { append }) => {
          done.push(data.id)
          if (data.id === 'quick') append('work', Worked(data))
        }),
      keep(rules, { timers: '20s' }),
    )
    await test.app.append({ events: [Begun({ id: 'quick' }), Begun({ id: 'slow' })] })
    await test.advance('30s')
    const on = { database: test.app.database, runtime: test.runtime }
    const heldOf = async (key: string) => {
      const rule = { stream: `jobs-${key}`, olderThan: '1ms' } as const
      return (await retain(on, { rule, dryRun: true })).rules
    }
    expect(await heldOf('slow')).toMatchObject([{ removed: 0, held: [{ reason: 'saga' }] }])
    // It has ended, but goes only as a whole.
    expect(await heldOf('quick')).toMatchObject([{ removed: 0, held: [{ reason: 'whole' }] }])
    await test.advance('60s')
    const streams = await look(test)(({ events }) => events.streams({ prefix: 'jobs-', limit: 9 }))
    expect(streams).toMatchObject([
      { stream: 'jobs-quick', tombstone: true },
      { stream: 'jobs-slow', tombstone: false, trimmed: 0 },
    ])
    const others = await look(test)(({ events }) => events.streams({ prefix: 'calls-', limit: 9 }))
    expect(others).toMatchObject([
      { stream: 'calls-quick', tombstone: true },
      { stream: 'calls-slow', tombstone: false, trimmed: 0 },
    ])
    const timers = await look(test)(({ events }) => events.stream('jobs.timers'))
    expect(timers?.trimmed).toBeGreaterThan(0)
    done.length = 0
    await test.app.append({ events: Begun({ id: 'quick' }) })
    await test.settle()
    expect(done).not.toContain('quick')
    expect(test.spy.signals.filter(({ name }) => name === 'message-failed')).toEqual([])
  })
})

describe('a retention that is not meant so', () => {
  const rules: readonly [string, RetentionOptions, RegExp][] = [
    ['names nothing', { log: [{ olderThan: '1d' }] }, /either a category or a stream/],
    ['names both', { log: [{ category: 'a', stream: 'b', olderThan: 1 }] }, /either a category/],
    ['has no such age', { log: [{ category: 'a', olderThan: 'x' as never }] }, /olderThan/],
    [
      'removes something else',
      { log: [{ stream: 'a', olderThan: 1, remove: 'x' as never }] },
      /one of messages, streams/,
    ],
    [
      'ends what goes by message',
      { log: [{ stream: 'a', olderThan: 1, tombstone: true }] },
      /tombstone/,
    ],
    ['says it twice', { log: [oldClicks, oldClicks] }, /Two retention rules/],
    ['never rests', { every: 10 }, /at least one second/],
    [
      'would break an aggregate',
      { log: [{ category: 'account', olderThan: 1 }] },
      /takes no snapshots/,
    ],
    ['would break a saga', { log: [{ category: 'jobs', olderThan: 1 }] }, /whole stream/],
    [
      'is about an impossible name',
      { log: [{ category: 'a-b', olderThan: 1 }] },
      /must not contain/,
    ],
  ]
  it.each(rules)('is refused: it %s', async (_, retention, message) => {
    const place = (kinds[0] as (typeof kinds)[number]).make()
    const build = run(
      place,
      (app) => app.use(account(), jobs).handle('worker', Work, () => undefined),
      { retention },
    )
    await expect(build).rejects.toThrow(message)
  })
})
