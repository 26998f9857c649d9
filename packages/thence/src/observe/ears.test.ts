/** Every signal that has an ear is counted: what it tells changes a figure. That none is forgotten, the compiler checks. */
import { expect, test } from 'vitest'
import { Board, figuresOf } from './board.ts'
import { earsOf } from './ears.ts'
import type { Listener, SignalNamed, SignalName } from './signals.ts'

/** What any of the signals may tell; each ear takes what it needs. */
const anything = {
  from: 1,
  to: 2,
  types: new Map([['Said', 2]]),
  waited: 1,
  took: 1,
  why: 'conflict',
  aggregate: 'a',
  subscription: 's',
  saga: 'g',
  type: 'Said',
  tries: 1,
  latency: 1,
  messages: 1,
  outcome: 'completed',
  lasted: 1,
  late: 1,
  slots: 3,
  kind: 'redrive',
  state: 'done',
  removed: 4,
  held: 1,
  what: 'poll',
}

const names = Object.keys(earsOf(new Board())) as SignalName[]

test.each(names)('%s is counted', (name) => {
  const board = new Board()
  const read = () => JSON.stringify(figuresOf({ covers: 1, groups: board.read('total') }))
  const before = read()
  const ear = (earsOf(board) as Record<string, Listener<SignalName>>)[name]
  ear?.({ ...anything, name } as unknown as SignalNamed<SignalName>)
  expect(read()).not.toBe(before)
})

test('what is given up is a failed attempt, and how it ended', () => {
  const board = new Board()
  const ears = earsOf(board)
  const failed = { subscription: 's', type: 'Said', partition: 0, key: '', id: '1', position: 1 }
  const failure = { ...failed, attempts: 1, kind: 'bug', error: new Error('no') } as const
  ears['message-failed']({ name: 'message-failed', retryIn: 1, ...failure })
  ears['message-parked']({ name: 'message-parked', waits: true, ...failure })
  ears['message-skipped']({ name: 'message-skipped', ...failure })
  ears['message-resolved']({ name: 'message-resolved', ...failed })
  const { messages } = figuresOf({ covers: 1, groups: board.read('total') })
  expect(messages).toMatchObject([{ failed: 3, parked: 1, skipped: 1, resolved: 1, handled: 0 }])
})

test('jobs, timers and retention tell how often they failed', () => {
  const board = new Board()
  const ears = earsOf(board)
  const job = { job: '1', kind: 'redrive' } as const
  ears['job-failed']({ name: 'job-failed', ...job, retryIn: 1, error: new Error('no') })
  ears['job-ended']({ name: 'job-ended', ...job, state: 'done', error: null })
  ears['job-ended']({ name: 'job-ended', ...job, state: 'stopped', error: 'too many' })
  const timer = { id: 't', owner: 'o', attempts: 1, error: new Error('no') }
  ears['timer-failed']({ name: 'timer-failed', retryIn: 1, ...timer })
  ears['timer-parked']({ name: 'timer-parked', ...timer })
  for (const slots of [3, null])
    ears['schedule-skipped']({ name: 'schedule-skipped', schedule: 's', from: 1, to: 2, slots })
  ears['retention-run']({ name: 'retention-run', removed: 7, held: 2, took: 5 })
  ears['retention-failed']({ name: 'retention-failed', error: new Error('no') })
  const figures = figuresOf({ covers: 1, groups: board.read('total') })
  expect(figures.jobs).toEqual([{ kind: 'redrive', failed: 1, done: 1, stopped: 1 }])
  expect(figures.timers).toMatchObject({ failed: 2, parked: 1, skipped: 4 })
  expect(figures.retention).toMatchObject({ runs: 1, failed: 1, removed: 7, held: 2 })
})

test('upkeep that failed is counted by what failed', () => {
  const board = new Board()
  const ears = earsOf(board)
  for (const what of ['poll', 'jobs', 'poll'])
    ears['upkeep-failed']({ name: 'upkeep-failed', what, failures: 1, error: new Error('no') })
  const { upkeep } = figuresOf({ covers: 1, groups: board.read('total') })
  expect(upkeep).toEqual([
    { what: 'jobs', failed: 1 },
    { what: 'poll', failed: 2 },
  ])
})
