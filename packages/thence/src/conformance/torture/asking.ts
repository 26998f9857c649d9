/**
 * What the kit asks of a database of Thence, and what its answers are called.
 */
import { message } from '../samples.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { TortureAnswer, TortureAppend } from './subject.ts'

export const requestOf = ({ stream, ids, expected }: TortureAppend): AppendRequest => ({
  stream,
  messages: ids.map((id) => message(id)),
  ...(expected !== undefined && { expected: expected === 0 ? 'none' : expected }),
})

const answerTo = ({ outcome }: Verdict): TortureAnswer =>
  outcome === 'appended' ? 'appended' : 'refused'

/** By its code, so that an error of another copy of this library counts too. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'STORE_BUSY'

export const orBusy = async (work: () => Awaitable<Verdict>): Promise<TortureAnswer> => {
  try {
    return answerTo(await work())
  } catch (error) {
    if (isBusy(error)) return 'busy'
    throw error
  }
}
