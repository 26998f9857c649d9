/**
 * The log as an array: position p stands at index p - 1, so reading after a position needs no search. Queries scan
 * from there; that is enough for a specification and for tests.
 */
import type {
  AppendCondition,
  Appended,
  AppendRequest,
  Events,
  NewMessage,
  Once,
  Page,
  ReadAll,
  ReadStream,
  StoredMessage,
  StreamInfo,
  Verdict,
} from '../../ports/events.ts'
import { bytesOf, Room } from '../../internal/room.ts'
import { type Past, judge } from './judge.ts'
import type { MemoryInbox } from './inbox.ts'
import { page } from './order.ts'
import { matches } from './query.ts'
import type { Journal } from './table.ts'

export class MemoryEvents implements Events, Past {
  readonly #log: StoredMessage[] = []
  readonly #streams = new Map<string, StoredMessage[]>()
  readonly #ids = new Map<string, StoredMessage>()
  readonly #journal: Journal
  readonly #inbox: MemoryInbox

  constructor(journal: Journal, inbox: MemoryInbox) {
    this.#journal = journal
    this.#inbox = inbox
  }

  append(request: AppendRequest): Verdict {
    const verdict = judge(request, this)
    if (verdict !== undefined) return verdict
    const { stream, messages, once } = request
    for (const message of messages) this.#write(stream, message)
    const outcome = {
      stream,
      version: this.version(stream),
      position: this.head(),
      count: messages.length,
    }
    if (once) this.#inbox.remember(once.consumer, once.id, outcome)
    return { outcome: 'appended', ...outcome }
  }

  readStream(stream: string, { from, backwards, limit }: ReadStream): readonly StoredMessage[] {
    const all = this.#streams.get(stream) ?? []
    if (backwards) {
      const end = Math.max(0, Math.min(from ?? all.length, all.length))
      return all.slice(Math.max(0, end - limit), end).reverse()
    }
    const start = Math.max(1, from ?? 1) - 1
    return all.slice(start, start + limit)
  }

  readAll({ query = [], after = 0, before = Infinity, backwards, limit, maxBytes }: ReadAll): Page {
    const last = Math.min(this.head(), before - 1)
    const room = new Room(limit, maxBytes)
    const messages: StoredMessage[] = []
    for (let step = 0; step < last - after && !room.full; step += 1) {
      const message = this.#log[backwards ? last - 1 - step : after + step]
      if (message && matches(query, message) && room.take(bytesOf(message))) messages.push(message)
    }
    // A page that ends before `before` must not claim what stands after it.
    const through = room.full ? messages.at(-1)!.position : Math.max(after, last)
    return { messages, through, more: room.full }
  }

  head(): number {
    return this.#log.length
  }

  find(by: { readonly id: string } | { readonly correlationId: string }): readonly StoredMessage[] {
    if ('id' in by) return [this.#ids.get(by.id)].filter((message) => message !== undefined)
    return this.#log.filter(({ correlationId, id }) => (correlationId ?? id) === by.correlationId)
  }

  streams(options: {
    readonly prefix?: string
    readonly after?: string
    readonly limit: number
  }): readonly StreamInfo[] {
    const lasts = [...this.#streams.values()].flatMap((messages) => messages.slice(-1))
    const named = lasts.filter(({ stream }) => stream.startsWith(options.prefix ?? ''))
    return page(named, ({ stream }) => stream, options).map(
      ({ stream, version, position, time }) => ({ stream, version, position, time }),
    )
  }

  recall(once: Once): Appended | undefined {
    return this.#inbox.recall(once.consumer, once.id)
  }

  version(stream: string): number {
    return this.#streams.get(stream)?.length ?? 0
  }

  byId(id: string): StoredMessage | undefined {
    return this.#ids.get(id)
  }

  firstMatch({ query, after }: AppendCondition): StoredMessage | undefined {
    return this.readAll({ query, after, limit: 1 }).messages[0]
  }

  #write(stream: string, message: NewMessage): void {
    const past = this.#streams.get(stream) ?? []
    const stored = Object.freeze({
      ...message,
      tags: Object.freeze([...message.tags]),
      stream,
      version: past.length + 1,
      position: this.#log.length + 1,
    })
    this.#journal.note(() => {
      this.#log.pop()
      past.pop()
      this.#ids.delete(stored.id)
    })
    this.#log.push(stored)
    past.push(stored)
    this.#streams.set(stream, past)
    this.#ids.set(stored.id, stored)
  }
}
