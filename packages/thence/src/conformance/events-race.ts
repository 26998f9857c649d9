/**
 * Many at once: writers that race for a stream, the same request sent many times, a reader that polls while others
 * write. Each case asserts that what it is about did happen.
 */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf, shared } from './case.ts'
import {
  idsOf,
  judge,
  message,
  messages,
  numbered,
  outcomes,
  readAll,
  readStream,
  whileTimePasses,
} from './samples.ts'

const it = casesOf('events')

/** Appends to `stream` at the version it read, again and again, until it has won `wins` times. */
async function contend(database: Database, name: string, wins: number): Promise<number> {
  let conflicts = 0
  for (let won = 0; won < wins;) {
    const expected = (await readStream(database, 'contended')).length
    const request = { stream: 'contended', expected, messages: messages(`${name} ${won}`) }
    if ((await judge(database, request)).outcome === 'appended') won += 1
    else conflicts += 1
    assert.equal(conflicts < 500, true, `${name} never wins`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return conflicts
}

async function assertContended(databases: readonly Database[]): Promise<void> {
  const writers = numbered('w', 8)
  const conflicts = await Promise.all(
    writers.map((name, index) => contend(databases[index % databases.length] as Database, name, 5)),
  )
  assert.equal(conflicts.reduce((sum, one) => sum + one) > 0, true, 'they did race')
  for (const database of databases) {
    const stored = await readStream(database, 'contended')
    assert.deepEqual(
      stored.map(({ version }) => version),
      numbered('', 40).map(Number),
    )
    const won = writers.flatMap((name) => [0, 1, 2, 3, 4].map((index) => `${name} ${index}`))
    assert.deepEqual(idsOf(stored).toSorted(), won.toSorted())
  }
}

/** Polls after the last position seen until it has `count` messages. */
async function poll(database: Database, count: number): Promise<{ ids: string[]; polls: number }> {
  const ids: string[] = []
  let polls = 0
  for (let after = 0; ids.length < count; polls += 1) {
    assert.equal(polls < 2000, true, `it got only ${ids.length} of ${count} messages`)
    const page = await readAll(database, { after, limit: 7 })
    for (const { position, id } of page.messages) {
      assert.equal(position > after, true, 'positions grow')
      after = position
      ids.push(id)
    }
    after = Math.max(after, page.through)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { ids, polls }
}

async function assertNothingSkipped(writeTo: readonly Database[], reader: Database): Promise<void> {
  const rounds = 10
  const write = async (writer: number): Promise<void> => {
    const database = writeTo[writer % writeTo.length] as Database
    for (let round = 0; round < rounds; round += 1) {
      const ids = [`${writer}/${round}/a`, `${writer}/${round}/b`]
      const request = { stream: `s${writer % 3}`, messages: ids.map((id) => message(id)) }
      if (round % 2 === 0) await database.append([request])
      else await database.transact(({ events }) => events.append(request))
    }
  }
  const reading = poll(reader, 16 * rounds * 2)
  await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)))
  const { ids, polls } = await reading
  assert.equal(polls > 3, true, 'it did read while others wrote')
  const { messages: all } = await readAll(reader)
  assert.equal(all.length, 16 * rounds * 2)
  assert.deepEqual(ids, idsOf(all))
  for (const stream of ['s0', 's1', 's2']) {
    const versions = all.filter((one) => one.stream === stream).map(({ version }) => version)
    assert.deepEqual(versions, numbered('', versions.length).map(Number))
  }
}

export const eventsRace: readonly Case[] = [
  it('of writers that race for a version of a stream, one wins each', async ({ database }) => {
    await assertContended([database])
  }),

  it(
    'writers of two processes that race for a version of a stream: one wins each',
    async (subject) => {
      const second = await subject.second()
      await whileTimePasses(subject.runtime, assertContended([subject.database, second]))
    },
    { requires: shared },
  ),

  it('the same request sent many times at once is written once', async ({ database }) => {
    const request = { stream: 's', expected: 'none' as const, messages: messages('a', 'b') }
    const sent = await Promise.all(Array.from({ length: 16 }, () => judge(database, request)))
    const appended = outcomes(sent).filter((outcome) => outcome === 'appended')
    assert.equal(appended.length, 1)
    assert.equal(outcomes(sent).filter((outcome) => outcome === 'duplicate').length, 15)
    assert.deepEqual(idsOf((await readAll(database)).messages), ['a', 'b'])
  }),

  it('a reader that polls while sixteen writers append skips nothing', async ({ database }) => {
    await assertNothingSkipped([database], database)
  }),

  it(
    'a reader in another process skips nothing of what two processes append',
    async (subject) => {
      const second = await subject.second()
      const reader = await subject.second()
      await whileTimePasses(
        subject.runtime,
        assertNothingSkipped([subject.database, second], reader),
      )
    },
    { requires: shared },
  ),
]
