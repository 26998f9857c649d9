/** Being told of what others append. The clock of a case stands still, so nothing here is found by looking now and then. */
import { strict as assert } from 'node:assert'
import type { Capabilities, Database } from '../ports/database.ts'
import type { Listening } from '../ports/listening.ts'
import { type Case, casesOf, shared } from './case.ts'
import { head, messages } from './samples.ts'

const it = casesOf('listening')

const notifies = (capabilities: Capabilities): string | undefined =>
  capabilities.notifies ? shared(capabilities) : 'it tells nobody of what others append'

interface Ear extends Listening {
  /** What it was told; undefined: to look. */
  readonly heard: readonly (number | undefined)[]
  /** Resolves when something was heard that was wanted. */
  until(wanted: (head: number | undefined) => boolean): Promise<void>
}

/** Listens, and counts by looks into the store: so many are time enough for any hint. */
const listen = (database: Database): Ear => {
  const heard: (number | undefined)[] = []
  const listening = database.listen!({
    heard: (head) => void heard.push(head),
    lost: () => undefined,
  })
  return {
    heard,
    get live() {
      return listening.live
    },
    stop: () => listening.stop(),
    async until(wanted) {
      for (let looks = 0; looks < 5000; looks += 1) {
        if (heard.some(wanted)) return
        await head(database)
      }
      assert.fail(`it heard only ${JSON.stringify(heard)}`)
    },
  }
}

/** An ear that hears. */
const listenWell = async (database: Database): Promise<Ear> => {
  const ear = listen(database)
  await ear.until((known) => known === undefined)
  assert.equal(ear.live, true)
  return ear
}

const append = (database: Database, stream: string, id: string): Promise<unknown> =>
  database.append([{ stream, messages: messages(id) }])

export const listening: readonly Case[] = [
  it(
    'whoever begins to listen is told to look, outside of the call',
    async ({ database }) => {
      const ear = listen(database)
      assert.deepEqual(ear.heard, [])
      await ear.until((known) => known === undefined)
      assert.equal(ear.live, true)
      await ear.stop()
      assert.equal(ear.live, false)
    },
    { requires: notifies },
  ),

  it(
    'what is appended elsewhere is heard, with how far the log goes',
    async (subject) => {
      const { database } = subject
      const ear = await listenWell(await subject.second())
      await append(database, 'a', 'a1')
      await ear.until((known) => known === 1)
      await ear.stop()
    },
    { requires: notifies },
  ),

  it(
    'what a transaction appends is heard once it is committed',
    async (subject) => {
      const { database } = subject
      const ear = await listenWell(await subject.second())
      await database.transact(async ({ events }) => {
        await events.append({ stream: 'a', messages: messages('a1', 'a2') })
        assert.deepEqual(
          ear.heard.filter((known) => known !== undefined),
          [],
        )
      })
      await ear.until((known) => known === 2)
      await ear.stop()
    },
    { requires: notifies },
  ),

  it(
    'what is heard of can be read',
    async (subject) => {
      const { database } = subject
      const other = await subject.second()
      const heads: Promise<readonly [number, number]>[] = []
      const listener = {
        heard: (known = 0) => void heads.push(head(other).then((found) => [known, found] as const)),
        lost: () => undefined,
      }
      const hearing = other.listen!(listener)
      const ear = await listenWell(other)
      await append(database, 'a', 'a1')
      await ear.until((known) => known === 1)
      await hearing.stop()
      await ear.stop()
      for (const [known, found] of await Promise.all(heads)) assert.equal(found >= known, true)
    },
    { requires: notifies },
  ),

  it(
    'after the stop nothing is heard, and another ear goes on',
    async (subject) => {
      const { database } = subject
      const other = await subject.second()
      const [stopped, goes] = [await listenWell(other), await listenWell(other)]
      await stopped.stop()
      await stopped.stop()
      const before = stopped.heard.length
      await append(database, 'a', 'a1')
      await goes.until((known) => known === 1)
      assert.equal(stopped.heard.length, before)
    },
    { requires: notifies },
  ),

  it(
    'closing ends listening',
    async (subject) => {
      const { database } = subject
      const other = await subject.second()
      const ear = await listenWell(other)
      await other.close()
      assert.equal(ear.live, false)
      await append(database, 'a', 'a1')
    },
    { requires: notifies },
  ),
]
