/** Append conditions, and the queries that they and readAll share. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { NewMessage, Query, Verdict } from '../ports/events.ts'
import { type Case, casesOf } from './case.ts'
import {
  given,
  head,
  hostileNames,
  judge,
  message,
  messages,
  outcomes,
  readAll,
} from './samples.ts'

const it = casesOf('events')

const of = (id: string, type: string, ...tags: string[]): NewMessage => message(id, { type, tags })

/** Positions 1 to 6. */
const log: readonly NewMessage[] = [
  of('1', 'Placed', 'order:1', 'customer:c1'),
  of('2', 'Paid', 'order:1'),
  of('3', 'Placed', 'order:2', 'customer:c1'),
  of('4', 'Shipped'),
  of('5', 'Paid', 'order:2', 'customer:c2'),
  of('6', 'placed', 'Order:1', 'order:1 '),
]

const queries: readonly [string, Query, readonly number[]][] = [
  ['nothing, which matches all', [], [1, 2, 3, 4, 5, 6]],
  ['an item without types and tags, which matches all', [{}], [1, 2, 3, 4, 5, 6]],
  ['one type', [{ types: ['Placed'] }], [1, 3]],
  ['several types, any of them', [{ types: ['Placed', 'Shipped'] }], [1, 3, 4]],
  ['one tag', [{ tags: ['order:1'] }], [1, 2]],
  ['several tags, all of them', [{ tags: ['order:1', 'customer:c1'] }], [1]],
  ['several tags in another order', [{ tags: ['customer:c1', 'order:1'] }], [1]],
  ['tags that no message has together', [{ tags: ['order:1', 'customer:c2'] }], []],
  ['a type and a tag, both', [{ types: ['Paid'], tags: ['order:1'] }], [2]],
  ['types and tags', [{ types: ['Paid', 'Placed'], tags: ['order:2'] }], [3, 5]],
  ['several items, any of them', [{ types: ['Shipped'] }, { tags: ['order:1'] }], [1, 2, 4]],
  ['items that overlap', [{ types: ['Placed'] }, { tags: ['customer:c1'] }], [1, 3]],
  [
    'an item that matches all beside one that does not',
    [{ types: ['None'] }, {}],
    [1, 2, 3, 4, 5, 6],
  ],
  ['a type that no message has', [{ types: ['None'] }], []],
  ['a tag that no message has', [{ tags: ['order'] }], []],
  ['a type in another case', [{ types: ['placed'] }], [6]],
  ['a tag in another case or with a blank', [{ tags: ['Order:1'] }, { tags: ['order:1 '] }], [6]],
  ['a tag named as a type', [{ tags: ['Placed'] }], []],
  ['a type named as a tag', [{ types: ['order:1'] }], []],
  ['an empty list of tags, which all messages have', [{ types: ['Paid'], tags: [] }], [2, 5]],
  ['an empty list of types, which no message has', [{ types: [] }], []],
]

const judgeCondition = (database: Database, query: Query, after: number): Promise<Verdict> =>
  judge(database, {
    stream: 'new',
    condition: { query, after },
    messages: messages(`after ${after}`),
  })

const matching: readonly Case[] = queries.map(([what, query, positions]) =>
  it(`a query for ${what}: reads and conditions agree`, async ({ database }) => {
    await given(database, 's', log)
    const read = await readAll(database, { query })
    assert.deepEqual(
      read.messages.map(({ position }) => position),
      positions,
    )
    const backwards = await readAll(database, { query, backwards: true })
    assert.deepEqual(
      backwards.messages.map(({ position }) => position),
      positions.toReversed(),
    )
    // A condition fails at each match, and holds right after the last one.
    for (const position of positions) {
      const verdict = await judgeCondition(database, query, position - 1)
      assert.equal(verdict.outcome, 'condition-failed', `after ${position - 1}`)
      const named = verdict.outcome === 'condition-failed' ? verdict.position : 0
      assert.equal(named >= position && positions.includes(named), true, `position ${named}`)
    }
    assert.equal(await head(database), 6)
    assert.equal((await judgeCondition(database, query, positions.at(-1) ?? 0)).outcome, 'appended')
  }),
)

