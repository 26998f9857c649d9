// Bugs in what an operator does, and in what goes on beside the messages: jobs, rebuilds, retention, schedules, settings.
import type { Transaction } from '../../src/ports/database.ts'
import type { Job } from '../../src/ports/jobs.ts'
import { inOffice, type Mutant, ports, under } from './mutant.ts'

/** Documents of one of our own collections that are never found. */
const unseen = (collection: string, healthy: Transaction['documents']) => ({
  get: async (where: string, key: string) =>
    where === collection ? undefined : healthy.get(where, key),
  list: async (...[where, options]: Parameters<Transaction['documents']['list']>) =>
    where === collection ? [] : healthy.list(where, options),
})

const jobs: readonly Mutant[] = [
  ports('a redriven letter is never resolved', ({ deadLetters }) => ({
    deadLetters: {
      mark: async (id, change) => change.to === 'resolved' || deadLetters.mark(id, change),
    },
  })),
  ports('a letter that is redriven gets no row', ({ retries }) => ({
    retries: {
      put: async (row) => {
        const before = await retries.find(row.subscription, row.position)
        if (before?.state !== 'parked' || row.state !== 'due') await retries.put(row)
      },
    },
  })),
  ports('a batch of a job is done again and again', ({ jobs: healthy }) => ({
    jobs: {
      save: async (job: Job, expected: number) =>
        expected === 0 || job.state !== 'running'
          ? healthy.save(job, expected)
          : (await healthy.get(job.id))?.version === expected,
    },
  })),
  ports('the end of a job is not kept', ({ jobs: healthy }) => ({
    jobs: {
      save: async (job: Job, expected: number) =>
        healthy.save(job.state === 'done' ? { ...job, state: 'running' } : job, expected),
    },
  })),
]

const views: readonly Mutant[] = [
  ports('a view that is built anew leaves out the first event', ({ events }) => ({
    events: {
      readAll: async (options) => {
        const types = options.query?.[0]?.types ?? []
        const page = await events.readAll(options)
        const skips = types.includes('Ticked') && types.includes('Paid') && options.after === 0
        return skips ? { ...page, messages: page.messages.slice(1) } : page
      },
    },
  })),
  ports('what is built beside the view is written into it', ({ documents }) => {
    const name = (collection: string): string => collection.split('@')[0] as string
    return {
      documents: {
        get: (collection, key) => documents.get(name(collection), key),
        put: (collection, key, value) => documents.put(name(collection), key, value),
        list: (collection, options) => documents.list(name(collection), options),
      },
    }
  }),
]

const retaining: readonly Mutant[] = [
  ports('retention does not ask who has read', ({ checkpoints }) => ({
    checkpoints: {
      list: async (subscription) =>
        (await checkpoints.list(subscription)).map((row) =>
          row.subscription === 'reading' || row.subscription === 'desks'
            ? { ...row, position: Math.max(row.position, 1e6) }
            : row,
        ),
    },
  })),
  ports('retention does not ask what is to be tried again', () => ({
    retries: { waitingAt: async () => [] },
    deadLetters: { openAt: async () => [] },
  })),
]

const timing: readonly Mutant[] = [
  ports('what is done once is not remembered', ({ inbox }) => ({
    inbox: {
      remember: async (consumer, id, outcome) =>
        (await inbox.remember(consumer, id, outcome)) || consumer === 'till',
    },
  })),
  ports('a command that was sent for later is kept twice', ({ timers }) => ({
    timers: {
      set: async (timer) => {
        const due = await timers.set(timer)
        if (timer.owner !== '$send') return due
        const message = { ...timer.message, id: `${timer.message.id}+` }
        await timers.set({ ...timer, id: `${timer.id}+`, message })
        return due
      },
    },
  })),
  ports('a slot is passed over', ({ timers }) => ({
    timers: {
      set: (timer) =>
        timer.owner === '$schedule' && typeof timer.due === 'number' && timer.due % 5000 === 0
          ? timers.set({ ...timer, due: timer.due + 1000 })
          : timers.set(timer),
    },
  })),
  ports('every start plans a schedule from the present time on', ({ timers }) => ({
    timers: {
      find: async (id) => (id.startsWith('schedule:') ? undefined : timers.find(id)),
    },
  })),
  ports('a slot fires before its time', ({ timers }) => ({
    timers: {
      due: async ({ limit }) => {
        const now = await timers.now()
        const soon = await timers.upcoming({ limit, owner: '$schedule' })
        const early = soon.filter(({ next }) => next > now && next <= now + 400)
        return [...(await timers.due({ limit })), ...early]
      },
    },
  })),
]

const setting: readonly Mutant[] = [
  ports('a pause is heard of by nobody', ({ documents }) => ({
    documents: unseen('$settings', documents),
  })),
  ports('who resumes a subscription is not heard', ({ documents }) => ({
    documents: {
      delete: async (collection, key) =>
        collection === '$settings' || documents.delete(collection, key),
    },
  })),
]

const dividing: readonly Mutant[] = [
  ports('partitions that are divided anew begin where the fastest was', ({ checkpoints }) => ({
    checkpoints: {
      divide: async (subscription, positions) => {
        const rows = await checkpoints.list(subscription)
        const most = Math.max(0, ...rows.map(({ position }) => position))
        await checkpoints.divide(
          subscription,
          positions.map(() => most),
        )
      },
    },
  })),
  ports('what partitions had done before they were divided is forgotten', ({ documents }) => ({
    documents: {
      put: async (collection, key, value) =>
        documents.put(
          collection,
          key,
          collection === '$partitions'
            ? JSON.stringify({ ...(JSON.parse(value) as object), floors: [] })
            : value,
        ),
    },
  })),
]

/** Messages that fail, while an operator changes what becomes of them. */
const failures = { poison: 5, passingError: 4, restart: 3 }

export const officeMutants: readonly Mutant[] = inOffice([
  ...under(failures, [...jobs, ...retaining, ...dividing]),
  ...views,
  ...timing,
  ...setting,
])
