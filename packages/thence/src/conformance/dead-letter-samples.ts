/** What the cases of dead letters are written with. */
import type { Database } from '../ports/database.ts'
import type { DeadLetter, DeadLetters } from '../ports/dead-letters.ts'
import { message } from './samples.ts'

export const letter = (
  id: string,
  position: number,
  change: Partial<DeadLetter> = {},
): DeadLetter => ({
  id,
  subscription: 'p',
  key: 'k',
  state: 'parked',
  message: { ...message(`m${position}`, { tags: ['a', 'b'] }), stream: 's', version: 1, position },
  edited: null,
  kind: 'bug',
  replay: false,
  errorName: 'TypeError',
  errorCode: null,
  errorMessage: "cannot read 'x' of undefined 😀",
  stack: 'TypeError\n    at f (file.ts:1:1)',
  fingerprint: 'f1',
  attempts: [
    { time: 1, error: 'first' },
    { time: 2, error: 'second' },
  ],
  time: 1000,
  changed: 1000,
  reason: null,
  job: null,
  ...change,
})

export const within = <T>(
  database: Database,
  work: (letters: DeadLetters) => T | Promise<T>,
): Promise<T> => database.transact(({ deadLetters }) => work(deadLetters))

export const add = (database: Database, ...letters: readonly DeadLetter[]): Promise<void> =>
  within(database, async (deadLetters) => {
    for (const one of letters) await deadLetters.add(one)
  })

export const get = (database: Database, id: string): Promise<DeadLetter | undefined> =>
  database.read(({ deadLetters }) => deadLetters.get(id))

export const list = async (
  database: Database,
  options: Partial<Parameters<DeadLetters['list']>[0]> = {},
): Promise<string[]> => {
  const listed = await database.read(({ deadLetters }) =>
    deadLetters.list({ limit: 100, ...options }),
  )
  return listed.map(({ id }) => id)
}
