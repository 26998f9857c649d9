/** Asked side by side in one transaction, without waiting in between: each question has its own answer. */
import { strict as assert } from 'node:assert'
import { type Case, casesOf } from './case.ts'
import { given, head, idsOf, message, messages, numbered, outcomes, readAll } from './samples.ts'

const it = casesOf('events')
const all = { limit: 500, maxBytes: 1_000_000 }

export const eventsBeside: readonly Case[] = [
  it('appends that are asked for side by side are judged one by one, in their order', async ({
    database,
  }) => {
    await given(database, 'old', messages('o1', 'o2'))
    const verdicts = await database.transact(({ events }) =>
      Promise.all([
        events.append({ stream: 'a', expected: 'none', messages: messages('a1') }),
        events.append({ stream: 'old', expected: 1, messages: messages('late') }),
        events.append({ stream: 'a', expected: 1, messages: messages('a2', 'a3') }),
        events.append({ stream: 'old', messages: messages('o1', 'o2') }),
        events.append({ stream: 'b', messages: [message('o1', { data: '"other"' })] }),
        events.append({ stream: 'b', expected: 'none', messages: messages('b1') }),
        events.append({ stream: 'a', expected: 1, messages: messages('too late') }),
      ]),
    )
    assert.deepEqual(outcomes(verdicts), [
      'appended',
      'conflict',
      'appended',
      'duplicate',
      'id-reused',
      'appended',
      'conflict',
    ])
    assert.deepEqual(verdicts[2], {
      outcome: 'appended',
      stream: 'a',
      version: 3,
      position: 5,
      count: 2,
    })
    assert.deepEqual(verdicts[6], { outcome: 'conflict', actual: 3 })
    const { messages: stored } = await readAll(database)
    assert.deepEqual(idsOf(stored), ['o1', 'o2', 'a1', 'a2', 'a3', 'b1'])
  }),

  it('streams that are read side by side come whole, each to whoever asked for it', async ({
    database,
  }) => {
    const names = numbered('s', 40)
    await database.append(
      names.map((stream, index) => ({
        stream,
        messages: messages(...numbered(`${stream}-`, (index % 3) + 1)),
      })),
    )
    const asked = ['none', ...names.toReversed(), 's7']
    const read = await database.read(({ events }) =>
      Promise.all(asked.map(async (stream) => events.readStream(stream, all))),
    )
    for (const [index, stored] of read.entries()) {
      const stream = asked[index] ?? ''
      const count = stream === 'none' ? 0 : (names.indexOf(stream) % 3) + 1
      assert.deepEqual(idsOf(stored), numbered(`${stream}-`, count))
      assert.ok(stored.every((one) => one.stream === stream))
    }
  }),

  it('streams that are read side by side begin where each is asked to, and none comes empty for its size', async ({
    database,
  }) => {
    const large = { data: JSON.stringify('x'.repeat(5000)) }
    const ids = ['1', '2', '3']
    for (const stream of ['a', 'b', 'c'])
      await given(
        database,
        stream,
        ids.map((id) => message(`${stream}${id}`, large)),
      )
    const bounds = { limit: 500, maxBytes: 6000 }
    const [a, b, c] = await database.read(({ events }) =>
      Promise.all([
        events.readStream('a', bounds),
        events.readStream('b', { ...bounds, from: 3 }),
        events.readStream('c', { ...bounds, from: 4 }),
      ]),
    )
    assert.deepEqual([idsOf(a), idsOf(b), idsOf(c)], [['a1'], ['b3'], []])
  }),

  it('what is asked of streams and of the inbox side by side has its own answer', async ({
    database,
  }) => {
    const once = { consumer: 'mail', id: 'in' }
    await database.append([
      { stream: 'a', messages: messages('a1', 'a2'), once },
      { stream: 'b', messages: messages('b1') },
    ])
    await database.transact(({ events }) => events.tombstone('b'))
    const [none, a, b, again, unknown, known, other] = await database.read(({ events, inbox }) =>
      Promise.all([
        events.stream('none'),
        events.stream('a'),
        events.stream('b'),
        events.stream('a'),
        inbox.recall('mail', 'unknown'),
        inbox.recall('mail', 'in'),
        inbox.recall('other', 'in'),
      ]),
    )
    assert.equal(none, undefined)
    assert.deepEqual([a?.version, b?.version, b?.tombstone], [2, 1, true])
    assert.deepEqual(again, a)
    assert.deepEqual([unknown, known?.stream, other], [undefined, 'a', undefined])
  }),

  it('what is appended and then read side by side is seen', async ({ database }) => {
    const seen = await database.transact(async ({ events }) => {
      const [first, second] = await Promise.all([
        events.append({ stream: 'a', messages: messages('a1') }),
        events.readStream('a', all),
        events.append({ stream: 'b', messages: messages('b1') }),
      ])
      assert.equal(first.outcome, 'appended')
      return idsOf(second)
    })
    assert.deepEqual(seen, ['a1'])
    assert.equal(await head(database), 2)
  }),
]
