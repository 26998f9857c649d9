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

/** Nothing more can happen in a stream that was ended. */
export const tombstoned = (stream: string): ThenceError =>
  new ThenceError(
    'STREAM_TOMBSTONED',
    `Stream ${stream} was ended for good when its history was removed; nothing can be appended to it. Use another id.`,
    { details: { stream } },
  )

/** @param place where the message is that has the id already. */
export const idReused = (place: { readonly stream: string; readonly id: string }): ThenceError =>
  new ThenceError(
    'MESSAGE_ID_REUSED',
    `The message id ${place.id} is already taken by another message. ` +
      'Use the same id only to send the very same message again.',
    { details: { ...place } },
  )

/** Gives where the messages are, or throws VERSION_CONFLICT, CONDITION_FAILED, MESSAGE_ID_REUSED or STREAM_TOMBSTONED. */
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
      throw idReused({ stream: request.stream, id: verdict.id })
    case 'tombstoned':
      throw tombstoned(request.stream)
  }
}
