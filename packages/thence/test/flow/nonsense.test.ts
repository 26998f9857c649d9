// What an operator's program asks of a store and cannot mean: refused with what was given and what to give, nothing done.
import { event, handler, plain } from 'thence'
import * as admin from 'thence/admin'
import { memory } from 'thence/memory'
import { testApp } from 'thence/testing'
import { describe, expect, onTestFinished, test } from 'vitest'

const Rung = event('Rung', plain<{ n: number }>())

/** A store with a message that was done, and one that was given up. */
const rung = async () => {
  const database = memory()
  const tower = await testApp(
    (builder) =>
      builder.use(
        handler('ear', Rung, { replay: 'idempotent', run: () => undefined }),
        handler('deaf', Rung, {
          key: ({ data }) => `${data.n}`,
          retry: { attempts: 1 },
          run: ({ data }) => {
            if (data.n === 2) throw new Error('deaf')
          },
        }),
      ),
    { database },
  )
  onTestFinished(() => tower.stop())
  await tower.app.append({ events: [Rung({ n: 1 }), Rung({ n: 2 })] })
  await tower.settle()
  return { tower, on: { database, runtime: tower.runtime } }
}

/** Calls as a program without types would. */
const loosely = (call: (...parameters: never[]) => unknown, ...parameters: unknown[]): unknown =>
  Reflect.apply(call, undefined, parameters)

type Call = (on: admin.On) => unknown

const both = { since: 2, until: 1 }
const uuid = '01a2073a-b8e3-75ef-bd8f-d20582576d8f'

const invalid: readonly (readonly [string, Call, string])[] = [
  [
    'an action',
    (on) => admin.audit(on, { action: 'job.begin' }),
    'it is one of dead-letter.discard',
  ],
  ['a kind of job', (on) => admin.jobs(on, { kind: 'redrives' }), 'Did you mean redrive?'],
  ['a state of a job', (on) => loosely(admin.jobs, on, { state: 'ended' }), 'it is one of running'],
  [
    'a state of a letter',
    (on) => loosely(admin.deadLetters, on, { state: 'park' }),
    'Did you mean parked?',
  ],
  [
    'a kind of failure',
    (on) => loosely(admin.deadLetters, on, { kind: 'bugs' }),
    'Did you mean bug?',
  ],
  ['a place of a letter', (on) => admin.deadLetters(on, { after: 'x' }), 'after is "x"'],
  ['a stretch of letters', (on) => admin.deadLetters(on, both), 'so that no letter is meant'],
  ['a stretch of groups', (on) => admin.deadLetterGroups(on, both), 'so that no letter is meant'],
  ['a stretch to redrive', (on) => admin.planRedrive(on, both), 'so that no letter is meant'],
  ['a stretch to discard', (on) => admin.discardMany(on, { ...both, reason: 'x' }), 'no letter'],
  ['no time', (on) => admin.deadLetters(on, { since: Number.NaN }), 'since is NaN; give Unix'],
  ['a limit', (on) => admin.deadLetters(on, { limit: 0 }), 'limit of deadLetters must be'],
  ['a limit of streams', (on) => admin.streams(on, { limit: 1.5 }), 'limit of streams must be'],
  [
    'a stretch of positions',
    (on) => admin.planReplay(on, 'ear', { from: 100, to: 50 }),
    'from position 100 to position 50',
  ],
  [
    'a stretch of times',
    (on) => admin.startReplay(on, 'ear', { from: new Date(2), to: new Date(1) }),
    'from 1970-01-01T00:00:00.002Z to 1970-01-01T00:00:00.001Z',
  ],
  [
    'what is no position',
    (on) => loosely(admin.planReplay, on, 'ear', { from: '3' }),
    'from of the replay is "3"',
  ],
  [
    'an actor',
    (on) => admin.pause({ ...on, actor: '' }, 'ear'),
    'actor is ""; give the name of who acts',
  ],
  [
    'an actor who retains',
    (on) => admin.retain({ ...on, actor: ' ' }, { rule: { category: 'log', olderThan: 0 } }),
    'actor is " "',
  ],
  [
    'an option of a list',
    (on) => loosely(admin.deadLetters, on, { subscripton: 'deaf' }),
    'Did you mean subscription?',
  ],
  [
    'an option of groups',
    (on) => loosely(admin.deadLetterGroups, on, { fingerprnt: 'x' }),
    'Did you mean fingerprint?',
  ],
  [
    'an option of a redrive',
    (on) => loosely(admin.startRedrive, on, { canry: false }),
    'Did you mean canary?',
  ],
  [
    'a filter of a plan',
    (on) => loosely(admin.planRedrive, on, { subscripton: 'x' }),
    'Did you mean subscription?',
  ],
  [
    'a filter of a discard',
    (on) => loosely(admin.discardMany, on, { reason: 'x', subscripton: 'x' }),
    'Did you mean subscription?',
  ],
  [
    'an option of a replay',
    (on) => loosely(admin.startReplay, on, 'ear', { type: 'Rung' }),
    'Did you mean types?',
  ],
  [
    'an option of retain',
    (on) => loosely(admin.retain, on, { dryrun: true }),
    'Did you mean dryRun?',
  ],
  [
    'an option of a rebuild',
    (on) => loosely(admin.askRebuild, on, 'ear', { swich: 'manual' }),
    'Did you mean switch?',
  ],
  [
    'an option of a pause',
    (on) => loosely(admin.pause, on, 'ear', { reasn: 'x' }),
    'Did you mean reason?',
  ],
  [
    'an option of a policy',
    (on) => loosely(admin.setPolicy, on, 'ear', { polcy: 'skip' }),
    'has no option "polcy"',
  ],
  [
    'an option of events',
    (on) => loosely(admin.events, on, { type: 'Rung' }),
    'Did you mean types?',
  ],
  [
    'an option of streams',
    (on) => loosely(admin.streams, on, { prefx: 'a' }),
    'Did you mean prefix?',
  ],
  [
    'an option of a stream',
    (on) => loosely(admin.stream, on, 'log', { backward: true }),
    'Did you mean backwards?',
  ],
  ['an option of sagas', (on) => loosely(admin.sagas, on, { sagas: 'a' }), 'Did you mean saga?'],
  [
    'an option of schedules',
    (on) => loosely(admin.schedules, on, { limits: 5 }),
    'Did you mean limit?',
  ],
]

