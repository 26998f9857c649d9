/** Leases: who is alive by the database's clock, who holds what, and the epoch that grows when a lease changes hands. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Lease, Leases, Member } from '../ports/leases.ts'
import { type Case, casesOf } from './case.ts'
import { hostileNames } from './samples.ts'

const it = casesOf('leases')

const act = <T>(database: Database, work: (leases: Leases) => T | Promise<T>): Promise<T> =>
  database.transact(({ leases }) => work(leases))

const beat = (database: Database, id: string, duration = 1000): Promise<readonly Member[]> =>
  act(database, (leases) => leases.beat({ id, name: `host:${id}`, runs: ['p'] }, duration))

const take = (database: Database, member: string, name = 'p#0'): Promise<Lease | undefined> =>
  act(database, (leases) => leases.take(name, member))

const list = (database: Database): Promise<readonly Lease[]> =>
  database.read(({ leases }) => leases.list())

const ids = async (database: Database): Promise<string[]> =>
  (await database.read(({ leases }) => leases.members())).map(({ id }) => id)

const alive: readonly Case[] = [
  it('a member is known from its first beat on', async ({ database, runtime }) => {
    assert.deepEqual(await ids(database), [])
    const now = runtime.now()
    const expected = { id: 'a', name: 'host:a', runs: ['p'], started: now, until: now + 1000 }
    assert.deepEqual(await beat(database, 'a'), [expected])
    assert.deepEqual(await database.read(({ leases }) => leases.members()), [expected])
  }),

  it('a beat keeps a member alive, and when it was first seen', async ({ database, runtime }) => {
    const started = runtime.now()
    await beat(database, 'a')
    runtime.advance(900)
    const [member] = await beat(database, 'a')
    assert.deepEqual([member?.started, member?.until], [started, started + 1900])
    runtime.advance(999)
    assert.deepEqual(await ids(database), ['a'])
    runtime.advance(1)
    assert.deepEqual(await ids(database), [])
  }),

  it('a beat gives those that are alive, by id', async ({ database, runtime }) => {
    await beat(database, 'b')
    runtime.advance(600)
    await beat(database, 'c')
    assert.deepEqual(
      (await beat(database, 'a')).map(({ id }) => id),
      ['a', 'b', 'c'],
    )
    runtime.advance(400)
    assert.deepEqual(
      (await beat(database, 'a')).map(({ id }) => id),
      ['a', 'c'],
    )
  }),

  it('one that left is not alive, and its leases are free', async ({ database }) => {
    await beat(database, 'a')
    await take(database, 'a', 'x')
    await beat(database, 'b')
    await take(database, 'b', 'y')
    await act(database, (leases) => leases.leave('a'))
    assert.deepEqual(await ids(database), ['b'])
    assert.deepEqual(await list(database), [
      { name: 'x', owner: null, epoch: 1 },
      { name: 'y', owner: 'b', epoch: 1 },
    ])
  }),
]

const taking: readonly Case[] = [
  it('a lease that nobody had is given with epoch 1', async ({ database }) => {
    await beat(database, 'a')
    assert.deepEqual(await take(database, 'a'), { name: 'p#0', owner: 'a', epoch: 1 })
    assert.deepEqual(await list(database), [{ name: 'p#0', owner: 'a', epoch: 1 }])
  }),

  it('its owner is given it as it is', async ({ database }) => {
    await beat(database, 'a')
    await take(database, 'a')
    assert.deepEqual(await take(database, 'a'), { name: 'p#0', owner: 'a', epoch: 1 })
  }),

  it('nobody else is given it while its owner is alive', async ({ database, runtime }) => {
    await beat(database, 'a')
    await take(database, 'a')
    await beat(database, 'b', 5000)
    runtime.advance(999)
    assert.equal(await take(database, 'b'), undefined)
    assert.deepEqual(await list(database), [{ name: 'p#0', owner: 'a', epoch: 1 }])
  }),

  it('it changes hands with the next epoch when its owner is heard of no more', async ({
    database,
    runtime,
  }) => {
    await beat(database, 'a')
    await take(database, 'a')
    await beat(database, 'b', 5000)
    runtime.advance(1000)
    assert.deepEqual(await take(database, 'b'), { name: 'p#0', owner: 'b', epoch: 2 })
    await beat(database, 'a')
    assert.equal(await take(database, 'a'), undefined, 'the old owner is too late')
  }),

  it('its owner keeps it over a pause if nobody took it', async ({ database, runtime }) => {
    await beat(database, 'a')
    await take(database, 'a')
    runtime.advance(5000)
    await beat(database, 'a')
    assert.deepEqual(await take(database, 'a'), { name: 'p#0', owner: 'a', epoch: 1 })
  }),

  it('it changes hands with the next epoch after a release', async ({ database }) => {
    await beat(database, 'a')
    await beat(database, 'b')
    await take(database, 'a')
    assert.equal(await act(database, (leases) => leases.release('p#0', 'b')), false)
    assert.equal(await act(database, (leases) => leases.release('p#0', 'a')), true)
    assert.equal(await act(database, (leases) => leases.release('p#0', 'a')), false)
    assert.equal((await take(database, 'b'))?.epoch, 2)
    assert.equal(await act(database, (leases) => leases.release('none', 'a')), false)
  }),

  it('one that is not alive is given nothing', async ({ database, runtime }) => {
    assert.equal(await take(database, 'a'), undefined)
    await beat(database, 'a')
    runtime.advance(1000)
    assert.equal(await take(database, 'a'), undefined)
    assert.deepEqual(await list(database), [])
  }),

  it('leases are kept apart by name and listed by it', async ({ database }) => {
    await beat(database, 'a')
    for (const name of hostileNames) await take(database, 'a', name)
    const listed = await list(database)
    assert.deepEqual(new Set(listed.map(({ name }) => name)), new Set(hostileNames))
    assert.ok(listed.every(({ epoch }) => epoch === 1))
  }),

  it('of many that race for a lease one gets it', async ({ database }) => {
    const members = Array.from({ length: 8 }, (_, index) => `m${index}`)
    for (const member of members) await beat(database, member)
    const taken = await Promise.all(members.map((member) => take(database, member)))
    assert.equal(taken.filter((lease) => lease !== undefined).length, 1)
  }),
]

export const leases: readonly Case[] = [...alive, ...taking]
