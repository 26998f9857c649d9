// A failure is told by the fewest strikes: each of those that are left is needed.
import { strict as assert } from 'node:assert'
import { command, handler, plain } from 'thence'
import type { AppBuilder } from 'thence'
import type { SimulatedClient, SimulatedProcess, SimulationEnd } from 'thence/testing'
import { describe, expect, test } from 'vitest'
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
      const { seed, strikes, problems } = await shrink(scenario, failed)
      expect(problems).not.toEqual([])
      expect(strikes).toHaveLength(needed)
      for (const left of strikes) {
        const fewer = strikes.filter((strike) => strike !== left)
        expect((await runSeed(scenario, seed, { strikes: fewer })).problems).toEqual([])
      }
    }
  })
})
