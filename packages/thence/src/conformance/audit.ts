/** The audit log: entries are kept as they are, listed in either direction, and trimmed from the oldest. */
import { strict as assert } from 'node:assert'
import type { Audit, AuditEntry, AuditFilter } from '../ports/audit.ts'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf } from './case.ts'
import { hostileJson, hostileNames } from './samples.ts'

const it = casesOf('audit')

const entry = (id: string, change: Partial<AuditEntry> = {}): AuditEntry => ({
  id,
  time: 1000,
  actor: 'ann@ops-1',
  action: 'dead-letter.redrive',
  target: 'mail',
  details: '{}',
  reason: null,
  ...change,
})

const within = <T>(database: Database, work: (audit: Audit) => T | Promise<T>): Promise<T> =>
  database.transact(({ audit: entries }) => work(entries))

const add = (database: Database, ...entries: readonly AuditEntry[]): Promise<void> =>
  within(database, async (all) => {
    for (const one of entries) await all.add(one)
  })

const list = (
  database: Database,
  filter: Partial<AuditFilter> = {},
): Promise<readonly AuditEntry[]> =>
  database.read(({ audit: entries }) => entries.list({ limit: 100, ...filter }))

const ids = async (database: Database, filter: Partial<AuditFilter> = {}): Promise<string[]> =>
  (await list(database, filter)).map(({ id }) => id)

const trim = (database: Database, before: number, limit = 100): Promise<number> =>
  within(database, (entries) => entries.trim(before, limit))

const keeping: readonly Case[] = [
  it('an entry comes back as it was added', async ({ database }) => {
    const full = entry('1', {
      time: 7,
      actor: "o'neil@böx",
      target: hostileNames[8] ?? '',
      details: hostileJson[7] ?? '',
      reason: "a customer's test 😀\nin two lines",
    })
    await add(database, full, entry('2', { reason: '' }))
    assert.deepEqual(await list(database), [full, entry('2', { reason: '' })])
  }),

  it('an entry whose id is there already changes nothing', async ({ database }) => {
    await add(database, entry('1'), entry('1', { actor: 'bob', target: 'other' }), entry('2'))
    assert.deepEqual(await list(database), [entry('1'), entry('2')])
  }),
]

const listing: readonly Case[] = [
  it('entries are listed by id in either direction, between two ids, as many as asked for', async ({
    database,
  }) => {
    await add(database, entry('3'), entry('1', { time: 9000 }), entry('2'), entry('4'))
    assert.deepEqual(await ids(database), ['1', '2', '3', '4'])
    assert.deepEqual(await ids(database, { backwards: true }), ['4', '3', '2', '1'])
    assert.deepEqual(await ids(database, { limit: 2 }), ['1', '2'])
    assert.deepEqual(await ids(database, { limit: 2, backwards: true }), ['4', '3'])
    assert.deepEqual(await ids(database, { after: '2' }), ['3', '4'])
    assert.deepEqual(await ids(database, { before: '3', backwards: true, limit: 1 }), ['2'])
    assert.deepEqual(await ids(database, { after: '1', before: '4' }), ['2', '3'])
    assert.deepEqual(await ids(database, { after: '4' }), [])
  }),

  it('entries are listed by target and action', async ({ database }) => {
    await add(
      database,
      entry('1'),
      entry('2', { target: 'Mail' }),
      entry('3', { action: 'subscription.pause' }),
      entry('4', { action: 'subscription.pause', target: 'ledger' }),
      entry('5'),
    )
    assert.deepEqual(await ids(database, { target: 'mail' }), ['1', '3', '5'])
    assert.deepEqual(await ids(database, { action: 'subscription.pause' }), ['3', '4'])
    const both = { target: 'mail', action: 'dead-letter.redrive' }
    assert.deepEqual(await ids(database, both), ['1', '5'])
    assert.deepEqual(await ids(database, { ...both, backwards: true, limit: 1 }), ['5'])
    assert.deepEqual(await ids(database, { ...both, after: '1', before: '5' }), [])
    assert.deepEqual(await ids(database, { target: 'm%' }), [])
  }),
]

const trimming: readonly Case[] = [
  it('trimming removes what is older than a time, the oldest first, as much as asked for', async ({
    database,
  }) => {
    await add(
      database,
      entry('1', { time: 40 }),
      entry('2', { time: 10 }),
      entry('3', { time: 30 }),
      entry('4', { time: 20 }),
      entry('5', { time: 20 }),
    )
    assert.equal(await trim(database, 40, 2), 2)
    assert.deepEqual(await ids(database), ['1', '3', '5'])
    assert.equal(await trim(database, 40), 2)
    assert.deepEqual(await ids(database), ['1'])
    assert.equal(await trim(database, 40), 0)
    assert.equal(await trim(database, 41), 1)
  }),
]

export const audit: readonly Case[] = [...keeping, ...listing, ...trimming]
