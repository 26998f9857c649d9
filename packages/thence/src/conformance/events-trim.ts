/** Removing messages from the beginning of streams, and what is known of it afterwards. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf } from './case.ts'
import {
  given,
  head,
  idsOf,
  info,
  judge,
  message,
  messages,
  numbered,
  outcomes,
  readAll,
  readStream,
  refuses,
  throwsSame,
  trim,
  within,
} from './samples.ts'

const it = casesOf('events')

const truncated = (database: Database, types?: readonly string[]): Promise<number> =>
  database.read(({ events }) => events.truncated(types))

/** Five messages in `s` (positions 1, 3, 5, 7, 9) among five in `t`. */
const interleave = async (database: Database): Promise<void> => {
  for (const index of [1, 2, 3, 4, 5]) {
    await given(database, 's', [
      message(`s${index}`, { type: 'OfS', tags: ['odd'], time: index, correlationId: 's1' }),
    ])
    await given(database, 't', [message(`t${index}`, { type: 'OfT' })])
  }
}

const versionsOf = async (database: Database, stream: string): Promise<number[]> =>
  (await readStream(database, stream)).map(({ version }) => version)

const trimming: readonly Case[] = [
  it('trim removes a stream up to a version, and nothing of another', async ({ database }) => {
    await interleave(database)
    assert.equal(await trim(database, 's', { through: 3 }), 3)
    assert.deepEqual(await versionsOf(database, 's'), [4, 5])
    assert.deepEqual(await versionsOf(database, 't'), [1, 2, 3, 4, 5])
    const left = (await readAll(database)).messages.map(({ position }) => position)
    assert.deepEqual(left, [2, 4, 6, 7, 8, 9, 10])
  }),

  it('trim removes at most as many as asked for, the oldest first', async ({ database }) => {
    await interleave(database)
    assert.equal(await trim(database, 's', { through: 4, limit: 3 }), 3)
    assert.deepEqual(await versionsOf(database, 's'), [4, 5])
    assert.equal(await trim(database, 's', { through: 4, limit: 3 }), 1)
    assert.deepEqual(await versionsOf(database, 's'), [5])
    assert.equal(await trim(database, 's', { through: 4, limit: 3 }), 0)
  }),

  it('trim has nothing to do in a stream that does not exist', async ({ database }) => {
    await interleave(database)
    assert.equal(await trim(database, 'none'), 0)
    assert.equal(await info(database, 'none'), undefined)
    assert.equal((await readAll(database)).messages.length, 10)
  }),

  it('what is left of a stream is read from its first version on, both ways', async ({
    database,
  }) => {
    await interleave(database)
    await trim(database, 's', { through: 2 })
    const read = (options: object): Promise<number[]> =>
      database.read(async ({ events }) =>
        (await events.readStream('s', { limit: 9, ...options })).map(({ version }) => version),
      )
    assert.deepEqual(await read({}), [3, 4, 5])
    assert.deepEqual(await read({ from: 1, limit: 2 }), [3, 4])
    assert.deepEqual(await read({ from: 4 }), [4, 5])
    assert.deepEqual(await read({ backwards: true }), [5, 4, 3])
    assert.deepEqual(await read({ backwards: true, from: 3 }), [3])
    assert.deepEqual(await read({ backwards: true, from: 2 }), [])
  }),

  it('what was removed is found nowhere', async ({ database }) => {
    await interleave(database)
    await trim(database, 's', { through: 3 })
    const found = await database.read(async ({ events }) => [
      idsOf(await events.find({ id: 's3' })),
      idsOf(await events.find({ correlationId: 's1' })),
      idsOf((await events.readAll({ query: [{ types: ['OfS'] }], limit: 9 })).messages),
      idsOf((await events.readAll({ query: [{ tags: ['odd'] }], limit: 9 })).messages),
      idsOf((await events.readAll({ backwards: true, before: 8, limit: 9 })).messages),
    ])
    const left = ['s4', 's5']
    assert.deepEqual(found, [[], left, left, left, ['s4', 't3', 't2', 't1']])
  }),

  it('pages go on over holes', async ({ database }) => {
    await interleave(database)
    await trim(database, 's', { through: 5 })
    for (const query of [[], [{ types: ['OfT', 'OfS'] }]])
      for (const limit of [1, 2, 3]) {
        const ids: string[] = []
        for (let after = 0, more = true; more;) {
          const page = await readAll(database, { query, after, limit })
          ids.push(...idsOf(page.messages))
          after = page.through
          more = page.more
        }
        assert.deepEqual(ids, numbered('t', 5))
      }
  }),

  it('versions and positions go on behind what was removed, even if nothing is left', async ({
    database,
  }) => {
    await given(database, 's', messages('a', 'b', 'c'))
    await trim(database, 's')
    assert.equal(await head(database), 3)
    const { version, position } = await given(database, 's', messages('d'))
    assert.deepEqual([version, position], [4, 4])
    await trim(database, 's')
    assert.deepEqual(await versionsOf(database, 's'), [])
    assert.equal((await given(database, 's', messages('e'))).version, 5)
  }),

  it('a stream of which nothing is left still has its version', async ({ database }) => {
    await given(database, 's', messages('a', 'b'))
    await trim(database, 's')
    const expecting = async (expected: number | 'none' | 'exists', id: string): Promise<unknown> =>
      judge(database, { stream: 's', expected, messages: messages(id) })
    assert.deepEqual(await expecting('none', 'c'), { outcome: 'conflict', actual: 2 })
    assert.deepEqual(await expecting(0, 'c'), { outcome: 'conflict', actual: 2 })
    assert.deepEqual(await expecting(1, 'c'), { outcome: 'conflict', actual: 2 })
    assert.deepEqual(outcomes([(await expecting(2, 'c')) as never]), ['appended'])
    assert.deepEqual(outcomes([(await expecting('exists', 'd')) as never]), ['appended'])
  }),

  it('ids of removed messages are forgotten, those of others are not', async ({ database }) => {
    await given(database, 's', messages('a', 'b'))
    await trim(database, 's', { through: 1 })
    const again = await judge(database, { stream: 's', messages: messages('a') })
    assert.deepEqual([again.outcome, 'version' in again && again.version], ['appended', 3])
    const kept = await judge(database, { stream: 's', messages: messages('b') })
    assert.equal(kept.outcome, 'duplicate')
  }),

  it('a condition does not see what was removed', async ({ database }) => {
    await interleave(database)
    await trim(database, 's')
    const condition = { query: [{ tags: ['odd'] }], after: 0 }
    const verdict = await judge(database, { stream: 'u', condition, messages: messages('u') })
    assert.equal(verdict.outcome, 'appended')
  }),

  it('what was remembered of a removed append is still a duplicate', async ({ database }) => {
    const request = { stream: 's', once: { consumer: 'c', id: '1' }, messages: messages('a') }
    await judge(database, request)
    await trim(database, 's')
    const again = await judge(database, request)
    const place = { stream: 's', version: 1, position: 1, count: 1 }
    assert.deepEqual(again, { outcome: 'duplicate', ...place })
  }),
]

