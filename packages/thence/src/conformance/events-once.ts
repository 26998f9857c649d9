/** `once`: an append that remembers, in the same commit, that a consumer was done with a message. */
import { strict as assert } from 'node:assert'
import type { AppendRequest } from '../ports/events.ts'
import { type Case, casesOf } from './case.ts'
import { given, head, judge, message, messages, outcomes } from './samples.ts'

const it = casesOf('events')
const once = { consumer: 'mail', id: 'in-1' }
const request: AppendRequest = { stream: 's', once, messages: messages('a', 'b') }
const outcome = { stream: 's', version: 2, position: 2, count: 2 }

export const eventsOnce: readonly Case[] = [
  it('an append with once remembers its outcome in the inbox', async ({ database, runtime }) => {
    assert.deepEqual(await judge(database, request), { outcome: 'appended', ...outcome })
    const { time, ...remembered } =
      (await database.read(({ inbox }) => inbox.recall('mail', 'in-1'))) ?? {}
    assert.deepEqual(remembered, outcome)
    assert.equal(time, runtime.now())
  }),

  it('an append with once keeps its digest, and asks nobody for it', async ({ database }) => {
    const named = { ...once, digest: 'first' }
    const other = { ...once, digest: 'second' }
    await judge(database, { ...request, once: named })
    const again = await judge(database, { ...request, once: other, messages: messages('c') })
    assert.deepEqual(again, { outcome: 'duplicate', ...outcome })
    await judge(database, { stream: 's', once: { ...other, id: 'in-2' }, messages: [] })
    const digests = await database.read(async ({ inbox }) => [
      (await inbox.recall('mail', 'in-1'))?.digest,
      (await inbox.recall('mail', 'in-2'))?.digest,
    ])
    assert.deepEqual(digests, ['first', 'second'])
  }),

  it('what was done once gives the first outcome back and writes nothing', async ({ database }) => {
    await judge(database, request)
    await given(database, 's', messages('later'))
    const again = await judge(database, { ...request, messages: messages('c', 'd', 'e') })
    assert.deepEqual(again, { outcome: 'duplicate', ...outcome })
    assert.equal(await head(database), 3)
  }),

  it('what was done once comes before the expectation, the condition, a reused id, another stream', async ({
    database,
  }) => {
    await judge(database, request)
    const condition = { query: [], after: 0 }
    const again = await judge(database, {
      stream: 'elsewhere',
      expected: 77,
      condition,
      once,
      messages: [message('a', { data: '"other"' })],
    })
    assert.deepEqual(again, { outcome: 'duplicate', ...outcome })
  }),

  it('once counts for one consumer and one id', async ({ database }) => {
    await judge(database, request)
    const verdicts = await database.append([
      { stream: 's', once: { consumer: 'mail', id: 'in-2' }, messages: messages('c') },
      { stream: 's', once: { consumer: 'Mail', id: 'in-1' }, messages: messages('d') },
      { stream: 's', once: { consumer: 'mail', id: 'in-1 ' }, messages: messages('e') },
      { stream: 's', once: { consumer: 'mai', id: 'lin-1' }, messages: messages('f') },
    ])
    assert.deepEqual(outcomes(verdicts), ['appended', 'appended', 'appended', 'appended'])
  }),

  it('once is judged inside a batch', async ({ database }) => {
    const second = { ...request, messages: messages('c') }
    const verdicts = await database.append([request, second])
    assert.deepEqual(outcomes(verdicts), ['appended', 'duplicate'])
    assert.equal(await head(database), 2)
  }),

  it('a refused append does not remember its once', async ({ database }) => {
    const refused = await judge(database, { ...request, expected: 'exists' })
    assert.equal(refused.outcome, 'conflict')
    const conditioned = await database.append([
      { stream: 't', messages: messages('t1') },
      { ...request, condition: { query: [], after: 0 } },
      { ...request, messages: [message('t1', { data: '"other"' })] },
    ])
    assert.deepEqual(outcomes(conditioned), ['appended', 'condition-failed', 'id-reused'])
    assert.equal((await judge(database, request)).outcome, 'appended')
  }),

  it('a once without messages is remembered too', async ({ database }) => {
    await given(database, 's', messages('a'))
    const empty = { stream: 's', once, messages: [] }
    const nothing = { stream: 's', version: 1, position: 1, count: 0 }
    assert.deepEqual(await judge(database, empty), { outcome: 'appended', ...nothing })
    await given(database, 's', messages('b'))
    assert.deepEqual(await judge(database, empty), { outcome: 'duplicate', ...nothing })
    assert.deepEqual(await judge(database, { ...request, messages: messages('c') }), {
      outcome: 'duplicate',
      ...nothing,
    })
  }),

  it('what the inbox remembers by hand, an append with once knows', async ({ database }) => {
    const known = { stream: 'x', version: 3, position: 0, count: 1 }
    await database.transact(({ inbox }) =>
      inbox.remember('mail', 'in-1', { ...known, result: '{}' }),
    )
    assert.deepEqual(await judge(database, request), { outcome: 'duplicate', ...known })
  }),

  it('what the inbox forgot may be done again', async ({ database, runtime }) => {
    await judge(database, request)
    await database.transact(({ inbox }) => inbox.trim(runtime.now() + 1, 1))
    const verdict = await judge(database, { ...request, messages: messages('c') })
    assert.equal(verdict.outcome, 'appended')
  }),
]
