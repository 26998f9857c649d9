// Streams of which messages were removed, and streams that were ended: nothing goes on as if they were whole.
import type { SnapshotOptions } from 'thence'
import { command, event, handler, plain, saga, step } from 'thence'
import { sagas } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { account, Deposit, Deposited } from '../kit/account.ts'
import type { Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

const start = (place: Place, snapshot?: SnapshotOptions) =>
  run(place, (app) => app.use(account(snapshot)))

type Run = Awaited<ReturnType<typeof start>>

const deposit = async (test: Run, times: number, id = 'a'): Promise<void> => {
  for (let n = 0; n < times; n += 1) await test.runtime.until(test.app.send(Deposit({ id, by: 1 })))
}

const trim = (test: Pick<Run, 'app'>, stream: string, through: number): Promise<number> =>
  test.app.database.transact(({ events }) => events.trim(stream, { through, limit: 1000 }))

const end = (test: Pick<Run, 'app'>, stream: string): Promise<boolean> =>
  test.app.database.transact(({ events }) => events.tombstone(stream))

const totals = async (test: Run): Promise<number[]> =>
  (await all(test.app.stream('account-a'))).map(({ data }) => (data as { total: number }).total)

describe.each(kinds)('an aggregate on $name', ({ make }) => {
  it.each([3, 4])(
    'with a snapshot of version 4 goes on where it was when it is trimmed up to %i',
    async (through) => {
      const test = await start(make(), { every: 4 })
      await deposit(test, 6)
      await trim(test, 'account-a', through)
      await deposit(test, 1)
      expect((await totals(test)).at(-1)).toBe(7)
      const nothing = await test.app.send(Deposit({ id: 'a', by: 0 }))
      expect([nothing.version, nothing.position]).toEqual([7, 7])
    },
  )

  it('of which only the snapshot is left goes on where it was', async () => {
    const test = await start(make(), { every: 4 })
    await deposit(test, 4)
    await trim(test, 'account-a', 4)
    const nothing = await test.app.send(Deposit({ id: 'a', by: 0 }))
    expect([nothing.version, nothing.position]).toEqual([4, 4])
    await deposit(test, 1)
    expect(await totals(test)).toEqual([5])
  })

  it.each([
    ['without a snapshot', undefined],
    ['trimmed beyond its snapshot', { every: 4 }],
    ['whose snapshot has another tag', { every: 1, tag: 'other' }],
  ])('%s is refused instead of folded wrongly', async (_, snapshot) => {
    const place = make()
    const before = await start(place, { every: 4 })
    await deposit(before, 6)
    await trim(before, 'account-a', 5)
    await before.stop()
    const test = await start(place, snapshot)
    await expect(test.app.send(Deposit({ id: 'a', by: 1 }))).rejects.toMatchObject({
      code: 'HISTORY_TRUNCATED',
      details: { stream: 'account-a', trimmed: 5 },
    })
    expect(await totals(test)).toEqual([6])
    await deposit(test, 1, 'b')
  })

  it('that was ended takes no command, even one that decides nothing', async () => {
    const test = await start(make(), { every: 2 })
    await deposit(test, 2)
    expect(await end(test, 'account-a')).toBe(true)
    const refused = { code: 'STREAM_TOMBSTONED', details: { stream: 'account-a' } }
    await expect(test.app.send(Deposit({ id: 'a', by: 1 }))).rejects.toMatchObject(refused)
    await trim(test, 'account-a', 2)
    for (const by of [0, 1])
      await expect(test.app.send(Deposit({ id: 'a', by }))).rejects.toMatchObject(refused)
    const append = test.app.append({ stream: 'account-a', events: Deposited({ total: 1 }) })
    await expect(append).rejects.toMatchObject(refused)
  })
})

const Begun = event('Begun', plain<{ id: string }>())
const Work = command('Work', plain<{ id: string }>())
const Worked = event('Worked', plain<{ id: string }>())

const jobs = saga('jobs', {
  startedBy: Begun,
  key: ({ data }) => data.id,
  steps: [step('work', { do: Work, done: Worked })],
})

const working = (place: Place, done: string[]) =>
  run(place, (app) =>
    app.use(jobs).handle('worker', Work, ({ data }, { append }) => {
      done.push(data.id)
      append('work', Worked(data))
    }),
  )

describe.each(kinds)('a saga on $name', ({ make }) => {
  it('that has ended and was removed does nothing when a late message comes', async () => {
    const place = make()
    const done: string[] = []
    const before = await working(place, done)
    await before.app.append({ events: Begun({ id: '1' }) })
    await before.settle()
    await end(before, 'jobs-1')
    await trim(before, 'jobs-1', 1000)
    await before.stop()
    const test = await working(place, done)
    await test.app.append({ events: [Begun({ id: '1' }), Worked({ id: '1' }), Begun({ id: '2' })] })
    await test.settle()
    expect(done).toEqual(['1', '2'])
    expect((await look(test)(({ deadLetters }) => deadLetters.counts())).parked).toBe(0)
    const listed = await sagas({ database: test.app.database }, { all: true })
    expect(listed.map(({ key, status }) => [key, status])).toEqual([
      ['1', 'completed'],
      ['2', 'completed'],
    ])
  })

  it('that was trimmed is not begun anew', async () => {
    const place = make()
    const done: string[] = []
    const before = await working(place, done)
    await before.app.append({ events: Begun({ id: '1' }) })
    await before.settle()
    await trim(before, 'jobs-1', 2)
    await before.stop()
    const test = await working(place, done)
    await test.app.append({ events: Begun({ id: '1' }) })
    await test.settle()
    expect(done).toEqual(['1'])
    const [letter] = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 9 }))
    expect(letter?.errorCode).toBe('HISTORY_TRUNCATED')
  })
})

describe.each(kinds)('a message that is to be tried again on $name', ({ make }) => {
  it('and was removed by hand leaves its key free', async () => {
    const heard: number[] = []
    const state = { broken: true }
    const one = handler('ear', Deposited, {
      key: () => 'one',
      retry: { base: 5000, cap: 5000 },
      run: ({ data: { total } }) => {
        if (state.broken) throw new Error('Not now.')
        heard.push(total)
      },
    })
    const test = await run(make(), (app) => app.use(one))
    await test.app.append({ stream: 'box-1', events: Deposited({ total: 1 }) })
    await test.app.append({ stream: 'box-2', events: Deposited({ total: 2 }) })
    await test.spy.signal('message-failed')
    await trim(test, 'box-1', 1)
    state.broken = false
    await test.advance('20s')
    expect(heard).toEqual([2])
    const { due, queued } = await look(test)(({ retries }) => retries.outlook('ear'))
    expect([due, queued]).toEqual([0, 0])
  })
})
