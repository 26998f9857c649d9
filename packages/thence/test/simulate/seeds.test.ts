// The bank and the office survive everything that is simulated; and the simulation has teeth: each planted bug is seen. `npm run
// simulate` does the same with as many seeds as you like.
import { describe, expect, test } from 'vitest'
import { addVerdict, emptyTally } from '../../src/testing/simulate/report.ts'
import { missingMarks } from '../../src/testing/simulate/simulate.ts'
import { mutants } from './mutants.ts'
import { hazards, planted, required, simulated } from './simulated.ts'

const seeds = 300
const patient = { timeout: 240_000 }

test(
  'the bank and the office lose nothing and do nothing twice, whatever strikes',
  patient,
  async () => {
    const { run, story } = simulated()
    let tally = emptyTally()
    const stories: string[] = []
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { verdict } = await run(seed)
      if (verdict.problems.length > 0) stories.push(await story(verdict))
      tally = addVerdict(tally, verdict)
    }
    expect(stories.join('\n\n')).toBe('')
    expect(missingMarks(tally, hazards, required)).toEqual([])
  },
)

/** More than the rarest needs; a seed takes milliseconds. */
const limit = 1000

describe('some seed sees that', () => {
  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    patient,
    async (_name, mutant) => {
      let problems: readonly string[] = []
      for (let seed = 1; problems.length === 0 && seed <= limit; seed += 1)
        ({ problems } = (
          await planted(mutant.app ?? 'bank', mutant.make(), mutant.hazards).run(seed)
        ).verdict)
      expect(problems).not.toEqual([])
    },
  )
})