const judged: readonly Case[] = [
  it('a condition asks the whole log, not the stream', async ({ database }) => {
    await given(database, 's', log)
    const query = [{ types: ['Shipped'] }]
    const verdict = await judge(database, {
      stream: 'another',
      expected: 'none',
      condition: { query, after: 0 },
      messages: messages('x'),
    })
    assert.deepEqual(verdict, { outcome: 'condition-failed', position: 4 })
  }),

  it('a condition after the head holds', async ({ database }) => {
    await given(database, 's', log)
    assert.equal((await judgeCondition(database, [], 6)).outcome, 'appended')
    assert.equal((await judgeCondition(database, [], 1000)).outcome, 'appended')
  }),

  it('a condition on an empty log holds', async ({ database }) => {
    assert.equal((await judgeCondition(database, [], 0)).outcome, 'appended')
  }),

  it('an expectation and a condition must both hold', async ({ database }) => {
    await given(database, 's', log)
    const holds = { query: [{ types: ['Placed'] }], after: 3 }
    const fails = { query: [{ types: ['Placed'] }], after: 2 }
    const verdicts = await database.append([
      { stream: 's', expected: 5, condition: holds, messages: messages('a') },
      { stream: 's', expected: 6, condition: fails, messages: messages('b') },
      { stream: 's', expected: 6, condition: holds, messages: messages('c') },
    ])
    assert.deepEqual(outcomes(verdicts), ['conflict', 'condition-failed', 'appended'])
  }),

  it('of many conditions on the same place that race, one holds', async ({ database }) => {
    await given(database, 's', log)
    const condition = { query: [{ tags: ['order:1'] }], after: 2 }
    const race = Array.from({ length: 16 }, (_, index) =>
      judge(database, {
        stream: `racer-${index}`,
        condition,
        messages: [of(`race ${index}`, 'Placed', 'order:1')],
      }),
    )
    const won = outcomes(await Promise.all(race)).filter((outcome) => outcome === 'appended')
    assert.equal(won.length, 1)
    assert.equal(await head(database), 7)
  }),

  it('types and tags that look alike are not confused', async ({ database }) => {
    await given(
      database,
      's',
      hostileNames.map((name, index) => of(`m${index}`, name, name, 'all')),
    )
    for (const [index, name] of hostileNames.entries())
      for (const query of [[{ types: [name] }], [{ tags: [name] }], [{ tags: [name, 'all'] }]]) {
        const { messages: found } = await readAll(database, { query })
        assert.deepEqual(
          found.map(({ id }) => id),
          [`m${index}`],
          JSON.stringify(query),
        )
      }
  }),

  it('a message with the same tag twice is found once', async ({ database }) => {
    await given(database, 's', [of('a', 'T', 'x', 'x'), of('b', 'T', 'x')])
    const { messages: found } = await readAll(database, {
      query: [{ tags: ['x'] }, { types: ['T'] }],
    })
    assert.deepEqual(
      found.map(({ id }) => id),
      ['a', 'b'],
    )
  }),

  it('a query of many items, types and tags is answered', async ({ database }) => {
    await given(database, 's', log)
    const types = Array.from({ length: 300 }, (_, index) => `T${index}`)
    const query = [
      { types: [...types, 'Shipped'] },
      ...types.slice(0, 50).map((tag) => ({ tags: [tag, 'x'] })),
    ]
    assert.deepEqual(
      (await readAll(database, { query })).messages.map(({ id }) => id),
      ['4'],
    )
    assert.equal((await judgeCondition(database, query, 3)).outcome, 'condition-failed')
    assert.equal((await judgeCondition(database, query, 4)).outcome, 'appended')
  }),
]

export const eventsCondition: readonly Case[] = [...matching, ...judged]
