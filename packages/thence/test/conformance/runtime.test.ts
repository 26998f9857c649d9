/** Every runtime on the cases of ports/runtime.ts: the system's, the virtual one, and that of the cases themselves. */
import { describe, test } from 'vitest'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import {
  ManualRuntime,
  type RuntimeCase,
  runtimeCases,
  type RuntimeSubject,
} from '../../src/conformance/index.ts'
import { virtualRuntime } from '../../src/testing/virtual-runtime.ts'

const makers: readonly [string, () => RuntimeSubject][] = [
  [
    'the manual runtime',
    () => {
      const runtime = new ManualRuntime()
      return { runtime, pass: async (milliseconds) => runtime.advance(milliseconds) }
    },
  ],
  [
    'the virtual runtime',
    () => {
      const runtime = virtualRuntime()
      return { runtime, pass: async (milliseconds) => runtime.advance(milliseconds) }
    },
  ],
  [
    'the system runtime',
    () => {
      const runtime = systemRuntime()
      const pass = async (milliseconds: number): Promise<void> => {
        const until = runtime.now() + milliseconds
        // A timer may run a little early by the wall clock, which it doesn't measure by.
        while (runtime.now() < until)
          await new Promise<void>((resolve) => runtime.after(until - runtime.now(), resolve))
      }
      return { runtime, pass }
    },
  ],
]

describe.each(makers)('%s keeps the promises of ports/runtime.ts', (_name, make) => {
  test.each(runtimeCases.map((one): [string, RuntimeCase] => [one.name, one]))(
    '%s',
    async (_case, one) => one.run(make),
  )
})
