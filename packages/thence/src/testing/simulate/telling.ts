/** What committed calls say, in words, for the timeline. */
import type { Hold, Seen } from '../../ports/checkpoints.ts'
import type { DeadLetter } from '../../ports/dead-letters.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Retry } from '../../ports/retries.ts'
import { effectsCollection } from './effects.ts'
import type { Note } from './sites.ts'

export const tellAppend = ({ stream, messages }: AppendRequest): string =>
  `append ${messages.map(({ type }) => type).join(', ')} to ${stream}`

/** Why a message was given up. */
export const tellFailure = ({
  errorName,
  errorCode,
  errorMessage,
}: Pick<DeadLetter, 'errorName' | 'errorCode' | 'errorMessage'>): string =>
  `${errorCode ?? errorName}: ${errorMessage}`

type Teller = (parameters: readonly unknown[], result: unknown) => string

const named = (name: unknown, { partition = 0 }: Pick<Seen, 'partition'>): string =>
  `${String(name)}${partition === 0 ? '' : `#${partition}`}`

const tellers: Readonly<Record<string, Teller>> = {
  'events.append': ([request], result) =>
    `${tellAppend(request as AppendRequest)}: ${(result as Verdict).outcome}`,
  'checkpoints.move': ([name, seen, position], moved) =>
    `checkpoint of ${named(name, seen as Seen)} to ${String(position)}${moved === true ? '' : ' refused'}`,
  'checkpoints.claim': ([name, hold]) =>
    `${named(name, hold as Hold)} claimed with epoch ${(hold as Hold).epoch}`,
  'checkpoints.divide': ([name, positions]) =>
    `${String(name)} divided at ${(positions as readonly number[]).join(', ')}`,
  'documents.put': ([collection, key, value]) =>
    collection === effectsCollection ? `done ${String(key)}: ${String(value)}` : '',
  'retries.put': ([row]) => {
    const { subscription, position, state, attempts } = row as Retry
    return `${subscription} ${state} at ${position} after ${attempts} attempts`
  },
  'deadLetters.add': ([letter]) => {
    const { subscription, message } = letter as DeadLetter
    return `dead letter of ${subscription} for ${message.position}: ${tellFailure(letter as DeadLetter)}`
  },
  'retries.settle': ([row]) => {
    const { subscription, position } = row as Retry
    return `${subscription} settled ${position}`
  },
  'timers.set': ([timer]) => `timer ${(timer as { id: string }).id} set`,
  'timers.cancel': ([id], was) => (was === true ? `timer ${String(id)} taken` : ''),
}

/** Nothing, for a call that nobody needs to hear of. */
export const tellNote = ([{ name }, parameters, result]: Note): string =>
  tellers[name]?.(parameters, result) ?? ''
