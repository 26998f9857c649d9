/** The verdicts: what is refused, what is a duplicate, in which order that is judged, and that refusing costs nothing. */
import { strict as assert } from 'node:assert'
import type { AppendRequest, Expected, NewMessage, Verdict } from '../ports/events.ts'
import { type Case, casesOf } from './case.ts'
import {
  given,
  head,
  hostileNames,
  idsOf,
  judge,
  message,
  messages,
  outcomes,
  readAll,
  readStream,
} from './samples.ts'

const it = casesOf('events')
const other = '{"note":"other"}'

const expectations: readonly Case[] = [
  ...(
    [
      ['a version that the stream has', 2, 'appended'],
      ['a version below that of the stream', 1, 'conflict'],
      ['a version above that of the stream', 3, 'conflict'],
      ['version 0 of a stream that exists', 0, 'conflict'],
      ["'none' of a stream that exists", 'none', 'conflict'],
      ["'exists' of a stream that exists", 'exists', 'appended'],
    ] satisfies [string, Expected, string][]
  ).map(([what, expected, outcome]) =>
    it(`expecting ${what} gives ${outcome}`, async ({ database }) => {
      await given(database, 's', messages('a', 'b'))
      await given(database, 't', messages('c'))
      const verdict = await judge(database, { stream: 's', expected, messages: messages('d') })
      if (outcome === 'conflict') assert.deepEqual(verdict, { outcome, actual: 2 })
      else assert.equal(verdict.outcome, outcome)
      assert.equal(await head(database), outcome === 'conflict' ? 3 : 4)
    }),
  ),

  ...(
    [
      ['version 0', 0, 'appended'],
      ['version 1', 1, 'conflict'],
      ["'none'", 'none', 'appended'],
      ["'exists'", 'exists', 'conflict'],
    ] satisfies [string, Expected, string][]
  ).map(([what, expected, outcome]) =>
    it(`expecting ${what} of a stream that does not exist gives ${outcome}`, async ({
      database,
    }) => {
      await given(database, 't', messages('a'))
      const verdict = await judge(database, { stream: 's', expected, messages: messages('b') })
      if (outcome === 'conflict') assert.deepEqual(verdict, { outcome, actual: 0 })
      else assert.equal(verdict.outcome, outcome)
    }),
  ),

  it('an expectation is judged for a request without messages too', async ({ database }) => {
    const once = { consumer: 'c', id: '1' }
    const verdict = await judge(database, { stream: 's', expected: 'exists', once, messages: [] })
    assert.deepEqual(verdict, { outcome: 'conflict', actual: 0 })
    assert.equal(await database.read(({ inbox }) => inbox.recall('c', '1')), undefined)
  }),
]

const batches: readonly Case[] = [
  it('a request sees those before it in its batch', async ({ database }) => {
    const verdicts = await database.append([
      { stream: 's', expected: 'none', messages: messages('a', 'b') },
      { stream: 's', expected: 'none', messages: messages('c') },
      { stream: 's', expected: 2, messages: messages('d') },
      { stream: 's', messages: messages('a', 'b') },
      { stream: 't', messages: messages('d') },
      {
        stream: 't',
        condition: { query: [{ types: ['Noted'] }], after: 2 },
        messages: messages('e'),
      },
      {
        stream: 't',
        condition: { query: [{ types: ['Noted'] }], after: 3 },
        messages: messages('f'),
      },
    ])
    assert.deepEqual(outcomes(verdicts), [
      'appended',
      'conflict',
      'appended',
      'duplicate',
      'id-reused',
      'condition-failed',
      'appended',
    ])
    assert.deepEqual(idsOf((await readAll(database)).messages), ['a', 'b', 'd', 'f'])
  }),

  it('a refused request neither aborts the others nor burns positions', async ({ database }) => {
    await given(database, 's', messages('a'))
    const verdicts = await database.append([
      { stream: 's', messages: messages('b') },
      { stream: 's', expected: 7, messages: messages('x', 'y', 'z') },
      { stream: 's', messages: [message('new'), message('a', { data: other })] },
      { stream: 's', condition: { query: [], after: 0 }, messages: messages('w') },
      { stream: 's', messages: messages('a') },
      { stream: 's', messages: messages('c') },
    ])
    const positions = verdicts.map(
      (verdict) => 'stream' in verdict && [verdict.version, verdict.position],
    )
    assert.deepEqual(positions, [[2, 2], false, false, false, [1, 1], [3, 3]])
    assert.equal((await given(database, 's', messages('d'))).position, 4)
    assert.deepEqual(idsOf(await readStream(database, 's')), ['a', 'b', 'c', 'd'])
  }),

  it('the ids of a refused request stay free', async ({ database }) => {
    await judge(database, { stream: 's', expected: 'exists', messages: messages('a') })
    const verdict = await judge(database, {
      stream: 't',
      messages: [message('a', { data: other })],
    })
    assert.equal(verdict.outcome, 'appended')
  }),
]

const first: AppendRequest = { stream: 's', expected: 1, messages: messages('a', 'b') }
const firstAgain: Verdict = { outcome: 'duplicate', stream: 's', version: 3, position: 4, count: 2 }

/** A log in which `first` stands between others. */
const stored: readonly AppendRequest[] = [
  { stream: 's', messages: messages('before') },
  { stream: 't', messages: messages('of t') },
  first,
  { stream: 's', messages: messages('after') },
]

