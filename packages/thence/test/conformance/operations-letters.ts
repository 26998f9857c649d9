/** Random operations on dead letters. */
import * as fc from 'fast-check'
import { message } from '../../src/conformance/samples.ts'
import { compact, define, limit, type Operation, optional, small } from './operation.ts'

const letterState = fc.constantFrom('parked' as const, 'redriven' as const, 'discarded' as const)

export const letters: readonly fc.Arbitrary<Operation>[] = [
  define(
    'add letter',
    fc.record({ subscription: fc.constantFrom('p', 'P'), position: limit, again: small }),
    ({ deadLetters }, { subscription, position, again }) =>
      deadLetters.add({
        id: `${subscription}/${position}/${again}`,
        subscription,
        key: 'k',
        state: 'parked',
        message: { ...message(`m${position}`), stream: 's', version: 1, position },
        edited: null,
        fingerprint: `f${again % 2}`,
        kind: again === 0 ? 'bug' : 'transient',
        replay: again === 1,
        errorName: 'Error',
        errorCode: again === 0 ? null : `E${again}`,
        errorMessage: `again ${again}`,
        stack: '',
        attempts: [{ time: again, error: 'e' }],
        time: again,
        changed: again,
        reason: null,
        job: null,
      }),
  ),
  define(
    'mark letter',
    fc.record({ position: limit, from: letterState, to: letterState }),
    async ({ deadLetters }, { position, from, to }) => {
      const letter = await deadLetters.find('p', position)
      return (
        letter && deadLetters.mark(letter.id, { from, to, job: position % 2 === 0 ? 'j' : null })
      )
    },
  ),
  define('list letters', fc.tuple(optional(letterState), limit), async (all, [state, most]) => [
    await all.deadLetters.openAt([4, 3, 2, 1]),
    await all.deadLetters.list({ limit: most, subscription: 'p', ...compact({ state }) }),
    await all.deadLetters.list({ limit: most, after: 'P/3' }),
    await all.deadLetters.counts(),
    await all.deadLetters.parkedOf('p', 3),
    await all.deadLetters.underWay('j'),
    await all.deadLetters.counts({ job: 'j', until: most }),
    await all.deadLetters.list({ limit: most, type: 'Noted', since: most, fingerprint: 'f1' }),
    await all.deadLetters.groups({ limit: most, ...compact({ state }) }),
  ]),
  define('trim letters', fc.tuple(small, limit), ({ deadLetters }, [before, most]) =>
    deadLetters.trim(before, most),
  ),
]
