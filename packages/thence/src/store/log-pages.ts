/**
 * The log a page at a time: pages grow, because each has a price of its own, and once a second one is asked for, the next is
 * read while one is used. So two are in memory at the most.
 */
import type { NextPage } from '../internal/paged.ts'
import type { Page, ReadAll, StoredMessage } from '../ports/events.ts'
import { pageBytes, pageSize } from './stream-pages.ts'

/** The most messages of a page, so that decoding one never blocks the process for long. */
const largest = 2000

export type LogOptions = Omit<ReadAll, 'limit' | 'maxBytes' | 'unsettled'> & {
  readonly limit?: number
}

/** @param read gives one page. */
export function logPages(
  options: LogOptions,
  read: (options: ReadAll) => Promise<Page>,
): NextPage<StoredMessage> {
  let left = options.limit ?? Infinity
  let bounds: Pick<ReadAll, 'after' | 'before'> = {}
  let size = pageSize
  let ahead: Promise<Page> | undefined

  const next = (): Promise<Page> =>
    read({ maxBytes: pageBytes, ...options, ...bounds, limit: Math.min(left, size) })

  return async () => {
    if (left <= 0) return undefined
    const reading = ahead ?? next()
    ahead = undefined
    const { messages, more } = await reading
    const last = messages.at(-1)
    if (last === undefined) return undefined
    left = more ? left - messages.length : 0
    bounds = options.backwards === true ? { before: last.position } : { after: last.position }
    if (left > 0 && size > pageSize) {
      ahead = next()
      // Whoever asks for it meets the failure.
      ahead.catch(() => undefined)
    }
    size = Math.min(2 * size, largest)
    return messages
  }
}