const knowing: readonly Case[] = [
  it('a stream tells up to where it was trimmed', async ({ database }) => {
    await interleave(database)
    const s = { stream: 's', version: 5, position: 9, time: 5, tombstone: false }
    assert.deepEqual(await info(database, 's'), { ...s, trimmed: 0 })
    await trim(database, 's', { through: 3 })
    assert.deepEqual(await info(database, 's'), { ...s, trimmed: 3 })
    await trim(database, 's')
    assert.deepEqual(await info(database, 's'), { ...s, trimmed: 5 })
    await given(database, 's', [message('s6', { time: 6 })])
    const next = { ...s, version: 6, position: 11, time: 6, trimmed: 5 }
    assert.deepEqual(await info(database, 's'), next)
    const listed = await database.read(({ events }) => events.streams({ limit: 9 }))
    assert.deepEqual(listed[0], next)
  }),

  it('a stream of which nothing is left is listed in its place', async ({ database }) => {
    for (const name of ['a-1', 'a-2', 'a-3', 'b-1'])
      await given(database, name, messages(`in ${name}`))
    await trim(database, 'a-2')
    await trim(database, 'b-1')
    const listed = async (options: object): Promise<string[]> =>
      (await database.read(({ events }) => events.streams({ limit: 9, ...options }))).map(
        ({ stream }) => stream,
      )
    assert.deepEqual(await listed({}), ['a-1', 'a-2', 'a-3', 'b-1'])
    assert.deepEqual(await listed({ prefix: 'a-', after: 'a-1' }), ['a-2', 'a-3'])
    assert.deepEqual(await listed({ prefix: 'b' }), ['b-1'])
    assert.deepEqual(await listed({ limit: 2 }), ['a-1', 'a-2'])
  }),

  it('truncated is the highest removed position of the types', async ({ database }) => {
    await interleave(database)
    assert.equal(await truncated(database), 0)
    await trim(database, 's', { through: 3 })
    await trim(database, 't', { through: 1 })
    assert.equal(await truncated(database, ['OfS']), 5)
    assert.equal(await truncated(database, ['OfT']), 2)
    assert.equal(await truncated(database, ['OfT', 'OfS', 'None']), 5)
    assert.equal(await truncated(database, ['None']), 0)
    assert.equal(await truncated(database, []), 0)
    assert.equal(await truncated(database), 5)
  }),

  it('truncated never goes back', async ({ database }) => {
    await interleave(database)
    await trim(database, 's')
    await trim(database, 't', { through: 1 })
    assert.equal(await truncated(database), 9)
    await given(database, 'late', [message('late', { type: 'OfS' })])
    assert.equal(await truncated(database, ['OfS']), 9)
  }),

  it('truncated is told of each type in a stream of several', async ({ database }) => {
    const types = ['A', 'B', 'A', 'C']
    await given(
      database,
      's',
      types.map((type, index) => message(`m${index}`, { type })),
    )
    await trim(database, 's', { through: 3 })
    assert.equal(await truncated(database, ['A']), 3)
    assert.equal(await truncated(database, ['B']), 2)
    assert.equal(await truncated(database, ['C']), 0)
  }),

  it('places tell where messages stand, in order of position', async ({ database }) => {
    await interleave(database)
    await trim(database, 's', { through: 2 })
    const places = (after: number, limit: number): Promise<unknown> =>
      database.read(({ events }) => events.places({ after, limit }))
    const { time } = message('')
    const t = { stream: 't', type: 'OfT', time }
    assert.deepEqual(await places(0, 3), [
      { ...t, version: 1, position: 2 },
      { ...t, version: 2, position: 4 },
      { stream: 's', type: 'OfS', version: 3, position: 5, time: 3 },
    ])
    assert.deepEqual(await places(9, 3), [{ ...t, version: 5, position: 10 }])
    assert.deepEqual(await places(10, 3), [])
  }),
]

