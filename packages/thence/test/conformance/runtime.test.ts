/** The runtime that the cases are run with keeps the promises of a runtime itself. */
import { describe, test } from 'vitest'
import { ManualRuntime, runtimeCases } from '../../src/conformance/index.ts'

describe('the manual runtime keeps the promises of ports/runtime.ts', () => {
  test.each(runtimeCases.map((one) => [one.name, one] as const))('%s', async (_name, one) =>
    one.run(() => {
      const runtime = new ManualRuntime()
      return { runtime, pass: async (milliseconds) => runtime.advance(milliseconds) }
    }),
  )
})
