/** Faults of the ports beside the log. */
import type { Transaction } from '../../src/ports/database.ts'
import type { Fault, PortName } from './plant.ts'

export const of = <P extends PortName>(
  port: P,
  name: string,
  replace: (healthy: Transaction[P]) => Partial<Transaction[P]>,
): Fault => ({
  name,
  ports: (healthy) => ({ [port]: replace(healthy[port]) }),
})

const checkpoints: readonly Fault[] = [
  of('checkpoints', 'a checkpoint moves without compare', (rows) => ({
    async move(name, _seen, position) {
      const stored = (await rows.load(name)) ?? { position: 0, generation: 0 }
      return rows.move(name, stored, position)
    },
  })),
  of('checkpoints', 'a checkpoint moves whatever its generation', (rows) => ({
    async move(name, seen, position) {
      const generation = (await rows.load(name))?.generation ?? 0
      return rows.move(name, { ...seen, generation }, position)
    },
  })),
  of('checkpoints', 'a move from the start always succeeds', (rows) => ({
    async move(name, seen, position) {
      const stored = seen.position === 0 ? await rows.load(name) : undefined
      return rows.move(name, stored ?? seen, position)
    },
  })),
  of('checkpoints', 'a rebuild never ends', (rows) => ({
    async load(name) {
      const row = await rows.load(name)
      return row && row.generation > 0 ? { ...row, rebuildTo: row.rebuildTo || 10 } : row
    },
  })),
]

const held: readonly Fault[] = [
  of('checkpoints', 'a checkpoint moves whatever its epoch', (rows) => ({
    async move(name, seen, position) {
      const epoch = (await rows.load(name, seen.partition))?.epoch ?? 0
      return rows.move(name, { ...seen, epoch }, position)
    },
  })),
  of('checkpoints', 'an old epoch still holds', (rows) => ({
    async holds(name, hold) {
      return ((await rows.load(name, hold.partition))?.epoch ?? 0) >= hold.epoch
    },
  })),
  of('checkpoints', 'dividing keeps the epoch', (rows) => ({
    async divide(name, positions) {
      const epoch = (await rows.load(name))?.epoch ?? 0
      await rows.divide(name, positions)
      if (epoch > 0) await rows.claim(name, { partition: 0, epoch })
    },
  })),
  of('leases', 'a lease is taken from one that is alive', (rows) => ({
    async take(name, member) {
      const owner = (await rows.list()).find((lease) => lease.name === name)?.owner
      if (owner != null && owner !== member) await rows.release(name, owner)
      return rows.take(name, member)
    },
  })),
  of('leases', 'a lease changes hands with its old epoch', (rows) => ({
    async take(name, member) {
      const before = (await rows.list()).find((lease) => lease.name === name)
      const taken = await rows.take(name, member)
      return taken && { ...taken, epoch: Math.max(1, before?.epoch ?? 0) }
    },
  })),
  of('leases', 'one that is not alive is given a lease', (rows) => ({
    async take(name, member) {
      const isAlive = (await rows.members()).some(({ id }) => id === member)
      if (!isAlive) await rows.beat({ id: member, name: member, runs: [] }, 1)
      return rows.take(name, member)
    },
  })),
  of('leases', 'the leases of one that left stay its own', (rows) => ({
    async leave(member) {
      const own = (await rows.list()).filter(({ owner }) => owner === member)
      await rows.leave(member)
      await rows.beat({ id: member, name: member, runs: [] }, 1)
      for (const { name } of own) await rows.take(name, member)
    },
  })),
]

// Outlives the transactions of a case, as rows do.
/** Rows of the inbox that were concluded. */
const concluded = new Set<string>()
const lastSaved = new Map<string, { stream: string; version: number; tag: string; state: string }>()

