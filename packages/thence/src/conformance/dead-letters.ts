/** Dead letters: one per subscription and position, what changes when it is parked again, states and lists. */
import { strict as assert } from 'node:assert'
import type { DeadLetter, DeadLetters, DeadLetterState } from '../ports/dead-letters.ts'
import type { Retry } from '../ports/retries.ts'
import { type Case, casesOf } from './case.ts'
import { deadLetterGroups } from './dead-letter-groups.ts'
import { add, get, letter, list, within } from './dead-letter-samples.ts'
import { queued, row } from './retry-samples.ts'
import { message } from './samples.ts'

const it = casesOf('dead-letters')

const adding: readonly Case[] = [
  it('a letter comes back as it was added, message and all', async ({ database }) => {
    const full = letter('1', 7, {
      errorCode: 'E_FULL',
      kind: 'permanent',
      replay: true,
      job: 'j1',
      changed: 5,
      edited: {
        ...message('edit of m7', { data: '{"a": 2}', causationId: 'm7' }),
        stream: "s'1",
        version: 3,
        position: 7,
      },
      message: {
        ...message('m7', {
          kind: 'command',
          data: '{"a": 1}',
          metadata: '{}',
          correlationId: 'c',
          causationId: 'd',
        }),
        stream: "s'1",
        version: 3,
        position: 7,
      },
    })
    await add(database, full, letter('2', 8))
    assert.deepEqual(await get(database, '1'), full)
    assert.deepEqual(await get(database, '2'), letter('2', 8))
    assert.equal(await get(database, '3'), undefined)
  }),

  it('a letter is found by subscription and position', async ({ database }) => {
    await add(database, letter('1', 7), letter('2', 7, { subscription: 'q' }))
    const find = (subscription: string, position: number): Promise<DeadLetter | undefined> =>
      database.read(({ deadLetters }) => deadLetters.find(subscription, position))
    assert.equal((await find('p', 7))?.id, '1')
    assert.equal((await find('q', 7))?.id, '2')
    assert.equal(await find('p', 8), undefined)
    assert.equal(await find('P', 7), undefined)
  }),

  it('a letter added again keeps its id, takes over the new error, and is parked again', async ({
    database,
  }) => {
    await add(database, letter('1', 7))
    await within(database, (letters) => letters.mark('1', { from: 'parked', to: 'redriven' }))
    const again = letter('2', 7, {
      kind: 'transient',
      replay: true,
      errorName: 'RangeError',
      errorCode: 'E2',
      errorMessage: 'too far',
      stack: 'RangeError',
      attempts: [{ time: 9, error: 'third' }],
      fingerprint: 'f2',
      time: 2000,
      changed: 2001,
    })
    await add(database, again)
    assert.deepEqual(await get(database, '1'), { ...again, id: '1' })
    assert.equal(await get(database, '2'), undefined)
    assert.deepEqual(await list(database), ['1'])
  }),

  it('a letter added again keeps its message, its edit and its job', async ({ database }) => {
    const first = letter('1', 7, { message: { ...letter('1', 7).message, data: '{"a": 1}' } })
    await add(database, first)
    const edited = { ...first.message, id: 'edit', data: '{"a": 2}' }
    const change = { from: 'parked', to: 'redriven', job: 'j1', edited } as const
    await within(database, (letters) => letters.mark('1', change))
    await add(database, letter('2', 7, { time: 2000, changed: 2000 }))
    const kept = { ...first, edited, job: 'j1', time: 2000, changed: 2000 }
    assert.deepEqual(await get(database, '1'), kept)
  }),

  it('a letter that was added cannot be changed from outside', async ({ database }) => {
    const attempts = [{ time: 1, error: 'first' }]
    await add(database, letter('1', 7, { attempts }))
    attempts.push({ time: 2, error: 'second' })
    assert.deepEqual((await get(database, '1'))?.attempts, [{ time: 1, error: 'first' }])
  }),
]

