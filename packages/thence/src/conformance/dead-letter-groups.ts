/** Dead letters: what matches a filter, groups of those that failed in the same way, and what retention takes. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { LetterFilter, LetterGroup } from '../ports/dead-letters.ts'
import { type Case, casesOf } from './case.ts'
import { add, letter, list, within } from './dead-letter-samples.ts'

const it = casesOf('dead-letters')

const counts = (database: Database, filter?: LetterFilter): Promise<unknown> =>
  database.read(({ deadLetters }) => deadLetters.counts(filter))

const groups = (
  database: Database,
  filter: LetterFilter & { readonly limit?: number } = {},
): Promise<readonly LetterGroup[]> =>
  database.read(({ deadLetters }) => deadLetters.groups({ limit: 100, ...filter }))

/** Six letters that differ in one thing each. */
const six = (database: Database): Promise<void> => {
  const { message } = letter('6', 6)
  return add(
    database,
    letter('1', 1, { time: 100 }),
    letter('2', 2, { fingerprint: 'F1', time: 200 }),
    letter('3', 3, { key: 'K', kind: 'permanent', time: 300 }),
    letter('4', 4, { subscription: 'P', time: 400, job: 'j1' }),
    letter('5', 5, { time: 500, job: 'J1' }),
    letter('6', 6, { message: { ...message, type: 'noted' }, time: 600 }),
  )
}

const filtering: readonly Case[] = [
  it('letters are listed by fingerprint, type, key, kind, time, job and ids', async ({
    database,
  }) => {
    await six(database)
    const cases: readonly (readonly [LetterFilter, readonly string[]])[] = [
      [{ fingerprint: 'f1' }, ['1', '3', '4', '5', '6']],
      [{ fingerprint: 'F1' }, ['2']],
      [{ type: 'Noted' }, ['1', '2', '3', '4', '5']],
      [{ key: 'k' }, ['1', '2', '4', '5', '6']],
      [{ kind: 'permanent' }, ['3']],
      [{ kind: 'bug', fingerprint: 'f1' }, ['1', '4', '5', '6']],
      [{ kind: 'transient' }, []],
      [{ since: 300 }, ['3', '4', '5', '6']],
      [{ until: 300 }, ['1', '2', '3']],
      [{ since: 301, until: 500 }, ['4', '5']],
      [{ job: 'j1' }, ['4']],
      [{ ids: ['5', '1', '9'] }, ['1', '5']],
      [{ ids: [] }, []],
      [{ subscription: 'p', fingerprint: 'f1', key: 'k', until: 599 }, ['1', '5']],
      [{ ids: ['1', '2'], fingerprint: 'F1' }, ['2']],
    ]
    for (const [filter, expected] of cases) assert.deepEqual(await list(database, filter), expected)
    assert.deepEqual(await list(database, { key: 'k', after: '1', limit: 2 }), ['2', '4'])
  }),

  it('letters that match are counted in each state', async ({ database }) => {
    await six(database)
    await within(database, async (letters) => {
      await letters.mark('1', { from: 'parked', to: 'redriven', job: 'j1' })
      await letters.mark('2', { from: 'parked', to: 'discarded' })
    })
    const none = { parked: 0, redriven: 0, resolved: 0, discarded: 0 }
    assert.deepEqual(await counts(database, {}), { ...none, parked: 4, redriven: 1, discarded: 1 })
    assert.deepEqual(await counts(database, { job: 'j1' }), { ...none, parked: 1, redriven: 1 })
    assert.deepEqual(await counts(database, { state: 'parked', until: 300 }), {
      ...none,
      parked: 1,
    })
    assert.deepEqual(await counts(database, { fingerprint: 'F1' }), { ...none, discarded: 1 })
  }),

  it('parked letters of a subscription are counted up to a limit', async ({ database }) => {
    await six(database)
    await within(database, (letters) => letters.mark('1', { from: 'parked', to: 'redriven' }))
    const parked = (subscription: string, most: number): Promise<number> =>
      database.read(async ({ deadLetters }) => deadLetters.parkedOf(subscription, most))
    assert.equal(await parked('p', 100), 4)
    assert.equal(await parked('p', 4), 4)
    assert.equal(await parked('p', 3), 3)
    assert.equal(await parked('P', 100), 1)
    assert.equal(await parked('nobody', 100), 0)
  }),
]

