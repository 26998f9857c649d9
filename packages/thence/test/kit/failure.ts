// How a simulation fails: with an assertion whose message is the story of it.
import { strict as assert } from 'node:assert'

/** What a rejected simulation says. */
export const failure = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    assert(error instanceof assert.AssertionError)
    return error.message
  }
  throw new Error('It did not fail.')
}
