// A run that is over keeps nothing: thousands of seeds in one process need no more memory than one.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Runtime } from 'thence'
import { expect, test } from 'vitest'
import { runSeed } from '../../src/testing/simulate/run.ts'
import { scenarioOf } from '../../src/testing/simulate/simulate.ts'
import { bank } from './bank.ts'
import { banking } from './bank-clients.ts'

const collector = (): (() => void) => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/** What only processes of one seed refer to. */
const runOnce = async (seed: number): Promise<WeakRef<Runtime>[]> => {
  const runtimes: WeakRef<Runtime>[] = []
  const scenario = scenarioOf(
    (builder, context) => {
      runtimes.push(new WeakRef(context.runtime))
      return bank(builder, context)
    },
    { workload: banking },
  )
  const { problems } = await runSeed(scenario, seed)
  expect(problems).toEqual([])
  return runtimes
}

test('processes of a seed that is over are forgotten, whatever was handed over between them', async () => {
  const runtimes: WeakRef<Runtime>[] = []
  for (const seed of [2, 3, 4]) runtimes.push(...(await runOnce(seed)))
  const collect = collector()
  // What a promise holds is let go one turn after it.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  expect(runtimes.length).toBeGreaterThan(9)
  expect(runtimes.filter((runtime) => runtime.deref() !== undefined)).toEqual([])
})