const grouping: readonly Case[] = [
  it('letters that failed in the same way are one group of their subscription, the largest first', async ({
    database,
  }) => {
    await add(
      database,
      letter('1', 1, { time: 300 }),
      letter('3', 2, { time: 100 }),
      letter('2', 3, { time: 200 }),
      letter('4', 4, { fingerprint: 'F1', time: 500 }),
      letter('5', 5, { subscription: 'q', time: 400 }),
    )
    const [f1, capital, other] = [
      { subscription: 'p', fingerprint: 'f1', count: 3, first: 100, last: 300, sample: '3' },
      { subscription: 'p', fingerprint: 'F1', count: 1, first: 500, last: 500, sample: '4' },
      { subscription: 'q', fingerprint: 'f1', count: 1, first: 400, last: 400, sample: '5' },
    ]
    assert.deepEqual(await groups(database), [f1, capital, other])
    assert.deepEqual(await groups(database, { limit: 1 }), [f1])
    assert.deepEqual(await groups(database, { fingerprint: 'f1' }), [f1, other])
    assert.deepEqual(await groups(database, { subscription: 'q' }), [other])
    await within(database, (letters) => letters.mark('3', { from: 'parked', to: 'discarded' }))
    const parked = { ...f1, count: 2, first: 200, sample: '2' }
    assert.deepEqual(await groups(database, { state: 'parked' }), [parked, capital, other])
  }),

  it('groups that are equally large and late come by name', async ({ database }) => {
    const change = { time: 5 }
    await add(
      database,
      letter('1', 1, { ...change, fingerprint: 'b' }),
      letter('2', 2, { ...change, fingerprint: 'a' }),
      letter('3', 3, { ...change, subscription: 'o' }),
    )
    const names = (await groups(database)).map((one) => `${one.subscription} ${one.fingerprint}`)
    assert.deepEqual(names, ['o f1', 'p a', 'p b'])
  }),
]

const trimming: readonly Case[] = [
  it('trimming removes letters that were resolved or discarded before a time, the earliest first', async ({
    database,
    runtime,
  }) => {
    const states = ['resolved', 'discarded', 'parked', 'redriven', 'resolved'] as const
    await add(database, ...states.map((_, index) => letter(`${index + 1}`, index + 1)))
    const start = runtime.now()
    for (const [index, to] of states.entries()) {
      runtime.advance(10)
      await within(database, (letters) => letters.mark(`${index + 1}`, { from: 'parked', to }))
    }
    const trim = (before: number, limit = 10): Promise<number> =>
      within(database, (letters) => letters.trim(start + before, limit))
    assert.equal(await trim(10), 0)
    assert.equal(await trim(1000, 2), 2)
    assert.deepEqual(await list(database), ['3', '4', '5'])
    assert.equal(await trim(50), 0)
    assert.equal(await trim(51), 1)
    assert.equal(await trim(1e9), 0)
    assert.deepEqual(await list(database), ['3', '4'])
  }),

  it('a message whose letter was trimmed gets a new one', async ({ database }) => {
    await add(database, letter('1', 7))
    await within(database, (letters) => letters.mark('1', { from: 'parked', to: 'discarded' }))
    assert.equal(await within(database, (letters) => letters.trim(1e15, 10)), 1)
    const find = await database.read(({ deadLetters }) => deadLetters.find('p', 7))
    assert.equal(find, undefined)
    await add(database, letter('2', 7))
    assert.deepEqual(await list(database), ['2'])
  }),
]

export const deadLetterGroups: readonly Case[] = [...filtering, ...grouping, ...trimming]
