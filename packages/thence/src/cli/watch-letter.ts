/**
 * Watches what becomes of one letter that was sent through again, by what the app commits.
 */
import type { DeadLetterView } from '../admin/dead-letters.ts'
import { deadLetter } from '../admin/dead-letters.ts'
import { whyUntaken } from '../admin/waiting.ts'
import { ThenceError } from '../errors.ts'
import { pause } from './pause.ts'
import type { Session } from './session.ts'
import { line } from './text.ts'

/** How often to look, and how long an app may take to begin, in milliseconds. */
const lookEvery = 100
const beginsWithin = 4000

const conclude = (
  { terminal }: Session,
  { id, state, reason, errorName, errorMessage }: DeadLetterView,
): void => {
  if (state === 'parked')
    throw new ThenceError(
      'STATE_INVALID',
      `It failed again, and is parked: ${line(`${errorName}: ${errorMessage}`)} See: thence dead-letters show ${id}`,
      { details: { id } },
    )
  terminal.note(
    state === 'resolved' ? 'It went through.' : `It was discarded: ${line(reason ?? '')}`,
  )
}

/** Why no app takes it, once one has had the time to. */
const untaken = async (
  { database }: Session,
  { subscription }: DeadLetterView,
  began: number,
): Promise<string | null> =>
  Date.now() - began > beginsWithin
    ? database.read((transaction) => whyUntaken(transaction, subscription))
    : null

/**
 * Stays until the message went through, was discarded, or no app takes it up.
 * @throws STATE_INVALID (it failed again), ABORTED, NOT_FOUND
 */
export async function watchLetter(session: Session, id: string): Promise<void> {
  const { on, terminal, interruptible } = session
  const signal = interruptible()
  const began = Date.now()
  while (!signal.aborted) {
    const letter = await deadLetter(on, id)
    if (letter.state !== 'redriven') return conclude(session, letter)
    const waits = await untaken(session, letter, began)
    if (waits !== null) return terminal.note(`It waits: ${waits}.`)
    await pause(lookEvery, signal)
  }
  throw new ThenceError('ABORTED', `Not watched any more; see: thence dead-letters show ${id}`)
}
