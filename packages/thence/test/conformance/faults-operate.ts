/** Faults of the ports that operators work with: dead letters, the audit log, jobs. */
import { of } from './faults-ports.ts'
import type { Fault } from './plant.ts'

const letters: readonly Fault[] = [
  of('deadLetters', 'a letter added again takes the new id', (rows) => ({
    add: (letter) =>
      rows.add({
        ...letter,
        message: { ...letter.message, position: letter.message.position + Number(letter.id) / 100 },
      }),
  })),
  of('deadLetters', 'a letter added again keeps its state', (rows) => ({
    async add(letter) {
      const old = await rows.find(letter.subscription, letter.message.position)
      await rows.add(letter)
      if (old) await rows.mark(old.id, { from: 'parked', to: old.state })
    },
  })),
  of('deadLetters', 'a discarded letter needs its message no more', (rows) => ({
    async openAt(positions) {
      const letters = await rows.list({ limit: 99, state: 'discarded' })
      const gone = new Set(letters.map(({ message }) => message.position))
      return (await rows.openAt(positions)).filter((position) => !gone.has(position))
    },
  })),
  of('deadLetters', 'a resolved letter needs its message still', (rows) => ({
    async openAt(positions) {
      const letters = await rows.list({ limit: 99 })
      const all = new Set(letters.map(({ message }) => message.position))
      return [...new Set(positions)].filter((one) => all.has(one)).sort((a, b) => a - b)
    },
  })),
  of('deadLetters', 'marking does not compare the state', (rows) => ({
    async mark(id, change) {
      const from = (await rows.get(id))?.state ?? change.from
      return rows.mark(id, { ...change, from })
    },
  })),
  of('deadLetters', 'a letter added again forgets its edit', (rows) => ({
    async get(id) {
      const letter = await rows.get(id)
      return letter?.changed === 2000 ? { ...letter, edited: null } : letter
    },
  })),
  of('deadLetters', 'a letter added again keeps what kind of failure it was', (rows) => ({
    async add(letter) {
      const old = await rows.find(letter.subscription, letter.message.position)
      await rows.add(old ? { ...letter, kind: old.kind } : letter)
    },
  })),
  of('deadLetters', 'a letter forgets that it was one of a replay', (rows) => ({
    add: (letter) => rows.add({ ...letter, replay: false }),
  })),
  of('deadLetters', 'marking always takes the job away', (rows) => ({
    mark: (id, change) => rows.mark(id, { ...change, job: change.job ?? null }),
  })),
  of('deadLetters', 'a letter changes unnoticed', (rows) => ({
    async get(id) {
      const letter = await rows.get(id)
      return letter && { ...letter, changed: letter.time }
    },
  })),
  of('deadLetters', 'a range of time excludes its end', (rows) => ({
    list: ({ until, ...filter }) =>
      rows.list(until === undefined ? filter : { ...filter, until: until - 1 }),
  })),
  of('deadLetters', 'a filter by no ids is none', (rows) => ({
    list: ({ ids = [], ...filter }) => rows.list(ids.length === 0 ? filter : { ...filter, ids }),
  })),
  of('deadLetters', 'what is counted is counted in all states', (rows) => ({
    async counts(filter = {}) {
      const { state, ...rest } = filter
      return rows.counts(state === undefined ? filter : rest)
    },
  })),
  of('deadLetters', 'letters of all kinds of failures are listed', (rows) => ({
    list: ({ kind: _kind, ...filter }) => rows.list(filter),
  })),
  of('deadLetters', 'parked letters are counted without a limit', (rows) => ({
    parkedOf: (subscription) => rows.parkedOf(subscription, Number.MAX_SAFE_INTEGER),
  })),
  of('deadLetters', 'parked letters of all subscriptions are counted', (rows) => ({
    parkedOf: async (_, most) => Math.min((await rows.counts({ state: 'parked' })).parked, most),
  })),
  of('deadLetters', 'all letters of a subscription count as parked', (rows) => ({
    parkedOf: async (subscription, most) => (await rows.list({ subscription, limit: most })).length,
  })),
  of('deadLetters', 'whatever a job has sent is under way', (rows) => ({
    underWay: async (job) => (await rows.counts({ job })).redriven > 0,
  })),
  {
    name: 'what is due is under way for another subscription too',
    ports: ({ deadLetters: rows, retries }) => ({
      deadLetters: {
        async underWay(job) {
          for (const { message } of await rows.list({ job, state: 'redriven', limit: 1000 }))
            for (const subscription of ['p', 'q'])
              if ((await retries.find(subscription, message.position))?.state === 'due') return true
          return false
        },
      },
    }),
  },
  of('deadLetters', 'groups are those of all subscriptions', (rows) => ({
    async groups({ limit, ...filter }) {
      const all = await rows.groups({ ...filter, limit: 1000 })
      const others = all.map(({ fingerprint }) => fingerprint)
      return all.filter((one, index) => others.indexOf(one.fingerprint) === index).slice(0, limit)
    },
  })),
  of('deadLetters', 'the last group is first', (rows) => ({
    groups: async ({ limit, ...filter }) =>
      [...(await rows.groups({ ...filter, limit: 1000 }))]
        .sort((left, right) => right.last - left.last)
        .slice(0, limit),
  })),
  of('deadLetters', 'trimming takes what is on its way', (rows) => ({
    async trim(before, limit) {
      for (const { id } of await rows.list({ state: 'redriven', limit: 1000 }))
        await rows.mark(id, { from: 'redriven', to: 'discarded' })
      return rows.trim(before, limit)
    },
  })),
  of('deadLetters', 'trimming is inclusive of its time', (rows) => ({
    trim: (before, limit) => rows.trim(before + 1, limit),
  })),
]

