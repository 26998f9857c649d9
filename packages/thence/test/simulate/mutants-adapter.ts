// Bugs in the database's adapter: a port that does not keep what it promises.
import { eventFaults, without } from '../conformance/faults-events.ts'
import { portFaults } from '../conformance/faults-ports.ts'
import { retryFaults } from '../conformance/faults-retries.ts'
import { transactionFaults } from '../conformance/faults-transactions.ts'
import { below, type Mutant, ports, under } from './mutant.ts'

/** A fault that the conformance cases find too. */
const known = (name: string): Mutant => {
  const fault = [...eventFaults, ...portFaults, ...retryFaults, ...transactionFaults].find(
    (one) => one.name === name,
  )
  if (fault === undefined) throw new Error(`No fault of the conformance cases is named ${name}.`)
  return below(name, () => fault)
}

const reading: readonly Mutant[] = [
  ports('an empty page is read through a position that is not there yet', ({ events }) => ({
    events: {
      readAll: async (options) => {
        const page = await events.readAll(options)
        return page.messages.length > 0 ? page : { ...page, through: page.through + 1 }
      },
    },
  })),
  known('reading after a position skips the next one'),
  ports('a page begins with the last message of the page before', ({ events }) => ({
    events: {
      readAll: async (options) => {
        const { after = 0 } = options
        const page = await events.readAll({ ...options, after: Math.max(0, after - 1) })
        return after % 3 === 0 ? page : events.readAll(options)
      },
    },
  })),
  ports('two messages of a page change places', ({ events }) => ({
    events: {
      readAll: async (options) => {
        const page = await events.readAll(options)
        const messages = [...page.messages]
        const [first, second] = messages.slice(-2)
        if (first !== undefined && second !== undefined) messages.splice(-2, 2, second, first)
        return { ...page, messages }
      },
    },
  })),
]

const writing: readonly Mutant[] = [
  known('a duplicate is appended again'),
  known('once is ignored'),
  ports('an expected version is ignored', ({ events }) => ({
    events: { append: (request) => events.append(without(request, 'expected')) },
  })),
  ports('a condition is ignored', ({ events }) => ({
    events: { append: (request) => events.append(without(request, 'condition')) },
  })),
  known('a savepoint undoes nothing'),
  ...under(
    { lostRequest: 6, lostConnection: 4 },
    (['events', 'documents', 'timers', 'retries'] as const).map((port) =>
      known(`a rollback keeps what was written through ${port}`),
    ),
  ),
]

const subscribing: readonly Mutant[] = [
  known('a checkpoint moves without compare'),
  ports('a retry is forgotten', ({ retries }) => ({
    retries: { put: async (row) => (row.state === 'due' ? undefined : retries.put(row)) },
  })),
  ports('what waits behind a failed message is forgotten', ({ retries }) => ({
    retries: { put: async (row) => (row.state === 'queued' ? undefined : retries.put(row)) },
  })),
  ports('attempts are counted from the beginning each time', ({ retries }) => ({
    retries: { put: (row) => retries.put({ ...row, attempts: Math.min(row.attempts, 1) }) },
  })),
  known('a parked key is not blocked'),
  ports('settling wakes all that wait behind', ({ retries }) => ({
    retries: {
      settle: async (row, now) => {
        const stored = await retries.find(row.subscription, row.position)
        const settled = await retries.settle(row, now)
        for (let position = row.position + 1; position < row.position + 300; position += 1) {
          const next = await retries.find(row.subscription, position)
          if (settled && next?.state === 'queued' && next.key === stored?.key)
            await retries.put({ ...next, state: 'due', due: now })
        }
        return settled
      },
    },
  })),
  ports('settling puts off for ever what waits behind', ({ retries }) => ({
    retries: {
      settle: async (row, now) => {
        const stored = await retries.find(row.subscription, row.position)
        const settled = await retries.settle(row, now)
        for (
          let position = row.position + 1;
          settled && position < row.position + 300;
          position += 1
        ) {
          const next = await retries.find(row.subscription, position)
          if (next === undefined || next.key !== stored?.key) continue
          await retries.put({ ...next, due: now + 1e10 })
          break
        }
        return settled
      },
    },
  })),
  ports('a dead letter is not written', ({ deadLetters }) => ({
    deadLetters: { add: async (letter) => void (await deadLetters.find(letter.subscription, 0)) },
  })),
]

const timing: readonly Mutant[] = [
  ports('timers fire early', ({ timers }) => ({
    timers: {
      due: async ({ limit }) => {
        const now = await timers.now()
        const soon = await timers.upcoming({ limit })
        return soon.filter(({ next }) => next > 0 && next <= now + 400)
      },
    },
  })),
  ports('a timer that is cancelled fires all the same', ({ timers }) => {
    // Whoever fires it takes it, as always.
    const isDue = async (id: string): Promise<boolean> =>
      (await timers.due({ limit: 1000 })).some((timer) => timer.id === id)
    return {
      timers: {
        cancel: async (id) => !(await isDue(id)) || timers.cancel(id),
        cancelAll: async () => 0,
      },
    }
  }),
  ports('a timer is lost', ({ timers }) => ({
    timers: {
      set: async (timer) => {
        const due = await timers.set(timer)
        if (due % 4 === 0) await timers.cancel(timer.id)
        return due
      },
    },
  })),
]

/** Messages that fail, while others of their key come. */
const failures = { passingError: 5, poison: 3, slowHandler: 3 }

export const adapterMutants: readonly Mutant[] = [
  ...reading,
  ...writing,
  ...under(failures, subscribing),
  ...timing,
]
