/** Faults of what waits beside the checkpoint: order, shares, and what waits behind what. */
import type { Retry } from '../../src/ports/retries.ts'
import { of } from './faults-ports.ts'
import type { Fault } from './plant.ts'

const retries: readonly Fault[] = [
  of('retries', 'a row waits behind a parked one after it', (rows) => ({
    parkedBefore: (place) => rows.parkedBefore({ ...place, position: Number.MAX_SAFE_INTEGER }),
  })),
  of('retries', 'a parked row waits behind itself', (rows) => ({
    parkedBefore: (place) => rows.parkedBefore({ ...place, position: place.position + 1 }),
  })),
  of('retries', 'settling does not promote the next row', (rows) => ({
    async settle(row, now) {
      const next = await rows.find(row.subscription, row.position + 1)
      const settled = await rows.settle(row, now)
      if (settled && next) {
        // Behind a row that is gone again, so that it stays queued.
        const { subscription, key } = next
        const blocker = { ...next, subscription, key, position: 0, state: 'parked' as const }
        await rows.put(blocker)
        await rows.put(next)
      }
      return settled
    },
  })),
  of('retries', 'only messages that are due count as waiting', (rows) => ({
    async waitingAt(positions) {
      const due: number[] = []
      for (const { subscription } of await rows.summary())
        for (const { position } of await rows.take(subscription, { now: 1e15, limit: 99 }))
          due.push(position)
      return positions.filter((position) => due.includes(position))
    },
  })),
  of('retries', 'settling does not compare attempts', (rows) => ({
    async settle(row, now) {
      const stored = await rows.find(row.subscription, row.position)
      return rows.settle(stored ?? row, now)
    },
  })),
  of('retries', 'settling promotes what stands behind a parked row', (rows) => ({
    async settle(row, now) {
      const settled = await rows.settle(row, now)
      const next = await rows.find(row.subscription, row.position + 1)
      if (settled && next?.state === 'queued') await rows.put({ ...next, state: 'due', due: now })
      return settled
    },
  })),
  of('retries', 'a row waits behind nothing', (rows) => ({
    async find(subscription, position) {
      const row = await rows.find(subscription, position)
      return row?.messageId === 'm3' ? { ...row, state: 'queued', due: 0 } : row
    },
  })),
  of('retries', 'rows are taken by position', (rows) => ({
    async take(subscription, options) {
      const due = [...(await rows.take(subscription, { ...options, limit: 1000 }))]
      return due.sort((a, b) => a.position - b.position).slice(0, options.limit)
    },
  })),
  of('retries', 'of a key all that is due is taken', (rows) => ({
    async take(subscription, options) {
      const taken = await rows.take(subscription, options)
      const more: Retry[] = []
      for (const { key, position } of taken) {
        const next = await rows.find(subscription, position + 1)
        if (next?.key === key && next.state === 'due' && next.due <= options.now) more.push(next)
      }
      return [...taken, ...more]
    },
  })),
  of('retries', 'rows are taken after their time, not at it', (rows) => ({
    take: (subscription, options) => rows.take(subscription, { ...options, now: options.now - 1 }),
  })),
  of('retries', 'renaming leaves what waits behind', (rows) => ({
    async rename(from, to) {
      const due = await rows.take(from, { now: Infinity, limit: 1000 })
      await rows.clear(from)
      for (const row of due) await rows.put({ ...row, subscription: to })
      return due.length
    },
  })),
  of('retries', 'renaming takes the rows of every subscription', (rows) => ({
    async rename(from, to) {
      for (const { subscription } of await rows.summary())
        if (subscription !== from && subscription !== to)
          await rows.rename(subscription, `${subscription} too`)
      return rows.rename(from, to)
    },
  })),
  of('retries', 'a parked key is not blocked', (rows) => ({
    async blocked(subscription, keys) {
      const due = new Set(
        (await rows.take(subscription, { now: Infinity, limit: 1000 })).map(({ key }) => key),
      )
      return keys.filter((key) => due.has(key))
    },
  })),
]

const shares: readonly Fault[] = [
  of('retries', 'a share is taken after the limit', (rows) => ({
    async take(subscription, { share, ...options }) {
      const taken = await rows.take(subscription, options)
      const { partition, partitions } = share ?? { partition: 0, partitions: 1 }
      return taken.filter(({ hash }) => hash % partitions === partition)
    },
  })),
  of('retries', 'what is next is that of all shares', (rows) => ({
    upcoming: (subscription) => rows.upcoming(subscription),
  })),
  of('retries', 'only what is due counts as any', (rows) => ({
    async upcoming(subscription, share) {
      const { next } = await rows.upcoming(subscription, share)
      return { any: next !== null, next }
    },
  })),
  of('retries', 'a replay is forgotten', (rows) => ({
    put: (row) => rows.put({ ...row, replay: false }),
  })),
]

/** By position: of how many partitions the subscription was when the row was put. */
const putUnder = new Map<number, number>()

const divided: readonly Fault[] = [
  {
    name: 'what was put before it was divided anew is in no share',
    ports: ({ retries: rows, checkpoints }) => {
      const divisionOf = async (subscription: string): Promise<number> =>
        Math.max(1, (await checkpoints.list(subscription)).length)
      return {
        retries: {
          async put(row) {
            putUnder.set(row.position, await divisionOf(row.subscription))
            await rows.put(row)
          },
          async take(subscription, options) {
            const taken = await rows.take(subscription, options)
            const now = await divisionOf(subscription)
            if (options.share?.partitions !== now) return taken
            return taken.filter(({ position }) => putUnder.get(position) === now)
          },
        },
      }
    },
  },
]

export const retryFaults: readonly Fault[] = [...retries, ...shares, ...divided]
