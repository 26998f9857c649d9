/**
 * A stream in order of version, a page at a time, wherever the pages come from.
 */
import { paged } from '../internal/paged.ts'
import type { Recorded } from '../message/message.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { ReadStream, StoredMessage } from '../ports/events.ts'

export const pageSize = 500
/** Bytes of messages in memory at once while the log is read. */
export const pageBytes: number = 8 * 1024 * 1024

export interface ReadStreamOptions {
  /** First version, inclusive. */
  readonly from?: number
  readonly backwards?: boolean
  /** At most so many; default: all. */
  readonly limit?: number
}

export interface StreamReading {
  /** Gives one page. */
  readonly read: (options: ReadStream) => Awaitable<readonly StoredMessage[]>
  readonly decode: (stored: StoredMessage) => Recorded
}

export function streamPages(
  { from, backwards = false, limit = Infinity }: ReadStreamOptions = {},
  { read, decode }: StreamReading,
): AsyncIterableIterator<Recorded, undefined> {
  let next = from
  let left = limit
  return paged(async () => {
    if (left <= 0 || next === 0) return undefined
    const page = await read({
      backwards,
      limit: Math.min(left, pageSize),
      maxBytes: pageBytes,
      ...(next === undefined ? {} : { from: next }),
    })
    const last = page.at(-1)
    if (last === undefined) return undefined
    left -= page.length
    next = last.version + (backwards ? -1 : 1)
    return page
  }, decode)
}
