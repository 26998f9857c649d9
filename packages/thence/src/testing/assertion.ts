/**
 * How a specification fails: an AssertionError that any runner shows with its difference, headed by what was asked.
 */
import { AssertionError, strict as assert } from 'node:assert'

/** Fails with a sentence. */
export function fail(message: string): never {
  throw new AssertionError({ message, stackStartFn: fail })
}

/** Fails unless both are deeply equal; `what` heads the difference. */
export function same(what: string, actual: unknown, expected: unknown): void {
  try {
    assert.deepEqual(actual, expected)
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error
    throw new AssertionError({
      message: `${what}\n${error.message}`,
      actual,
      expected,
      stackStartFn: same,
    })
  }
}
