// What is committed above an append that stays open, in the order `concurrent`: who is told of it and when, and what an operator is told of the append.
import type { Database } from 'thence'
import { ManualRuntime } from 'thence/conformance'
import { expect, it, onTestFinished, vi } from 'vitest'
import { holdingOwn, open, place, request } from '../kit/open-append.ts'

const order = 'concurrent'

/** The heads of which a process is told. */
const heard = async (database: Database): Promise<readonly number[]> => {
  const told: number[] = []
  const began = Promise.withResolvers<void>()
  database.listen!({
    heard: (head) => (head === undefined ? began.resolve() : told.push(head)),
    lost: began.reject,
  })
  await began.promise
  return told
}

const until = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 25_000, interval: 5 })

it.each(['commit', 'undo'] as const)(
  'what was committed above an open append is told once that has ended, without anybody who looks (%s)',
  async (how) => {
    const at = place()
    // What the clock of the listener does not do, nobody finds by looking.
    const listener = await open(at, { order, listen: true }, new ManualRuntime())
    const runtime = new ManualRuntime()
    const writer = await open(at, { order }, runtime)
    const told = await heard(listener)
    const held = await holdingOwn(at, writer, request('a', 'first'))
    await writer.append([request('b', 'second')])
    await writer.append([request('b', 'third')])
    // It looks again and again, and has nothing to tell.
    for (let times = 0; times < 20; times += 1) {
      runtime.advance(50)
      expect(await writer.read(({ events }) => events.head())).toBe(0)
    }
    expect(told).toEqual([])
    await held[how]()
    await until(() => {
      runtime.advance(50)
      expect(told.at(-1)).toBe(3)
    })
    expect(new Set(told).size).toBe(told.length)
  },
)

it('who commits the lowest append tells at once of all that stands above it', async () => {
  const at = place()
  const listener = await open(at, { order, listen: true }, new ManualRuntime())
  const runtime = new ManualRuntime()
  const writer = await open(at, { order }, runtime)
  const told = await heard(listener)
  const written = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const done = writer.transact(async ({ events }) => {
    await events.append(request('a', 'first'))
    written.resolve()
    await ending.promise
  })
  await written.promise
  await writer.append([request('b', 'second')])
  for (let times = 0; times < 20; times += 1) {
    runtime.advance(50)
    await writer.read(({ events }) => events.head())
  }
  ending.resolve()
  await done
  // What lies between two hints anyway, not the pause between two looks.
  let passed = 0
  await until(() => {
    if (passed < 20) runtime.advance(5)
    passed += 5
    expect(told).toEqual([2])
  })
})

const orderFound = async (database: Database): Promise<string | undefined> => {
  const findings = (await database.diagnose?.()) ?? []
  const found = findings.find(({ check }) => check === 'order')
  return found && [found.state, found.text].join(': ')
}

it('the doctor tells whose open append readers wait for', async () => {
  const at = place()
  const writer = await open(at)
  expect(await orderFound(writer)).toBe('ok: concurrent; the log can be read to its end')
  await writer.append([request('z', 'zeroth')])
  const held = await holdingOwn(at, writer, request('a', 'first'))
  // Nothing stands above it yet.
  expect(await orderFound(writer)).toBe('ok: concurrent; the log can be read to its end')
  await held.client.query("SET LOCAL application_name = 'billing'")
  const higher = await holdingOwn(at, writer, request('b', 'second'))
  await writer.append([request('c', 'third')])
  const { rows } = await held.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  expect(await orderFound(writer)).toMatch(
    new RegExp(
      `^ok: concurrent; the log can be read to 1 of 4, up to where pid ${rows[0]?.pid} \\(billing, [^)]*\\), idle in transaction, ` +
        'has appended; its transaction is \\d+ s old$',
    ),
  )
  await higher.undo()
  await held.commit()
  expect(await orderFound(writer)).toBe('ok: concurrent; the log can be read to its end')
})

it('the doctor names a prepared transaction that readers wait for', async () => {
  const at = place()
  const writer = await open(at)
  const pool = at.pool()
  onTestFinished(() => pool.end())
  const name = `held_${at.schema}`
  await pool.query(`BEGIN; SELECT take_positions(1); PREPARE TRANSACTION '${name}'`)
  await writer.append([request('a', 'first')])
  const found = await orderFound(writer)
  await pool.query(`ROLLBACK PREPARED '${name}'`)
  expect(found).toContain(`to 0 of 2, up to where the prepared transaction ${name}, has appended`)
  expect(await orderFound(writer)).toBe('ok: concurrent; the log can be read to its end')
})

it('the doctor tells of the order sequenced too', async () => {
  expect(await orderFound(await open(place(), {}))).toBe('ok: sequenced')
})
