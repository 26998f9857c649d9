/**
 * Ten thousand dead letters are sent through again by one job: from its start until the effect of the last is committed.
 * Each effect is an event in the store, so that it can be counted; beside it the same letters taken and the same events
 * written by hand, as many to a transaction as the job takes, and each letter in one of its own.
 */
import { performance } from 'node:perf_hooks'
import { event, handler, plain } from 'thence'
import type { App, Handler } from 'thence'
import { startRedrive } from 'thence/admin'
import type { Case, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { prepared } from './filled.ts'
import type { Payload } from './load.ts'
import { payload, streamOf, sumOf, versionBefore } from './load.ts'
import { appOn, ItemAdded } from './ours.ts'
import { RawStore } from './raw.ts'

const letters = 10_000
/** Letters in one transaction of the job. */
const batch = 200
const patience = 120_000

const amount = ({ scale }: Setting): number => Math.round(letters * scale)

const ItemShipped = event('ItemShipped', plain<Payload>())

/** Where the effect of a letter goes. */
const shelfOf = (n: number): string => `shelf-${streamOf(n)}`

/** Every letter has a key of its own: none waits behind another. */
const ships = (fails: boolean): Handler =>
  handler('ships', ItemAdded, {
    key: ({ id }) => id,
    retry: { attempts: 1 },
    run: ({ data }, { append }) => {
      if (fails) throw new Error('There is no van.')
      append(shelfOf(data.n), ItemShipped(data))
    },
  })

const startShip = (path: string, fails: boolean): Promise<App<never, never>> =>
  appOn(path, { logger: false }).use(ships(fails)).messages(ItemShipped).start()

/** A file in which every event has become a dead letter. */
const fillParked = async (path: string, count: number): Promise<void> => {
  await using running = await startShip(path, true)
  for (let n = 0; n < count; n += 1)
    await running.append({ stream: streamOf(n), events: ItemAdded(payload(n)) })
  await running.whenIdle()
}

/** Resolves when so many letters went through. */
const resolved = (running: Pick<App, 'listen'>, count: number): Promise<void> => {
  const all = Promise.withResolvers<void>()
  const late = new Error(`not all of ${count} letters went through`)
  const patient = setTimeout(() => all.reject(late), patience)
  let seen = 0
  running.listen(['message-resolved'], () => {
    seen += 1
    if (seen === count) all.resolve()
  })
  return all.promise.finally(() => clearTimeout(patient))
}

/** One effect of each letter, no more. */
const checkShipped = (shipped: readonly number[], count: number): void => {
  check('effects', shipped.length, count)
  check('different ones', new Set(shipped).size, count)
  check(
    'their sum',
    shipped.reduce((sum, n) => sum + n, 0),
    sumOf(count),
  )
}

const ours: Case = {
  name: 'thence, a job',
  side: 'ours',
  async run(setting) {
    const count = amount(setting)
    const path = await prepared(setting, `parked-${count}`, (file) => fillParked(file, count))
    const running = await startShip(path, false)
    await running.whenIdle()
    const all = resolved(running, count)
    const start = performance.now()
    await startRedrive({ database: running.database })
    running.wake()
    await all
    const seconds = (performance.now() - start) / 1000
    await running.whenIdle()
    const shipped: number[] = []
    for await (const { data } of running.log({ query: [{ types: [ItemShipped.type] }] }))
      shipped.push((data as Payload).n)
    const counts = await running.database.read(({ deadLetters }) => deadLetters.counts())
    await running.stop()
    checkShipped(shipped, count)
    check('letters that went through', counts.resolved, count)
    check('letters still parked or on their way', counts.parked + counts.redriven, 0)
    return { value: count / seconds, beside: { 'seconds in all': seconds } }
  },
}

const letterTable = `
CREATE TABLE letters (
  id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX letters_state ON letters (state, id)`

const fillLetters = async (path: string, count: number): Promise<void> => {
  const store = new RawStore(path)
  store.database.exec(`${letterTable}; BEGIN`)
  const insert = store.database.prepare("INSERT INTO letters VALUES (?, 'parked', ?)")
  for (let n = 0; n < count; n += 1) insert.run(n + 1, JSON.stringify(payload(n)))
  store.database.exec('COMMIT')
  store.close()
}

/** Takes so many, writes the effect of each and marks them, in one transaction; gives how many there were. */
const redriver = ({ database }: RawStore, size: number): (() => number) => {
  const take = database.prepare(
    "SELECT id, message FROM letters WHERE state = 'parked' ORDER BY id LIMIT ?",
  )
  const insert = database.prepare(
    'INSERT INTO events (stream, version, id, type, data, time) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const mark = database.prepare(
    "UPDATE letters SET state = 'resolved' WHERE id = ? AND state = 'parked'",
  )
  return () => {
    database.exec('BEGIN IMMEDIATE')
    const rows = take.all(size) as { id: number; message: string }[]
    for (const { id, message } of rows) {
      const data = JSON.parse(message) as Payload
      const [text, version] = [JSON.stringify(data), versionBefore(data.n) + 1]
      insert.run(shelfOf(data.n), version, `shipped-${id}`, ItemShipped.type, text, Date.now())
      check('letter marked', Number(mark.run(id).changes), 1)
    }
    database.exec('COMMIT')
    return rows.length
  }
}

const byHand = (size: number): Case => ({
  name: size === 1 ? 'raw, each letter alone' : `raw, ${size} letters to a transaction`,
  side: 'raw',
  async run(setting) {
    const count = amount(setting)
    const path = await prepared(setting, `letters-${count}`, (file) => fillLetters(file, count))
    const store = new RawStore(path)
    const redriveSome = redriver(store, size)
    const start = performance.now()
    while (redriveSome() > 0);
    const seconds = (performance.now() - start) / 1000
    const shipped = store.page(0, count + 1).map(({ data }) => (JSON.parse(data) as Payload).n)
    store.close()
    checkShipped(shipped, count)
    return { value: count / seconds, beside: { 'seconds in all': seconds } }
  },
})

const [together, alone] = [byHand(batch), byHand(1)]

export const redrive: Row = {
  name: 'delivery-redrive',
  title: `redrive of ${letters.toLocaleString('en-GB')} dead letters by a job, from its start to the last effect`,
  unit: 'letters/s',
  durability: 'WAL, synchronous=FULL: the effect of a letter and its end are committed together',
  cases: [ours, together, alone],
  targets: [{ against: alone.name, atLeast: 0.3 }],
  rounds: 3,
}
