// A failure is told by the fewest strikes: each of those that are left is needed.
import { strict as assert } from 'node:assert'
import { command, handler, plain } from 'thence'
import type { AppBuilder } from 'thence'
import type { SimulatedClient, SimulatedProcess, SimulationEnd } from 'thence/testing'
import { describe, expect, test } from 'vitest'
import { failureOf } from '../../src/testing/simulate/report.ts'
import { runSeed } from '../../src/testing/simulate/run.ts'
import { scenarioOf } from '../../src/testing/simulate/simulate.ts'
import type { Verdict } from '../../src/testing/simulate/scenario.ts'
import { shrink } from '../../src/testing/simulate/shrink.ts'

const Note = command('Note', plain<{ readonly text: string }>())

/** Tells each start of each process. */
const notes = (builder: AppBuilder, { outside, process, life }: SimulatedProcess) => {
  if (life > 1) outside('again', process)
  return builder.use(handler('clerk', Note, () => undefined))
}

const writing = async ({ send, wait }: SimulatedClient<'Note', never>): Promise<void> => {
  for (let times = 0; times < 3; times += 1) {
    await send(Note({ text: 'a' }))
    await wait(300)
  }
}

/** Fails when so many processes were started again; each needs a strike of its own, and one is enough for each. */
const failsWith = (processes: number) =>
  scenarioOf(notes, {
    workload: writing,
    invariants: {
      'they stay up': ({ outside }: SimulationEnd<'Note', never>) =>
        assert.ok(new Set(outside.map(({ value }) => value)).size < processes),
    },
    // A start that fails is tried again, and is no strike: here nothing makes it fail by itself.
    hazards: { lostRequest: 0, lostReply: 0, lateRequest: 0, lostConnection: 0, clock: 0 },
  })

const nothing: Verdict = {
  seed: 1,
  problems: [],
  hash: '',
  counts: new Map(),
  strikes: [],
  lasting: [],
  idle: [],
  timeline: [],
  age: 0,
  steps: 0,
}

type Failing = ReturnType<typeof failsWith>

/** The first seeds that fail with more strikes than are needed. */
const failures = async (scenario: Failing, needed: number): Promise<readonly Verdict[]> => {
  const found: Verdict[] = []
  for (let seed = 1; found.length < 3; seed += 1) {
    const verdict = await runSeed(scenario, seed)
    if (verdict.problems.length > 0 && verdict.strikes.length > needed) found.push(verdict)
  }
  return found
}

describe.each([1, 2, 3])('a failure that needs %i strikes', (needed) => {
  test('is told by exactly so many, and without any one of them it is none', async () => {
    const scenario = failsWith(needed)
    for (const failed of await failures(scenario, needed)) {
      const { seed, strikes, lasting, problems } = await shrink(scenario, failed)
      expect(problems).not.toEqual([])
      expect(strikes).toHaveLength(needed)
      expect(lasting).toEqual([])
      const without = failed.lasting
      for (const left of strikes) {
        const fewer = strikes.filter((strike) => strike !== left)
        expect((await runSeed(scenario, seed, { strikes: fewer, without })).problems).toEqual([])
      }
    }
  })
})

/** Fails when a handler does something outside twice, because it failed after that. */
const twice = scenarioOf(
  (builder: AppBuilder, { outside }: SimulatedProcess) =>
    builder.use(handler('clerk', Note, ({ id }) => outside('ink', id))),
  {
    workload: writing,
    invariants: {
      'nothing is told twice': ({ outside }: SimulationEnd<'Note', never>) =>
        assert.equal(new Set(outside.map(({ value }) => value)).size, outside.length),
    },
    hazards: { passingError: 5, poison: 1 },
  },
)

/** The first seeds that fail because handlers do, whatever else strikes. */
const failuresOfHandlers = async (): Promise<readonly Verdict[]> => {
  const found: Verdict[] = []
  for (let seed = 1; found.length < 3; seed += 1) {
    const verdict = await runSeed(twice, seed)
    if (verdict.problems.length === 0) continue
    const without = await runSeed(twice, seed, { strikes: [], without: ['passingError'] })
    const only = await runSeed(twice, seed, { strikes: [] })
    if (without.problems.length === 0 && only.problems.length > 0) found.push(verdict)
  }
  return found
}

test('a failure that needs handlers to fail, and no strike, tells so', async () => {
  for (const failed of await failuresOfHandlers()) {
    expect(failed.lasting.length).toBeGreaterThan(1)
    const shrunk = await shrink(twice, failed)
    expect(shrunk.problems).not.toEqual([])
    expect(shrunk).toMatchObject({ strikes: [], lasting: ['passingError'] })
    const told = failureOf(failed, shrunk)
    expect(told).toContain(
      'It fails without any strike; these hazards, which are no single strikes, are enough:\n' +
        '  passingError: handlers fail, and then work\n' +
        'To run it without them: hazards: { passingError: 0 }\n',
    )
    expect(told).not.toContain('beside each other')
  }
})

test('a failure that needs a strike and a hazard that lasts tells both', () => {
  const strikes = [{ at: 'time', process: 0, time: 7, fault: 'kill', size: 0.5 }] as const
  const failed: Verdict = {
    ...nothing,
    problems: ['stuck: it is'],
    strikes: [...strikes, ...strikes],
  }
  const told = failureOf(failed, { ...failed, strikes, lasting: ['slowHandler', 'duplicate'] })
  expect(told).toContain(
    [
      '1 of 2 strikes are enough:',
      '  p1, after 7 ms: kill',
      'together with these hazards, which are no single strikes:',
      '  slowHandler: handlers take long',
      '  duplicate: clients send the same message twice',
      'To run it without them: hazards: { slowHandler: 0, duplicate: 0 }',
    ].join('\n'),
  )
})
