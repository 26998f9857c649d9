/** Jobs: saved by compare-and-set, listed from the latest, trimmed once they have ended. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Job, JobFilter, Jobs } from '../ports/jobs.ts'
import { type Case, casesOf } from './case.ts'
import { hostileJson } from './samples.ts'

const it = casesOf('jobs')

const job = (id: string, change: Partial<Job> = {}): Job => ({
  id,
  kind: 'redrive',
  state: 'running',
  spec: '{}',
  progress: '{}',
  total: null,
  next: 0,
  version: 1,
  created: 1000,
  updated: 1000,
  actor: 'ann@ops-1',
  error: null,
  ...change,
})

const within = <T>(database: Database, work: (jobs: Jobs) => T | Promise<T>): Promise<T> =>
  database.transact(({ jobs: rows }) => work(rows))

const save = (database: Database, one: Job, expected: number): Promise<boolean> =>
  within(database, (rows) => rows.save(one, expected))

const create = async (database: Database, ...all: readonly Job[]): Promise<void> => {
  for (const one of all) assert.equal(await save(database, one, 0), true)
}

const get = (database: Database, id: string): Promise<Job | undefined> =>
  database.read(({ jobs: rows }) => rows.get(id))

const ids = async (database: Database, filter: Partial<JobFilter> = {}): Promise<string[]> => {
  const found = await database.read(({ jobs: rows }) => rows.list({ limit: 100, ...filter }))
  return found.map(({ id }) => id)
}

const trim = (database: Database, before: number, limit = 100): Promise<number> =>
  within(database, (rows) => rows.trim(before, limit))

const saving: readonly Case[] = [
  it('a job comes back as it was saved, with version 1', async ({ database }) => {
    const full = job('1', {
      kind: "re'play",
      spec: hostileJson[7] ?? '',
      progress: hostileJson[5] ?? '',
      total: 12,
      next: 77,
      updated: 1001,
      error: "it's 😀\nover",
    })
    await create(database, { ...full, version: 9 }, job('2'))
    assert.deepEqual(await get(database, '1'), full)
    assert.deepEqual(await get(database, '2'), job('2'))
    assert.equal(await get(database, '3'), undefined)
  }),

  it('saving with the stored version changes everything and counts it up', async ({ database }) => {
    await create(database, job('1'), job('2'))
    const changed = job('1', {
      state: 'stopped',
      progress: '{"cursor":"x"}',
      total: 3,
      next: 9,
      updated: 2000,
      error: 'five failed again',
    })
    assert.equal(await save(database, changed, 1), true)
    assert.deepEqual(await get(database, '1'), { ...changed, version: 2 })
    assert.equal(await save(database, job('1'), 2), true)
    assert.deepEqual(await get(database, '1'), job('1', { version: 3 }))
    assert.deepEqual(await get(database, '2'), job('2'))
  }),

  it('saving with another version, or what is there already as new, changes nothing', async ({
    database,
  }) => {
    await create(database, job('1'))
    const other = job('1', { state: 'cancelled' })
    for (const expected of [0, 2]) assert.equal(await save(database, other, expected), false)
    assert.equal(await save(database, job('2'), 1), false)
    assert.deepEqual(await get(database, '1'), job('1'))
    assert.equal(await get(database, '2'), undefined)
  }),

  it('of two that save the same version, one succeeds', async ({ database }) => {
    await create(database, job('1'))
    const both = [job('1', { progress: '1' }), job('1', { progress: '2' })]
    const saved = await Promise.all(both.map((one) => save(database, one, 1)))
    assert.deepEqual(saved, [true, false])
    assert.deepEqual(await get(database, '1'), job('1', { progress: '1', version: 2 }))
  }),
]

const listing: readonly Case[] = [
  it('jobs are listed from the latest, by kind and state, before an id, as many as asked for', async ({
    database,
  }) => {
    await create(
      database,
      job('2', { state: 'paused' }),
      job('4', { kind: 'replay' }),
      job('1', { updated: 9000 }),
      job('3'),
    )
    assert.deepEqual(await ids(database), ['4', '3', '2', '1'])
    assert.deepEqual(await ids(database, { limit: 2 }), ['4', '3'])
    assert.deepEqual(await ids(database, { before: '3' }), ['2', '1'])
    assert.deepEqual(await ids(database, { before: '3', limit: 1 }), ['2'])
    assert.deepEqual(await ids(database, { state: 'running' }), ['4', '3', '1'])
    assert.deepEqual(await ids(database, { kind: 'redrive' }), ['3', '2', '1'])
    const both = { kind: 'redrive', state: 'running' } as const
    assert.deepEqual(await ids(database, both), ['3', '1'])
    assert.deepEqual(await ids(database, { ...both, before: '3' }), ['1'])
    assert.deepEqual(await ids(database, { state: 'done' }), [])
  }),
]

const trimming: readonly Case[] = [
  it('trimming removes jobs that ended before a time, the earliest first, as many as asked for', async ({
    database,
  }) => {
    await create(
      database,
      job('1', { state: 'done', updated: 30 }),
      job('2', { state: 'stopped', updated: 10 }),
      job('3', { state: 'cancelled', updated: 20 }),
      job('4', { state: 'running', updated: 1 }),
      job('5', { state: 'paused', updated: 2 }),
      job('6', { state: 'done', updated: 10 }),
    )
    assert.equal(await trim(database, 30, 2), 2)
    assert.deepEqual(await ids(database), ['5', '4', '3', '1'])
    assert.equal(await trim(database, 30), 1)
    assert.deepEqual(await ids(database), ['5', '4', '1'])
    assert.equal(await trim(database, 31), 1)
    assert.equal(await trim(database, 1e9), 0)
    assert.deepEqual(await ids(database), ['5', '4'])
  }),
]

export const jobs: readonly Case[] = [...saving, ...listing, ...trimming]
