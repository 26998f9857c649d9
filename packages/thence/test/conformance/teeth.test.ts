/** The cases can fail: each planted fault is found by at least one of them. */
import { describe, expect, test } from 'vitest'
import { type Case, cases, type Make } from '../../src/conformance/index.ts'
import { byteFaults } from './faults-bytes.ts'
import { eventFaults } from './faults-events.ts'
import { listeningFaults } from './faults-listening.ts'
import { operateFaults } from './faults-operate.ts'
import { portFaults } from './faults-ports.ts'
import { retryFaults } from './faults-retries.ts'
import { timerFaults } from './faults-timers.ts'
import { transactionFaults } from './faults-transactions.ts'
import { trimFaults } from './faults-trim.ts'
import { compareWithModel } from './model.ts'
import { type Fault, plant } from './plant.ts'

const applicable = cases.filter(
  (one) =>
    one.requires?.({ sql: false, durable: false, shared: true, notifies: true, remote: false }) ===
    undefined,
)

/** Runs a case on memory, which needs few turns of the event loop: one that takes many hangs. */
async function runOrHang(one: Case, make: Make): Promise<void> {
  let ended = false
  const hang = async (): Promise<void> => {
    for (let turn = 0; turn < 5000 && !ended; turn += 1)
      await new Promise((resolve) => setImmediate(resolve))
    if (!ended) throw new Error('the case hangs')
  }
  const end = (): void => {
    ended = true
  }
  await Promise.race([one.run(make).finally(end), hang()])
}

async function failing(make: Make, among: readonly Case[]): Promise<string[]> {
  const names: string[] = []
  for (const one of among)
    await runOrHang(one, make).catch(() => names.push(`${one.port}: ${one.name}`))
  return names
}

const all = [
  ...eventFaults,
  ...byteFaults,
  ...trimFaults,
  ...portFaults,
  ...retryFaults,
  ...operateFaults,
  ...timerFaults,
  ...transactionFaults,
  ...listeningFaults,
]

describe('the conformance cases', () => {
  test('pass where only the planting, and no fault, is done', async () => {
    expect(
      await failing(plant({ name: 'none', ports: () => ({}), database: () => ({}) }), applicable),
    ).toEqual([])
  })

  test.each(all.map((fault): [string, Fault] => [fault.name, fault]))(
    'find that %s',
    async (_name, fault) => {
      const found = await failing(plant(fault), applicable)
      expect(found).not.toEqual([])
      // A fault that breaks nearly everything would prove nothing about single cases.
      expect(found.length).toBeLessThan(applicable.length / 2)
    },
  )
})

describe('the model', () => {
  const names = [
    "'exists' is ignored",
    'a duplicate is appended again',
    'a condition looks after one more than it should',
    'a page is read through one position too many',
    'one tag of several is enough in a read',
    'a checkpoint moves whatever its generation',
    'settling does not compare attempts',
    'keys are ordered by UTF-16',
    'a rollback keeps what was written through documents',
    'a savepoint undoes nothing',
    'a letter added again keeps its state',
    'timers are due by id',
    'trim ignores its limit',
    'truncated looks at all types',
    'removed messages are not counted',
  ]
  test.each(
    all
      .filter(({ name }) => names.includes(name))
      .map((fault): [string, Fault] => [fault.name, fault]),
  )('finds that %s', async (_name, fault) => {
    // Rare faults need more random programs than one seed gives.
    for (const seed of [7, 8, 9, 10, 11, 12]) {
      const found = await compareWithModel(plant(fault), seed, { shrink: false }).catch(String)
      if (found === undefined) continue
      expect(found).toMatch(/Property failed/u)
      return
    }
    expect.unreachable('no random program told the fault from a healthy store')
  })

  test('finds nothing where nothing is wrong', async () => {
    await compareWithModel(plant({ name: 'none', ports: () => ({}) }), 7)
  })
})
