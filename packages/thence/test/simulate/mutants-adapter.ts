// Bugs in the database's adapter: a port that does not keep what it promises.
import { eventFaults, without } from '../conformance/faults-events.ts'
import { portFaults } from '../conformance/faults-ports.ts'
import { transactionFaults } from '../conformance/faults-transactions.ts'
import type { Timers } from '../../src/ports/timers.ts'
import { below, type Mutant, ports } from './mutant.ts'

/** A fault that the conformance cases find too. */
const known = (name: string): Mutant => {
  const fault = [...eventFaults, ...portFaults, ...transactionFaults].find(
    (one) => one.name === name,
  )
  if (fault === undefined) throw new Error(`No fault of the conformance cases is named ${name}.`)
  return below(name, () => fault)
}

const reading: readonly Mutant[] = [
  known('a page is read through one position too many'),
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
  ...(['events', 'documents', 'timers', 'retries', 'inbox'] as const).map((port) =>
    known(`a rollback keeps what was written through ${port}`),
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
  known('settling promotes what stands behind a parked row'),
  ports('settling wakes nobody who waits behind', ({ retries }) => ({
    retries: {
      settle: async (row, now) => {
        const stored = await retries.find(row.subscription, row.position)
        const settled = await retries.settle(row, now)
        for (let position = row.position + 1; position < row.position + 300; position += 1) {
          const next = await retries.find(row.subscription, position)
          if (next === undefined || next.key !== stored?.key) continue
          // Behind a row that is gone again, so that it stays queued.
          await retries.put({ ...next, position: 0, state: 'parked' })
          await retries.put({ ...next, state: 'queued', due: 0 })
          await retries.settle({ ...next, position: 0 }, now)
          break
        }
        return settled
      },
    },
  })),
  ports('a dead letter is not written', ({ deadLetters }) => ({
    deadLetters: { add: async (letter) => void (await deadLetters.find(letter.subscription, 0)) },
  })),
  ports('the inbox forgets', () => ({ inbox: { recall: async () => undefined } })),
]

const timing: readonly Mutant[] = [
  ports('timers fire early', ({ timers }) => ({
    timers: { due: (now, limit) => timers.due(now + 400, limit) },
  })),
  below('a timer that is cancelled fires all the same', () => {
    // Whoever fires a timer has asked before which are due: those are taken as always.
    let asked = 0
    const due = async (timers: Timers, id: string): Promise<boolean> =>
      (await timers.due(asked, 1000)).some((timer) => timer.id === id)
    return {
      name: '',
      ports: ({ timers }) => ({
        timers: {
          due: (now, limit) => timers.due((asked = Math.max(asked, now)), limit),
          cancel: async (id) => !(await due(timers, id)) || timers.cancel(id),
          cancelAll: async () => 0,
        },
      }),
    }
  }),
  ports('a timer is lost', ({ timers }) => ({
    timers: { set: async (timer) => (timer.due % 4 === 0 ? undefined : timers.set(timer)) },
  })),
]

export const adapterMutants: readonly Mutant[] = [...reading, ...writing, ...subscribing, ...timing]
