/**
 * The log as an array: position p stands at index p - 1, so reading after a position needs no search. Queries scan
 * from there; that is enough for a specification and for tests. What was removed leaves a hole, in the log and in its
 * stream.
 */
import type {
  AppendCondition,
  Appended,
  AppendRequest,
  Events,
  NewMessage,
  Once,
  Page,
  Place,
  ReadAll,
  ReadStream,
  StoredMessage,
  StreamInfo,
  Trim,
  Verdict,
} from '../../ports/events.ts'
import { bytesOf, Room } from '../../internal/room.ts'
import { categoryOf } from '../../message/name.ts'
import { type Past, judge } from './judge.ts'
import type { MemoryInbox } from './inbox.ts'
import { page } from './order.ts'
import { matches } from './query.ts'
import { type Journal, Table } from './table.ts'

/** A stream; version v stands at index v - 1. */
interface Kept {
  readonly messages: (StoredMessage | undefined)[]
  trimmed: number
  tombstone: boolean
  /** Also if it was removed. */
  last: Pick<StoredMessage, 'position' | 'time'>
}

/** How many messages of a category were removed, and the highest of their positions. */
export interface Removed {
  readonly removed: number
  readonly truncated: number
}

export class MemoryEvents implements Events, Past {
  readonly #log: (StoredMessage | undefined)[] = []
  readonly #streams = new Map<string, Kept>()
  readonly #ids = new Map<string, StoredMessage>()
  /** The highest removed position, by type. */
  readonly #truncated: Table<string, number>
  readonly #removed: Table<string, Removed>
  readonly #journal: Journal
  readonly #inbox: MemoryInbox

  constructor(journal: Journal, inbox: MemoryInbox) {
    this.#journal = journal
    this.#inbox = inbox
    this.#truncated = new Table(journal)
    this.#removed = new Table(journal)
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
    if (once !== undefined) {
      const { consumer, id, digest } = once
      const row = digest === undefined ? outcome : { ...outcome, digest }
      this.#inbox.remember(consumer, id, row)
    }
    return { outcome: 'appended', ...outcome }
  }

  readStream(
    stream: string,
    { from, backwards, limit, maxBytes }: ReadStream,
  ): readonly StoredMessage[] {
    const { messages, trimmed } = this.#streams.get(stream) ?? { messages: [], trimmed: 0 }
    const end = Math.min(from ?? messages.length, messages.length)
    const start = Math.max(trimmed, (from ?? 1) - 1)
    const found = backwards
      ? messages.slice(Math.max(trimmed, end - limit), Math.max(trimmed, end)).reverse()
      : messages.slice(start, start + limit)
    const room = new Room(limit, maxBytes)
    return found.filter(isStored).filter((message) => room.take(bytesOf(message)))
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
    return this.#log
      .filter(isStored)
      .filter(({ correlationId, id }) => (correlationId ?? id) === by.correlationId)
  }

  stream(name: string): StreamInfo | undefined {
    const kept = this.#streams.get(name)
    if (kept === undefined || kept.messages.length === 0) return undefined
    const { messages, last, trimmed, tombstone } = kept
    return { stream: name, version: messages.length, ...last, trimmed, tombstone }
  }

  streams(options: {
    readonly prefix?: string
    readonly after?: string
    readonly limit: number
  }): readonly StreamInfo[] {
    const infos = [...this.#streams.keys()].map((name) => this.stream(name)).filter(isThere)
    const named = infos.filter(({ stream }) => stream.startsWith(options.prefix ?? ''))
    return page(named, ({ stream }) => stream, options)
  }

  trim(stream: string, { through, limit }: Trim): number {
    const kept = this.#streams.get(stream)
    if (kept === undefined) return 0
    const before = kept.trimmed
    const end = Math.min(through, before + limit, kept.messages.length)
    for (let version = before + 1; version <= end; version += 1) this.#remove(kept, version)
    return Math.max(0, end - before)
  }

  tombstone(stream: string): boolean {
    const kept = this.#streams.get(stream)
    if (kept === undefined || kept.messages.length === 0 || kept.tombstone) return false
    this.#journal.note(() => {
      kept.tombstone = false
    })
    kept.tombstone = true
    return true
  }

  truncated(types?: readonly string[]): number {
    const positions = types
      ? types.map((type) => this.#truncated.get(type) ?? 0)
      : this.#truncated.values()
    return Math.max(0, ...positions)
  }

  places({ after, limit }: { readonly after: number; readonly limit: number }): readonly Place[] {
    return this.#log
      .slice(after)
      .filter(isStored)
      .slice(0, limit)
      .map(({ position, stream, version, type, time }) => ({
        position,
        stream,
        version,
        type,
        time,
      }))
  }

  /** Everything that is stored. */
  all(): readonly StoredMessage[] {
    return this.#log.filter(isStored)
  }

  /** What was removed, by category. */
  removed(category: string): Removed {
    return this.#removed.get(category) ?? { removed: 0, truncated: 0 }
  }

  recall(once: Once): Appended | undefined {
    const done = this.#inbox.recall(once.consumer, once.id)
    return (
      done && {
        stream: done.stream,
        version: done.version,
        position: done.position,
        count: done.count,
      }
    )
  }

  version(stream: string): number {
    return this.#streams.get(stream)?.messages.length ?? 0
  }

  isTombstone(stream: string): boolean {
    return this.#streams.get(stream)?.tombstone ?? false
  }

  byId(id: string): StoredMessage | undefined {
    return this.#ids.get(id)
  }

  firstMatch({ query, after }: AppendCondition): StoredMessage | undefined {
    return this.readAll({ query, after, limit: 1 }).messages[0]
  }

  #write(stream: string, message: NewMessage): void {
    const kept = this.#streams.get(stream) ?? newStream()
    const { messages, last } = kept
    const stored = Object.freeze({
      ...message,
      tags: Object.freeze([...message.tags]),
      stream,
      version: messages.length + 1,
      position: this.#log.length + 1,
    })
    this.#journal.note(() => {
      this.#log.pop()
      messages.pop()
      kept.last = last
      this.#ids.delete(stored.id)
    })
    this.#log.push(stored)
    messages.push(stored)
    kept.last = { position: stored.position, time: stored.time }
    this.#streams.set(stream, kept)
    this.#ids.set(stored.id, stored)
  }

  #remove(kept: Kept, version: number): void {
    const stored = kept.messages[version - 1]!
    const { id, position, type, stream } = stored
    this.#journal.note(() => {
      kept.messages[version - 1] = this.#log[position - 1] = stored
      kept.trimmed = version - 1
      this.#ids.set(id, stored)
    })
    kept.messages[version - 1] = this.#log[position - 1] = undefined
    kept.trimmed = version
    this.#ids.delete(id)
    this.#truncated.set(type, Math.max(position, this.#truncated.get(type) ?? 0))
    const category = categoryOf(stream)
    const { removed, truncated } = this.removed(category)
    this.#removed.set(category, {
      removed: removed + 1,
      truncated: Math.max(position, truncated),
    })
  }
}

const newStream = (): Kept => ({
  messages: [],
  trimmed: 0,
  tombstone: false,
  last: { position: 0, time: 0 },
})

const isThere = <T>(value: T | undefined): value is T => value !== undefined
const isStored: (value: StoredMessage | undefined) => value is StoredMessage = isThere
