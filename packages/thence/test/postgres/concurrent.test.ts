// The order `concurrent`: an append that is open holds up no other writer, and readers only where it stands; conditions still hold.
import type { AppendRequest, Database } from 'thence'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import type { PostgresOptions } from 'thence/postgres'
import { type PostgresPlace, postgresPlace } from '../kit/postgres.ts'

const place = (): PostgresPlace => {
  const one = postgresPlace()
  onTestFinished(() => one.dispose())
  return one
}

const open = async (
  at: PostgresPlace,
  order: PostgresOptions['order'] = 'concurrent',
): Promise<Database> => {
  const database = at.connect(order === undefined ? {} : { order })
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  await database.migrate()
  return database
}

const request = (stream: string, id: string, tags: readonly string[] = []): AppendRequest => ({
  stream,
  messages: [message(id, { tags })],
})

/** A transaction that has appended, and stays open until it is ended. */
const holding = async (database: Database, appended: AppendRequest) => {
  const written = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const done = database.transact(
    async ({ events }) => {
      await events.append(appended)
      written.resolve()
      await ending.promise
    },
    { timeout: Infinity },
  )
  done.catch(() => undefined)
  await Promise.race([written.promise, done])
  return { done, commit: () => ending.resolve(), undo: () => ending.reject(new Error('undone')) }
}

const idsIn = async (database: Database): Promise<readonly string[]> => {
  const page = await database.read(({ events }) => events.readAll({ limit: 100 }))
  return page.messages.map(({ id }) => id)
}

const heads = (database: Database): Promise<readonly [number, number]> =>
  database.read(async ({ events }) => [await events.head(), await events.head({ unsettled: true })])

it('an open append holds up no other writer, and the log is read up to it until it commits', async () => {
  const at = place()
  const [one, two] = [await open(at), await open(at)]
  const held = await holding(one, request('a', 'first'))
  expect(await two.append([request('b', 'second')])).toMatchObject([{ outcome: 'appended' }])
  expect(await idsIn(two)).toEqual([])
  expect(await heads(two)).toEqual([0, 2])
  held.commit()
  await held.done
  expect(await idsIn(two)).toEqual(['first', 'second'])
  expect(await heads(two)).toEqual([2, 2])
})

it('what was rolled back leaves a gap that nobody waits for', async () => {
  const at = place()
  const [one, two] = [await open(at), await open(at)]
  const held = await holding(one, request('a', 'first'))
  await two.append([request('b', 'second')])
  held.undo()
  await expect(held.done).rejects.toThrow('undone')
  expect(await idsIn(two)).toEqual(['second'])
  expect(await heads(two)).toEqual([2, 2])
})

const conditions = {
  'a tag': [{ tags: ['seat'] }],
  'a type': [{ types: [message('any').type] }],
  everything: [],
}

it.each(Object.entries(conditions))(
  'a condition over %s waits for an open append that it concerns',
  async (_over, query) => {
    const at = place()
    const [one, two] = [await open(at), await open(at)]
    const held = await holding(one, request('a', 'first', ['seat']))
    const asked = two.append([
      { ...request('b', 'second', ['seat']), condition: { query, after: 0 } },
    ])
    const earlier = await Promise.race([asked, waitedFor(at)])
    held.commit()
    expect(earlier).toBe('waits')
    expect(await asked).toMatchObject([{ outcome: 'condition-failed' }])
  },
)

/** Resolves when a session of the store waits for a lock. */
const waitedFor = async (at: PostgresPlace): Promise<'waits'> => {
  const pool = at.pool()
  onTestFinished(() => pool.end())
  for (;;) {
    const { rowCount } = await pool.query(
      "SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.query LIKE '%' || $1 || '%'",
      [at.schema],
    )
    if (rowCount !== 0) return 'waits'
  }
}

it('a store keeps the order that it was made with', async () => {
  const at = place()
  await open(at)
  await expect(open(at, 'sequenced')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  const same = await open(at, undefined)
  expect(await same.append([request('a', 'first')])).toMatchObject([{ position: 1 }])
})