const reuse = (name: string, request: AppendRequest, verdict: Verdict): Case =>
  it(name, async ({ database }) => {
    assert.deepEqual(new Set(outcomes(await database.append(stored))), new Set(['appended']))
    assert.deepEqual(await judge(database, request), verdict)
    assert.equal(await head(database), 5, 'nothing was written')
    assert.equal((await given(database, 's', messages('next'))).position, 6)
  })

const ordered = { stream: 's', messages: [message('o', { data: '{"a":[1,{"b":2,"c":3}],"d":4}' })] }

const alike: readonly Case[] = [
  ...(
    [
      ['keys in another order are the same data', { data: '{"d":4,"a":[1,{"c":3,"b":2}]}' }],
      [
        'data of another schema version is not compared',
        { schemaVersion: 2, data: '{"a":1,"new":true}' },
      ],
    ] satisfies [string, Partial<NewMessage>][]
  ).map(([name, change]) =>
    it(name, async ({ database }) => {
      const at = await given(database, 's', ordered.messages)
      const verdict = await judge(database, { stream: 's', messages: [message('o', change)] })
      assert.deepEqual(verdict, { ...at, outcome: 'duplicate' })
      assert.deepEqual(
        (await readStream(database, 's')).map(({ data }) => data),
        [ordered.messages[0]?.data],
      )
    }),
  ),
  ...(
    [
      ['values in another order', { data: '{"a":[{"b":2,"c":3},1],"d":4}' }],
      ['a value more', { data: '{"a":[1,{"b":2,"c":3}],"d":4,"e":null}' }],
      ['a number that is text', { data: '{"a":[1,{"b":2,"c":3}],"d":"4"}' }],
      ['another type of another schema version', { schemaVersion: 2, type: 'Other' }],
    ] satisfies [string, Partial<NewMessage>][]
  ).map(([name, change]) =>
    it(`${name} is another message`, async ({ database }) => {
      await given(database, 's', ordered.messages)
      const messages = [message('o', { ...ordered.messages[0], ...change })]
      const verdict = await judge(database, { stream: 's', messages })
      assert.deepEqual(verdict, { outcome: 'id-reused', id: 'o' })
    }),
  ),
]

const duplicates: readonly Case[] = [
  reuse('the same request again is a duplicate that tells where it was written', first, firstAgain),
  reuse(
    'the same messages without the expectation are a duplicate',
    { stream: 's', messages: first.messages },
    firstAgain,
  ),
  reuse(
    'the same messages are a duplicate though the condition is broken by now',
    { ...first, condition: { query: [], after: 0 } },
    firstAgain,
  ),
  reuse(
    'only type and data make a message the same; what a retry stamps anew does not',
    {
      ...first,
      messages: ['a', 'b'].map((id) => message(id, { time: 9, causationId: 'c', tags: ['t'] })),
    },
    firstAgain,
  ),
  reuse(
    'a part of the messages of an earlier append is a duplicate',
    { stream: 's', messages: messages('a') },
    { outcome: 'duplicate', stream: 's', version: 2, position: 3, count: 1 },
  ),
  reuse(
    'ids of which only some are stored are refused as a whole',
    { stream: 's', messages: messages('a', 'b', 'new') },
    { outcome: 'id-reused', id: 'a' },
  ),
  reuse(
    'a stored id after new ones is refused as a whole',
    { stream: 's', messages: messages('new', 'b') },
    { outcome: 'id-reused', id: 'b' },
  ),
  reuse(
    'an id with other data is refused',
    { stream: 's', messages: [message('a', { data: other })] },
    { outcome: 'id-reused', id: 'a' },
  ),
  reuse(
    'an id with another type is refused',
    { stream: 's', messages: [message('a', { type: 'Other' })] },
    { outcome: 'id-reused', id: 'a' },
  ),
  reuse(
    'an id of another stream is refused',
    { stream: 't', messages: messages('a') },
    { outcome: 'id-reused', id: 'a' },
  ),
  reuse(
    'an id twice in one request is refused',
    { stream: 's', messages: messages('new', 'new') },
    { outcome: 'id-reused', id: 'new' },
  ),
  reuse(
    'a broken expectation comes before a reused id',
    { stream: 's', expected: 1, messages: [message('a', { data: other })] },
    { outcome: 'conflict', actual: 4 },
  ),
  reuse(
    'a broken expectation comes before a broken condition',
    { stream: 's', expected: 1, condition: { query: [], after: 4 }, messages: messages('new') },
    { outcome: 'conflict', actual: 4 },
  ),
  reuse(
    'a broken condition comes before a reused id',
    { stream: 's', condition: { query: [], after: 4 }, messages: [message('a', { data: other })] },
    { outcome: 'condition-failed', position: 5 },
  ),

  it('ids that differ in case, blanks or accents are different ids', async ({ database }) => {
    for (const id of hostileNames) {
      const verdict = await judge(database, {
        stream: 's',
        messages: [message(id, { data: other })],
      })
      assert.equal(verdict.outcome, 'appended', JSON.stringify(id))
    }
    assert.equal(await head(database), hostileNames.length)
  }),

  it('a duplicate inside one batch is written once', async ({ database }) => {
    const request = { stream: 's', messages: messages('a', 'b') }
    assert.deepEqual(await database.append([request, request]), [
      { outcome: 'appended', stream: 's', version: 2, position: 2, count: 2 },
      { outcome: 'duplicate', stream: 's', version: 2, position: 2, count: 2 },
    ])
  }),
]

export const eventsVerdict: readonly Case[] = [...expectations, ...batches, ...alike, ...duplicates]
