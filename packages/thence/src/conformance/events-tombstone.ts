/** Ending streams for good. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf, shared } from './case.ts'
import {
  given,
  head,
  idsOf,
  info,
  judge,
  message,
  messages,
  outcomes,
  readStream,
  trim,
  within,
} from './samples.ts'

const it = casesOf('events')

const tombstone = (database: Database, stream: string): Promise<boolean> =>
  within(database, ({ events }) => events.tombstone(stream))

const versionsOf = async (database: Database, stream: string): Promise<number[]> =>
  (await readStream(database, stream)).map(({ version }) => version)

const ending: readonly Case[] = [
  it('nothing is appended to a tombstone', async ({ database }) => {
    await given(database, 's', messages('a'))
    assert.equal(await tombstone(database, 's'), true)
    const requests = [
      { stream: 's', messages: messages('b') },
      { stream: 's', expected: 1, messages: messages('c') },
      { stream: 's', expected: 'none' as const, messages: messages('d') },
      { stream: 's', once: { consumer: 'c', id: '1' }, messages: [] },
      { stream: 't', messages: messages('e') },
    ]
    const verdicts = outcomes(await database.append(requests))
    assert.deepEqual(verdicts, [...Array<string>(4).fill('tombstoned'), 'appended'])
    assert.deepEqual(idsOf(await readStream(database, 's')), ['a'])
    assert.equal(await head(database), 2)
    const recalled = await database.read(({ inbox }) => inbox.recall('c', '1'))
    assert.equal(recalled, undefined)
  }),

  it('what a tombstone still has is a duplicate, not refused', async ({ database }) => {
    await given(database, 's', messages('a', 'b'))
    await tombstone(database, 's')
    const again = { stream: 's', messages: messages('a', 'b') }
    assert.equal((await judge(database, again)).outcome, 'duplicate')
    await trim(database, 's', { through: 1 })
    assert.equal((await judge(database, again)).outcome, 'tombstoned')
  }),

  it('a tombstone keeps its messages until they are trimmed, and its name after that', async ({
    database,
  }) => {
    await given(database, 's', [message('a', { time: 3 }), message('b', { time: 4 })])
    await tombstone(database, 's')
    assert.deepEqual(await versionsOf(database, 's'), [1, 2])
    const s = { stream: 's', version: 2, position: 2, time: 4, tombstone: true }
    assert.deepEqual(await info(database, 's'), { ...s, trimmed: 0 })
    assert.equal(await trim(database, 's'), 2)
    assert.deepEqual(await info(database, 's'), { ...s, trimmed: 2 })
    const listed = await database.read(({ events }) => events.streams({ limit: 9 }))
    assert.deepEqual(listed, [{ ...s, trimmed: 2 }])
    const verdict = await judge(database, { stream: 's', messages: messages('c') })
    assert.equal(verdict.outcome, 'tombstoned')
  }),

  it('a stream is ended once, and only if it exists', async ({ database }) => {
    await given(database, 's', messages('a'))
    await trim(database, 's')
    assert.equal(await tombstone(database, 'none'), false)
    assert.equal(await info(database, 'none'), undefined)
    assert.equal(await tombstone(database, 's'), true)
    assert.equal(await tombstone(database, 's'), false)
    const { outcome } = await judge(database, { stream: 'none', messages: messages('b') })
    assert.equal(outcome, 'appended')
  }),

  it('a tombstone is known at once in its own transaction', async ({ database }) => {
    await given(database, 's', messages('a'))
    const seen = await within(database, async ({ events }) => {
      await events.append({ stream: 's', messages: messages('b') })
      await events.tombstone('s')
      const { outcome } = await events.append({ stream: 's', messages: messages('c') })
      return [outcome, await events.trim('s', { through: 9, limit: 9 }), await events.stream('s')]
    })
    const { time } = message('')
    const left = { stream: 's', version: 2, position: 2, time, trimmed: 2, tombstone: true }
    assert.deepEqual(seen, ['tombstoned', 2, left])
  }),
]

const several: readonly Case[] = [
  it(
    'a tombstone is known to another connection that has just written to the stream',
    async (subject) => {
      const { database } = subject
      const other = await subject.second()
      await given(database, 's', messages('a'))
      await given(other, 's', messages('b'))
      await tombstone(database, 's')
      const verdict = await judge(other, { stream: 's', messages: messages('c') })
      assert.equal(verdict.outcome, 'tombstoned')
      await trim(other, 's')
      assert.deepEqual((await info(database, 's'))?.trimmed, 2)
    },
    { requires: shared },
  ),
]

export const eventsTombstone: readonly Case[] = [...ending, ...several]