const marking: readonly Case[] = [
  it('marking changes the state, the reason and when, and nothing else', async ({
    database,
    runtime,
  }) => {
    await add(database, letter('1', 7), letter('2', 8))
    const change = { from: 'parked', to: 'discarded', reason: "a customer's test" } as const
    assert.equal(await within(database, (letters) => letters.mark('1', change)), true)
    const marked = {
      ...letter('1', 7),
      state: 'discarded',
      reason: "a customer's test",
      changed: runtime.now(),
    }
    assert.deepEqual(await get(database, '1'), marked)
    assert.deepEqual(await get(database, '2'), letter('2', 8))
  }),

  it('marking without a reason leaves a letter without one', async ({ database, runtime }) => {
    await add(database, letter('1', 7))
    await within(database, (letters) => letters.mark('1', { from: 'parked', to: 'redriven' }))
    const changed = runtime.now()
    assert.deepEqual(await get(database, '1'), { ...letter('1', 7), state: 'redriven', changed })
  }),

  it('marking changes job and edit if they are given, and else leaves them', async ({
    database,
    runtime,
  }) => {
    await add(database, letter('1', 7))
    const edited = { ...letter('1', 7).message, id: 'edit', data: '{"a": 2}' }
    const mark = (change: Parameters<DeadLetters['mark']>[1]): Promise<boolean> =>
      within(database, (letters) => letters.mark('1', change))
    assert.equal(await mark({ from: 'parked', to: 'redriven', job: 'j1', edited }), true)
    const changed = runtime.now()
    const marked = { ...letter('1', 7), state: 'redriven', job: 'j1', edited, changed } as const
    assert.deepEqual(await get(database, '1'), marked)
    await mark({ from: 'redriven', to: 'parked' })
    assert.deepEqual(await get(database, '1'), { ...marked, state: 'parked' })
    await mark({ from: 'parked', to: 'redriven', job: null })
    assert.deepEqual(await get(database, '1'), { ...marked, job: null })
  }),

  it('marking from another state, or what is not there, changes nothing', async ({ database }) => {
    await add(database, letter('1', 7))
    const mark = (id: string, from: DeadLetterState): Promise<boolean> =>
      within(database, (letters) => letters.mark(id, { from, to: 'resolved', reason: 'x' }))
    for (const from of ['redriven', 'resolved', 'discarded'] as const)
      assert.equal(await mark('1', from), false)
    assert.equal(await mark('2', 'parked'), false)
    assert.deepEqual(await get(database, '1'), letter('1', 7))
  }),

  it('of two that mark the same letter, one succeeds', async ({ database }) => {
    await add(database, letter('1', 7))
    const mark = (to: DeadLetterState): Promise<boolean> =>
      within(database, (letters) => letters.mark('1', { from: 'parked', to }))
    assert.deepEqual(await Promise.all([mark('redriven'), mark('discarded')]), [true, false])
    assert.equal((await get(database, '1'))?.state, 'redriven')
  }),
]

