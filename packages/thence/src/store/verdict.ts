/**
 * Verdicts of the log as typed errors for the user.
 */
import { ThenceError } from '../errors.ts'
import type { AppendRequest, Appended, Verdict } from '../ports/events.ts'

const expectedText = { none: 'not to exist', exists: 'to exist' } as const

const conflict = (request: AppendRequest, actual: number): ThenceError => {
  const { stream, expected } = request
  const wanted = typeof expected === 'string' ? expectedText[expected] : `at version ${expected}`
  const found = actual === 0 ? 'it does not exist' : `it is at version ${actual}`
  return new ThenceError(
    'VERSION_CONFLICT',
    `Stream ${stream} was expected ${wanted}, but ${found}. Read it again and decide again.`,
    { details: { stream, expected, actual } },
  )
}

/** Gives where the messages are, or throws VERSION_CONFLICT, CONDITION_FAILED or MESSAGE_ID_REUSED. */
export function accept(request: AppendRequest, verdict: Verdict): Appended {
  switch (verdict.outcome) {
    case 'appended':
    case 'duplicate':
      return verdict
    case 'conflict':
      throw conflict(request, verdict.actual)
    case 'condition-failed':
      throw new ThenceError(
        'CONDITION_FAILED',
        `A message at position ${verdict.position} breaks the append condition on ${request.stream}. ` +
          'Read again what the decision rests on and decide again.',
        { details: { stream: request.stream, position: verdict.position } },
      )
    case 'id-reused':
      throw new ThenceError(
        'MESSAGE_ID_REUSED',
        `The message id ${verdict.id} is already taken by another message. ` +
          'Use the same id only to send the very same message again.',
        { details: { stream: request.stream, id: verdict.id } },
      )
  }
}