const undoing: readonly Case[] = [
  it('what was removed comes back with a rollback and a savepoint', async ({ database }) => {
    await interleave(database)
    const look = async (): Promise<unknown> => [
      await readAll(database),
      await info(database, 's'),
      await truncated(database),
      await database.read(({ events }) => events.find({ correlationId: 's1' })),
    ]
    const before = await look()
    const error = new Error('undo')
    const work = (): Promise<unknown> =>
      within(database, async (transaction) => {
        const { events } = transaction
        await events.trim('t', { through: 2, limit: 9 })
        await throwsSame(error, () =>
          transaction.savepoint(async () => {
            await events.trim('s', { through: 3, limit: 9 })
            await events.tombstone('s')
            throw error
          }),
        )
        assert.equal(await events.truncated(['OfS']), 0)
        assert.equal(
          (await events.append({ stream: 's', messages: messages('x') })).outcome,
          'appended',
        )
        throw error
      })
    await throwsSame(error, work)
    assert.deepEqual(await look(), before)
    assert.equal((await given(database, 's', messages('s6'))).version, 6)
  }),

  it('nothing is removed or ended by a read', async ({ database }) => {
    await given(database, 's', messages('a'))
    await refuses('STATE_INVALID', () =>
      database.read(({ events }) => events.trim('s', { through: 1, limit: 1 })),
    )
    await refuses('STATE_INVALID', () => database.read(({ events }) => events.tombstone('s')))
  }),
]

export const eventsTrim: readonly Case[] = [...trimming, ...knowing, ...undoing]
