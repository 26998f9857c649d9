/** Faults of timers: who decides what is due, in which order, and what becomes of one that fails. */
import type { Timer, Timers } from '../../src/ports/timers.ts'
import type { Fault } from './plant.ts'

const of = (name: string, replace: (healthy: Timers) => Partial<Timers>): Fault => ({
  name,
  ports: ({ timers }) => ({ timers: replace(timers) }),
})

const everything = { limit: 1000 }
const byId = (left: Timer, right: Timer): number => (left.id < right.id ? -1 : 1)

export const timerFaults: readonly Fault[] = [
  of('timers fire after their time, not at it', (rows) => ({
    async due(options) {
      const now = await rows.now()
      return (await rows.due(options)).filter(({ next }) => next < now)
    },
  })),
  of('timers fire a moment early', (rows) => ({
    async due({ limit }) {
      const now = await rows.now()
      const all = await rows.upcoming(everything)
      return all.filter(({ next }) => next > 0 && next <= now + 1).slice(0, limit)
    },
  })),
  of('timers are due by id', (rows) => ({
    due: async ({ limit }) => [...(await rows.due(everything))].sort(byId).slice(0, limit),
  })),
  of('what is due begins anew on each page', (rows) => ({
    due: ({ limit }) => rows.due({ limit }),
  })),
  of('setting a timer again keeps the first one', (rows) => ({
    async set(timer) {
      const known = await rows.find(timer.id)
      return known === undefined ? rows.set(timer) : known.due
    },
  })),
  of('setting a timer again keeps its failures', (rows) => ({
    async set(timer) {
      const known = await rows.find(timer.id)
      const due = await rows.set(timer)
      if (known?.next === 0) await rows.fail(timer.id, { error: 'old', retryIn: null })
      return due
    },
  })),
  of('an owner is a prefix', (rows) => ({
    async cancelAll(owner) {
      const all = await rows.list(everything)
      const owned = all.filter((timer) => timer.owner.startsWith(owner))
      for (const { id } of owned) await rows.cancel(id)
      return owned.length
    },
  })),
  of('from now is from the beginning of time', (rows) => ({
    set: (timer) =>
      rows.set({ ...timer, due: typeof timer.due === 'number' ? timer.due : timer.due.in }),
  })),
  of('the wait is for the first timer, due or not', (rows) => ({
    async wait() {
      const [first] = await rows.upcoming({ after: { next: 1, id: '' }, limit: 1 })
      return first === undefined ? undefined : first.next - (await rows.now())
    },
  })),
  of('a failure moves the time of a timer', (rows) => ({
    async fail(id, failure) {
      const row = await rows.find(id)
      if (row !== undefined && failure.retryIn !== null)
        await rows.set({ ...row, due: { in: failure.retryIn } })
      return rows.fail(id, failure)
    },
  })),
  of('failures are not counted up', (rows) => ({
    async fail(id, failure) {
      const row = await rows.find(id)
      if (row !== undefined && row.attempts > 0) await rows.hurry(id)
      return rows.fail(id, failure)
    },
  })),
  of('what was given up is tried again', (rows) => ({
    fail: (id, { error, retryIn }) => rows.fail(id, { error, retryIn: retryIn ?? 1000 }),
  })),
  of('a failure of nothing is told as one', (rows) => ({
    async fail(id, failure) {
      await rows.fail(id, failure)
      return true
    },
  })),
  of('hurrying leaves alone what was given up', (rows) => ({
    async hurry(id) {
      const row = await rows.find(id)
      return row !== undefined && (row.next === 0 || (await rows.hurry(id)))
    },
  })),
  of('hurrying changes the time of a timer', (rows) => ({
    async hurry(id) {
      const row = await rows.find(id)
      if (row === undefined) return false
      await rows.set({ ...row, due: { in: 0 } })
      return true
    },
  })),
  of('what was given up is not listed', (rows) => ({
    upcoming: ({ after, ...options }) =>
      rows.upcoming({ ...options, after: after ?? { next: 1, id: '' } }),
  })),
  of('what is to come of one owner is that of all', (rows) => ({
    upcoming: ({ after, limit }) =>
      rows.upcoming({ limit, ...(after === undefined ? {} : { after }) }),
  })),
]