const listing: readonly Case[] = [
  it('letters are listed by id, after an id, as many as asked for', async ({ database }) => {
    await add(database, letter('3', 1), letter('1', 2), letter('2', 3), letter('4', 4))
    assert.deepEqual(await list(database), ['1', '2', '3', '4'])
    assert.deepEqual(await list(database, { limit: 2 }), ['1', '2'])
    assert.deepEqual(await list(database, { after: '2' }), ['3', '4'])
    assert.deepEqual(await list(database, { after: '2', limit: 1 }), ['3'])
    assert.deepEqual(await list(database, { after: '4' }), [])
  }),

  it('letters are listed by state and subscription', async ({ database }) => {
    await add(
      database,
      letter('1', 1),
      letter('2', 2),
      letter('3', 3, { subscription: 'q' }),
      letter('4', 4),
    )
    await within(database, (letters) => letters.mark('2', { from: 'parked', to: 'discarded' }))
    assert.deepEqual(await list(database, { state: 'parked' }), ['1', '3', '4'])
    assert.deepEqual(await list(database, { state: 'discarded' }), ['2'])
    assert.deepEqual(await list(database, { state: 'resolved' }), [])
    assert.deepEqual(await list(database, { subscription: 'p' }), ['1', '2', '4'])
    assert.deepEqual(await list(database, { subscription: 'p', state: 'parked', after: '1' }), [
      '4',
    ])
    assert.deepEqual(await list(database, { subscription: 'q', state: 'discarded' }), [])
  }),

  it('it is told which positions have a letter that is not resolved', async ({ database }) => {
    await add(database, ...[1, 2, 3, 4].map((position) => letter(`${position}`, position)))
    await add(
      database,
      letter('5', 2, { subscription: 'q' }),
      letter('6', 6, { subscription: 'q' }),
    )
    await within(database, async (letters) => {
      await letters.mark('1', { from: 'parked', to: 'redriven' })
      await letters.mark('3', { from: 'parked', to: 'discarded' })
      await letters.mark('4', { from: 'parked', to: 'redriven' })
      await letters.mark('4', { from: 'redriven', to: 'resolved' })
    })
    const open = (...positions: readonly number[]): Promise<readonly number[]> =>
      database.read(({ deadLetters }) => deadLetters.openAt(positions))
    assert.deepEqual(await open(7, 6, 5, 4, 3, 2, 2, 1), [1, 2, 3, 6])
    assert.deepEqual(await open(4, 5), [])
    assert.deepEqual(await open(), [])
  }),

  it('a letter of a job is under way while its message is due, and not where that waits', async ({
    database,
  }) => {
    await add(
      database,
      letter('1', 1),
      letter('2', 2),
      letter('3', 3, { subscription: 'q' }),
      letter('4', 4),
      letter('5', 5),
    )
    const put = (...rows: readonly Retry[]): Promise<void> =>
      database.transact(async ({ retries }) => {
        for (const one of rows) await retries.put(one)
      })
    await put(row(1), queued(2), row(3), row(4), row(5, { subscription: 'q' }))
    const send = (id: string, job: string): Promise<boolean> =>
      within(database, (letters) => letters.mark(id, { from: 'parked', to: 'redriven', job }))
    const underWay = (job: string): Promise<boolean> =>
      database.read(({ deadLetters }) => deadLetters.underWay(job))
    // It waits; its message is due for another subscription only; it is not sent; it is sent by another job.
    await send('2', 'j1')
    await send('3', 'j1')
    await send('5', 'j1')
    await send('4', 'j2')
    assert.deepEqual([await underWay('j1'), await underWay('j2')], [false, true])
    await send('1', 'j1')
    assert.equal(await underWay('j1'), true)
    await put(row(1, { state: 'parked', due: 0 }))
    assert.equal(await underWay('j1'), false)
    await put(row(1))
    await within(database, (letters) => letters.mark('1', { from: 'redriven', to: 'resolved' }))
    assert.deepEqual([await underWay('j1'), await underWay('none')], [false, false])
  }),

  it('letters are counted in each state', async ({ database }) => {
    const counts = (): Promise<unknown> => database.read(({ deadLetters }) => deadLetters.counts())
    assert.deepEqual(await counts(), { parked: 0, redriven: 0, resolved: 0, discarded: 0 })
    await add(database, ...[1, 2, 3, 4, 5].map((position) => letter(`${position}`, position)))
    await within(database, async (letters) => {
      await letters.mark('1', { from: 'parked', to: 'redriven' })
      await letters.mark('2', { from: 'parked', to: 'redriven' })
      await letters.mark('1', { from: 'redriven', to: 'resolved' })
      await letters.mark('3', { from: 'parked', to: 'discarded', reason: 'old' })
    })
    assert.deepEqual(await counts(), { parked: 2, redriven: 1, resolved: 1, discarded: 1 })
  }),
]

export const deadLetters: readonly Case[] = [...adding, ...marking, ...listing, ...deadLetterGroups]