describe('what cannot be is refused', () => {
  test.each(invalid)('%s', async (_, call, words) => {
    const { on } = await rung()
    const calling = async (): Promise<unknown> => call(on)
    await expect(calling()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(words),
    })
    expect(await admin.audit(on)).toEqual([])
    expect(await admin.jobs(on)).toEqual([])
    expect(await admin.deadLetters(on)).toMatchObject([{ state: 'parked' }])
    expect((await admin.subscription(on, 'ear')).paused).toBeNull()
    expect((await admin.events(on)).messages).toHaveLength(2)
  })
})

describe('a name that nobody has is told as such', () => {
  const named: readonly (readonly [string, Call])[] = [
    [
      'a subscription to ignore',
      (on) => admin.retain(on, { rule: { category: 'log', olderThan: 0 }, ignore: ['eer'] }),
    ],
    ['a letter to plan for', (on) => admin.planRedrive(on, { ids: [uuid] })],
    ['a letter to redrive', (on) => admin.startRedrive(on, { ids: [uuid] })],
    ['a letter to discard', (on) => admin.discardMany(on, { ids: [uuid], reason: 'x' })],
  ]
  test.each(named)('%s', async (_, call) => {
    const { on } = await rung()
    const calling = async (): Promise<unknown> => call(on)
    await expect(calling()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await admin.deadLetters(on)).toMatchObject([{ state: 'parked' }])
    expect((await admin.events(on)).messages).toHaveLength(2)
  })

  test('one that is there among them does not hide it', async () => {
    const { on } = await rung()
    const [letter] = await admin.deadLetters(on)
    const ids = [letter?.id ?? '', uuid]
    await expect(admin.startRedrive(on, { ids })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await admin.planRedrive(on, { ids: ids.slice(0, 1) })).toMatchObject({ total: 1 })
  })
})

test('the app refuses a replay to before its beginning, too', async () => {
  const { tower } = await rung()
  await expect(tower.app.replay('ear', { from: 2, to: 1 })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  await expect(tower.app.pause('ear', { actor: ' ' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})