const audit: readonly Fault[] = [
  of('audit', 'the audit log keeps the last entry of an id', (rows) => ({
    async add(entry) {
      const known = (await rows.list({ limit: 1000 })).find(({ id }) => id === entry.id)
      if (known !== undefined) {
        await rows.trim(Infinity, 1000)
        await rows.add(entry)
      } else await rows.add(entry)
    },
  })),
  of('audit', 'entries before an id include it', (rows) => ({
    list: ({ before, ...filter }) =>
      rows.list(before === undefined ? filter : { ...filter, before: `${before} ` }),
  })),
  of('audit', 'the latest entries come in the order of the earliest', (rows) => ({
    list: (filter) => rows.list({ ...filter, backwards: false }),
  })),
  of('audit', 'of target and action only the target is asked', (rows) => ({
    list: ({ action, ...filter }) =>
      rows.list(
        filter.target !== undefined || action === undefined ? filter : { ...filter, action },
      ),
  })),
  of('audit', 'trimming is by id', (rows) => ({
    async trim(before, limit) {
      const all = await rows.list({ limit: 1000 })
      const old = all.filter(({ time }) => time < before).slice(0, limit)
      await rows.trim(Infinity, 1000)
      for (const one of all) if (!old.includes(one)) await rows.add(one)
      return old.length
    },
  })),
  of('audit', 'trimming is inclusive', (rows) => ({
    trim: (before, limit) => rows.trim(before + 1, limit),
  })),
]

const jobs: readonly Fault[] = [
  of('jobs', 'a job is saved whatever its version', (rows) => ({
    async save(job, expected) {
      return rows.save(job, (await rows.get(job.id))?.version ?? expected)
    },
  })),
  of('jobs', 'a new job replaces one that is there', (rows) => ({
    async save(job, expected) {
      const stored = expected === 0 ? await rows.get(job.id) : undefined
      return rows.save(job, stored?.version ?? expected)
    },
  })),
  of('jobs', 'jobs come from the earliest', (rows) => ({
    list: async ({ limit, ...filter }) =>
      [...(await rows.list({ ...filter, limit: 1000 }))].reverse().slice(0, limit),
  })),
  of('jobs', 'of kind and state only the state is asked', (rows) => ({
    list: ({ kind, ...filter }) =>
      rows.list(filter.state !== undefined || kind === undefined ? filter : { ...filter, kind }),
  })),
  of('jobs', 'trimming forgets that a job waits', (rows) => ({
    async trim(before, limit) {
      for (const job of await rows.list({ state: 'paused', limit: 1000 }))
        await rows.save({ ...job, state: 'cancelled' }, job.version)
      return rows.trim(before, limit)
    },
  })),
  of('jobs', 'jobs are trimmed by when they began', (rows) => ({
    async trim(before, limit) {
      for (const job of await rows.list({ limit: 1000 }))
        if (job.state !== 'running' && job.state !== 'paused')
          await rows.save({ ...job, updated: job.created }, job.version)
      return rows.trim(before, limit)
    },
  })),
]

export const operateFaults: readonly Fault[] = [...letters, ...audit, ...jobs]
