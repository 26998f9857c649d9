// Commands and sagas that wait together are worked on in few calls, however many they are; what follows them in the same transaction
// sees them one after the other, and one that fails takes none along.
import {
  aggregate,
  app,
  command,
  documents,
  event,
  plain,
  projection,
  query,
  saga,
  step,
} from 'thence'
import type { App } from 'thence'
import type { Pool, PoolClient } from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

const data = plain<{ id: string }>()
const Close = command('Close', data)
const [Opened, Closed] = [event('Opened', data), event('Closed', data)]
const Count = query('Count', { input: plain<null>(), output: plain<number>() })

const door = aggregate('door', {
  initial: () => false,
  evolve: (on) => on(Opened, () => true).on(Closed, () => false),
  decide: (on) =>
    on(Close, (open, { data: { id } }) => {
      if (id === 'stuck') throw new Error('stuck')
      return open ? Closed({ id }) : []
    }),
  stream: ({ data: { id } }) => id,
})

const visit = saga('visit', {
  startedBy: Opened,
  key: ({ data: { id } }) => id,
  steps: [step('close', { do: Close, done: Closed })],
})

/** One document that every event changes. */
const counted = projection('counted', {
  inline: true,
  view: documents<{ count: number }>(),
  on: (on) =>
    on(Closed, async (_, view) => {
      const before = await view.get('all')
      await view.put('all', { count: (before?.count ?? 0) + 1 })
    }),
  answers: (on) => on(Count, async (_, view) => (await view.get('all'))?.count ?? 0),
})

/** Notes the text of whatever a pool is asked. */
const note = (pool: Pool, texts: string[]): void => {
  pool.on('connect', (client: PoolClient) => {
    const ask = client.query.bind(client) as (...given: unknown[]) => never
    vi.spyOn(client, 'query').mockImplementation((...given: unknown[]): never => {
      const [asked] = given as [string | { readonly text: string }]
      texts.push(typeof asked === 'string' ? asked : asked.text)
      return ask(...given)
    })
  })
}

const finished = async (running: Pick<App, 'log'>): Promise<number> => {
  let count = 0
  for await (const { type } of running.log()) if (type === 'visit.finished') count += 1
  return count
}

/** Doors that were opened while nobody looked are closed; gives what was asked of the server for that. */
const closeAll = async (ids: readonly string[], closed: number) => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const before = await app({ database: place.connect() }).messages(Opened).start()
  await Promise.all(
    ids.map((id) => before.append({ stream: `door-${id}`, events: [Opened({ id })] })),
  )
  await before.stop()
  const texts: string[] = []
  const pool = place.pool()
  note(pool, texts)
  const running = await app({ database: place.connect({ pool }) })
    .use(door, visit, counted)
    .start()
  onTestFinished(() => running.stop())
  await vi.waitFor(async () => expect(await finished(running)).toBe(closed), { timeout: 20_000 })
  expect(await running.ask(Count(null))).toBe(closed)
  return texts
}

const ids = Array.from({ length: 64 }, (_, index) => `d${index}`)

it('sagas and commands that wait together are worked on in few calls', async () => {
  const texts = await closeAll(ids, ids.length)
  // The sagas begin, the commands are decided, the sagas end: one by one that would be three for each.
  const appends = texts.filter((text) => text.includes('.append('))
  expect(appends.length).toBeLessThanOrEqual(ids.length / 2)
  const reads = texts.filter((text) => text.includes('.events WHERE stream = '))
  expect(reads.length).toBeLessThanOrEqual(ids.length / 2)
})

it('a command that fails takes none along that was decided beside it', async () => {
  await closeAll([...ids.slice(0, 20), 'stuck'], 20)
})