const rest: readonly Fault[] = [
  of('documents', 'keys are ordered by UTF-16', (all) => ({
    async list(collection, { limit, after = '', ...options }) {
      const listed = [...(await all.list(collection, { ...options, limit: 1000 }))]
      const rest = listed.filter(({ key }) => key > after || after === '')
      return rest.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit)
    },
  })),
  of('documents', 'a prefix is a pattern', (all) => ({
    async list(collection, { prefix = '', ...options }) {
      const pattern = new RegExp(
        `^${prefix.replace(/[\\[*?%]/gu, String.raw`\$&`).replaceAll('_', '.')}`,
        'u',
      )
      const listed = await all.list(collection, { ...options, limit: 1000 })
      return listed.filter(({ key }) => pattern.test(key)).slice(0, options.limit)
    },
  })),
  of('documents', 'keys are kept in a plain object', (all) => ({
    get: async (collection, key) =>
      (await all.get(collection, key)) ?? (Reflect.get({}, key) as string | undefined),
  })),
  of('documents', 'of many documents a key that comes twice is given twice', (all) => ({
    async getAll(collection, keys) {
      const found = []
      for (const key of keys) found.push(...(await all.getAll(collection, [key])))
      return found
    },
  })),
  of('documents', 'of many changes the removals are left out', (all) => ({
    putAll: (collection, changes) =>
      all.putAll(
        collection,
        changes.filter(({ value }) => value !== null),
      ),
  })),
  of('documents', 'of many changes to a key the first counts', (all) => ({
    putAll: (collection, changes) => all.putAll(collection, changes.toReversed()),
  })),
  of('documents', 'clearing some clears all', (all) => ({
    clear: (collection) => all.clear(collection),
  })),
  of('documents', 'clearing some takes the last', (all) => ({
    async clear(collection, most) {
      if (most === undefined) return all.clear(collection)
      const last = (await all.list(collection, { limit: 1000 })).slice(-most)
      for (const { key } of last) await all.delete(collection, key)
      return last.length
    },
  })),
  of('documents', 'deleting always tells that it was there', (all) => ({
    async delete(collection, key) {
      await all.delete(collection, key)
      return true
    },
  })),
  of('inbox', 'the inbox remembers the last outcome', (rows) => ({
    async remember(consumer, id, outcome) {
      if (await rows.remember(consumer, id, outcome)) return true
      return !(await rows.conclude(consumer, id, outcome))
    },
  })),
  of('inbox', 'the inbox forgets what was asked for', (rows) => ({
    async remember(consumer, id, row) {
      const { digest: _, ...outcome } = row
      return rows.remember(consumer, id, outcome)
    },
  })),
  of('inbox', 'a conclusion forgets what was asked for', (rows) => ({
    async conclude(consumer, id, outcome) {
      concluded.add(JSON.stringify([consumer, id]))
      return rows.conclude(consumer, id, outcome)
    },
    async recall(consumer, id) {
      const row = await rows.recall(consumer, id)
      if (row === undefined || !concluded.has(JSON.stringify([consumer, id]))) return row
      const { digest: _, ...rest } = row
      return rest
    },
  })),
  of('inbox', 'the inbox trims what is as old as asked for', (rows) => ({
    trim: (before, limit) => rows.trim(before + 1, limit),
  })),
  of('inbox', 'the inbox trims all at once', (rows) => ({
    trim: (before) => rows.trim(before, 1000),
  })),
  of('inbox', 'a conclusion keeps the result of the one before', (rows) => ({
    async conclude(consumer, id, outcome) {
      const result = (await rows.recall(consumer, id))?.result
      return rows.conclude(consumer, id, {
        ...(result === undefined ? {} : { result }),
        ...outcome,
      })
    },
  })),
  of('inbox', 'what was concluded is remembered anew', (rows) => ({
    async conclude(consumer, id, outcome) {
      return (
        (await rows.conclude(consumer, id, outcome)) || (await rows.remember(consumer, id, outcome))
      )
    },
  })),
  of('snapshots', 'clearing a stream leaves its other tags', (rows) => ({
    async clear(stream) {
      const other = await rows.load(stream, 'v2')
      const cleared = await rows.clear(stream)
      if (other !== undefined) await rows.save(other)
      return cleared
    },
  })),
  of('snapshots', 'clearing a stream takes those that are named alike', (rows) => ({
    async clear(stream) {
      await rows.clear(stream.toUpperCase())
      return rows.clear(stream)
    },
  })),
  of('snapshots', 'an older snapshot replaces a newer one', (rows) => ({
    async save(snapshot) {
      lastSaved.set(JSON.stringify([snapshot.stream, snapshot.tag]), snapshot)
      await rows.save(snapshot)
    },
    load: async (stream, tag) =>
      (await rows.load(stream, tag)) && lastSaved.get(JSON.stringify([stream, tag])),
  })),
]

export const portFaults: readonly Fault[] = [...checkpoints, ...held, ...rest]
