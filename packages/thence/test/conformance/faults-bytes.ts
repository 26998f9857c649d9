/** Faults of pages that are bounded by bytes. */
import type { Events, NewMessage } from '../../src/ports/events.ts'
import { reading } from './faults-events.ts'
import type { Fault } from './plant.ts'

/** Counts bytes in a way of its own. */
const measuring = (name: string, size: (message: NewMessage) => number): Fault =>
  reading(name, (events) => ({
    async readAll({ maxBytes = Infinity, ...options }) {
      const page = await events.readAll(options)
      let left = maxBytes
      const end = page.messages.findIndex((message, index) => {
        left -= size(message)
        return left < 0 && index > 0
      })
      if (end < 0) return page
      const messages = page.messages.slice(0, end)
      return { messages, through: messages.at(-1)?.position ?? 0, more: true }
    },
  }))

const oneMore = async (
  events: Events,
  options: Parameters<Events['readAll']>[0],
): Promise<Awaited<ReturnType<Events['readAll']>>> => {
  const page = await events.readAll(options)
  const { maxBytes, ...unbounded } = options
  if (maxBytes === undefined || !page.more) return page
  return events.readAll({
    ...unbounded,
    limit: Math.min(options.limit, page.messages.length + 1),
  })
}

export const byteFaults: readonly Fault[] = [
  reading('a page that ends before it is too large says that there is no more', (events) => ({
    async readAll(options) {
      const page = await events.readAll(options)
      return { ...page, more: page.messages.length === options.limit }
    },
  })),
  reading('a page that ends before it is too large is read through the head', (events) => ({
    async readAll(options) {
      const page = await events.readAll(options)
      const cut = page.more && page.messages.length < options.limit
      return cut ? { ...page, through: await events.head() } : page
    },
  })),
  reading('a bound on bytes is ignored', (events) => ({
    readAll: ({ maxBytes: _ignored, ...options }) => events.readAll(options),
  })),
  reading('a bound on bytes is ignored in a stream', (events) => ({
    readStream: (stream, { maxBytes: _ignored, ...options }) => events.readStream(stream, options),
  })),
  reading('a message of a stream that is larger than the bound is never given', (events) => ({
    async readStream(stream, options) {
      const found = await events.readStream(stream, options)
      return found.filter(({ data }) => data.length <= (options.maxBytes ?? Infinity))
    },
  })),
  reading('a page may be larger than its bound by one message', (events) => ({
    readAll: (options) => oneMore(events, options),
  })),
  reading('a message that is larger than the bound is never given', (events) => ({
    async readAll(options) {
      const page = await events.readAll(options)
      const large = (page.messages[0]?.data.length ?? 0) > (options.maxBytes ?? Infinity)
      return large ? { ...page, messages: [], through: options.after ?? 0 } : page
    },
  })),
  measuring(
    'bytes are counted as characters',
    ({ data, metadata }) => data.length + (metadata?.length ?? 0),
  ),
  measuring('metadata is not counted', ({ data }) => Buffer.byteLength(data)),
]
