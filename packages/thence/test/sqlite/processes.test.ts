import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { startChild, runChild } from './children.ts'
import { directory, drivers, message, store } from './kit.ts'

interface Place {
  readonly id: string
  readonly outcome: string
  readonly stream: string
  readonly version: number
  readonly position: number
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b)

test(
  'processes that append to one file lose nothing and leave no gap',
  { timeout: 60_000 },
  async () => {
    const path = join(directory(), 'store.db')
    const database = await store(path)
    const count = 2000
    const names = ['a', 'b']
    const outputs = await Promise.all(
      names.map((name) => runChild('append', path, name, String(count))),
    )
    const places = outputs.flat().map((line) => JSON.parse(line) as Place)
    expect(new Set(places.map(({ outcome }) => outcome))).toEqual(new Set(['appended']))
    expect(sorted(places.map(({ position }) => position))).toEqual(upTo(names.length * count))
    for (const stream of ['shared', ...names]) {
      const versions = places
        .filter((place) => place.stream === stream)
        .map(({ version }) => version)
      expect(sorted(versions)).toEqual(upTo(versions.length))
    }
    const stored = await database.read(({ events }) => events.readAll({ limit: 10_000 }))
    const byPosition = new Map(places.map((place) => [place.position, place]))
    for (const { position, id, stream, version } of stored.messages)
      expect(byPosition.get(position)).toMatchObject({ id, stream, version })
    expect(stored.messages).toHaveLength(names.length * count)
  },
)

test.each(drivers)(
  'a connection on $name sees what another has written before it gives the next version',
  async ({ connect }) => {
    const path = join(directory(), 'store.db')
    const [one, two] = [await store(path, { connect }), await store(path, { connect })]
    for (let version = 0; version < 20; version += 2) {
      const request = (expected: number) => [{ stream: 's', expected, messages: [message()] }]
      expect(await one.append(request(version))).toMatchObject([{ outcome: 'appended' }])
      expect(await two.append(request(version))).toMatchObject([{ outcome: 'conflict' }])
      expect(await two.append(request(version + 1))).toMatchObject([
        { outcome: 'appended', version: version + 2, position: version + 2 },
      ])
    }
  },
)

test('a position is never given twice, not even after a deletion', async () => {
  const path = join(directory(), 'store.db')
  const database = await store(path)
  const append = async () => (await database.append([{ stream: 's', messages: [message()] }]))[0]
  for (let index = 0; index < 3; index += 1) await append()
  const raw = new DatabaseSync(path)
  raw.exec('DELETE FROM thence_events WHERE position >= 2')
  expect(await database.read(({ events }) => events.head())).toBe(3)
  expect(await append()).toMatchObject({ outcome: 'appended', version: 2, position: 4 })
  raw.exec('DELETE FROM thence_events')
  raw.close()
  expect(await append()).toMatchObject({ version: 1, position: 5 })
})

const words = (lines: readonly string[], first: string): string[] =>
  lines.filter((line) => line.startsWith(`${first} `)).flatMap((line) => line.split(' ').slice(1))

/** Lets a writer acknowledge some batches, then kills it in the middle of what it does. */
const killOne = async (path: string, notes: string, round: number): Promise<void> => {
  const child = startChild('journal', path, notes, `r${round}`)
  const closed = once(child, 'close')
  let batches = 0
  for await (const _ of createInterface({ input: child.stdout })) {
    batches += 1
    // Not always at the same point of the loop: 0 to 3.5 milliseconds after an acknowledgement.
    if (batches === 3 + round) {
      const until = process.hrtime.bigint() + BigInt(round * 500_000)
      while (process.hrtime.bigint() < until);
      child.kill('SIGKILL')
    }
  }
  const [, signal] = (await closed) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
}

test(
  'kill -9 loses nothing that was acknowledged and keeps no half batch',
  { timeout: 60_000 },
  async () => {
    const home = directory()
    const [path, notes] = [join(home, 'store.db'), join(home, 'notes')]
    await (await store(path)).close()
    let hits = 0
    for (let round = 0; round < 8; round += 1) {
      await killOne(path, notes, round)
      const lines = readFileSync(notes, 'utf8').split('\n')
      const [begun, acknowledged] = [words(lines, 'begun'), new Set(words(lines, 'stored'))]
      const database = await store(path)
      const { messages } = await database.read(({ events }) => events.readAll({ limit: 100_000 }))
      const stored = new Set(messages.map(({ id }) => id))
      expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([])
      expect(messages.map(({ position }) => position)).toEqual(upTo(messages.length))
      expect(messages.length % 20).toBe(0)
      const open = begun.filter((id) => id.startsWith(`r${round}-`) && !acknowledged.has(id))
      if (open.length > 0) hits += 1
      for (const stream of ['s0', 's1', 's2']) {
        const versions = messages
          .filter((one) => one.stream === stream)
          .map(({ version }) => version)
        expect(versions).toEqual(upTo(versions.length))
      }
      const tagged = await database.read(({ events }) =>
        events.readAll({ query: [{ tags: ['all'] }], limit: 100_000 }),
      )
      expect(tagged.messages).toHaveLength(messages.length)
      await database.close()
    }
    const raw = new DatabaseSync(path)
    expect(raw.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    raw.close()
    expect(hits, 'kills that hit an append in flight').toBeGreaterThan(0)
  },
)
