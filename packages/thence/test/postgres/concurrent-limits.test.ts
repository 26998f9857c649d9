// Where the order `concurrent` meets the limits of the server: an append with more tags than the server has locks for, and a standby, on
// which nobody sees who has appended.
import type { Database } from 'thence'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import type { PostgresPlace } from '../kit/postgres.ts'
import { holdingOwn, open, place, request, waitedFor } from '../kit/open-append.ts'

/** So many that they take a quarter of the server's locks, and one more. */
const tooMany = async (at: PostgresPlace): Promise<readonly string[]> => {
  const pool = at.pool()
  const { rows } = await pool.query<{ most: number }>(
    "SELECT current_setting('max_locks_per_transaction')::integer * current_setting('max_connections')::integer / 4 AS most",
  )
  await pool.end()
  return Array.from({ length: rows[0]!.most + 1 }, (_, index) => `t${index}`)
}

const two = async (at: PostgresPlace): Promise<readonly [Database, Database]> => [
  await open(at),
  await open(at),
]

it('an append with very many tags takes few locks, and who asks for one of them waits for it', async () => {
  const at = place()
  const [one, other] = await two(at)
  const tags = await tooMany(at)
  const held = await holdingOwn(at, one, request('a', 'first', tags))
  const { rows } = await held.client.query(
    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
  )
  // The stream, the whole log and the mark.
  expect(rows).toHaveLength(3)
  const condition = { query: [{ tags: [tags.at(-1)!] }], after: 0 }
  const asked = other.append([{ ...request('b', 'second'), condition }])
  const earlier = await Promise.race([asked, waitedFor(at)])
  await held.commit()
  expect(earlier).toBe('waits')
  expect(await asked).toMatchObject([{ outcome: 'condition-failed' }])
})

it('an append with very many tags waits for a condition over one of them, also of an append without messages', async () => {
  const at = place()
  const [one, other] = await two(at)
  const tags = await tooMany(at)
  const held = await holdingOwn(at, one, {
    stream: 'a',
    messages: [],
    once: { consumer: 'mail', id: '1' },
    condition: { query: [{ tags: [tags[0]!] }], after: 0 },
  })
  const asked = other.append([request('b', 'first', tags)])
  const earlier = await Promise.race([asked, waitedFor(at)])
  await held.commit()
  expect(earlier).toBe('waits')
  expect(await asked).toMatchObject([{ outcome: 'appended' }])
})

it('nothing is read from a standby, which does not see whose append is open', async () => {
  const at = place()
  const primary = await open(at)
  await primary.append([request('a', 'first')])
  const beside = at.pool()
  onTestFinished(() => beside.end())
  // The server says that it is one to those alone who find this function first.
  await beside.query(
    'CREATE FUNCTION pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS $$SELECT true$$',
  )
  const pool = at.pool()
  pool.options.options = `-c search_path=${at.schema},pg_catalog`
  const standby = at.connect({ pool, listen: false })
  onTestFinished(() => standby.close())
  await standby.open(virtualRuntime())
  const findings = (await standby.diagnose?.()) ?? []
  expect(findings.find(({ check }) => check === 'order')).toMatchObject({
    state: 'warning',
    text: 'concurrent; a standby cannot be read',
  })
  const refused = { code: 'STORE_READ_ONLY', message: expect.stringContaining('primary') }
  for (const apart of [true, false])
    await expect(
      standby.read(({ events }) => events.readAll({ limit: 9 }), { apart }),
    ).rejects.toMatchObject(refused)
  const { messages } = await primary.read(({ events }) => events.readAll({ limit: 9 }))
  expect(messages).toHaveLength(1)
})
