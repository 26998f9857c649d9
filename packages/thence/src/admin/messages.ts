/**
 * The log as people read it: streams, pages of messages, one message. Data is given as it was stored; nothing is
 * upcast or validated, because the app's code is not here.
 */
import { loadParts } from '../app/part-records.ts'
import { near } from '../internal/near.ts'
import type { OptionNames } from '../message/expect.ts'
import type { MessageView } from '../message/view.ts'
import { viewOf } from '../message/view.ts'
import type { Transaction } from '../ports/database.ts'
import type { Events, ReadAll, StoredMessage, StreamInfo } from '../ports/events.ts'
import type { On } from './on.ts'
import { notFound } from './on.ts'
import { expectListing } from './place.ts'

export interface StreamsOptions {
  /** Only streams whose name starts with it. */
  readonly prefix?: string
  /** Only streams after this name. */
  readonly after?: string
  /** Default 50. */
  readonly limit?: number
}

const streamsNames: OptionNames<StreamsOptions> = { prefix: true, after: true, limit: true }

/** Streams by name. @throws CONFIG_INVALID */
export async function streams(
  { database }: On,
  given: StreamsOptions = {},
): Promise<readonly StreamInfo[]> {
  expectListing('streams', given, streamsNames)
  const { limit = 50, ...options } = given
  return database.read(({ events }) => events.streams({ ...options, limit }))
}

export interface StreamOptions {
  /** First version to give; default: the first, backwards the last. */
  readonly from?: number
  readonly backwards?: boolean
  /** Default 50. */
  readonly limit?: number
}

export interface StreamView {
  readonly stream: string
  /** Of its last message. */
  readonly version: number
  /** Messages up to this version were removed; 0: none. */
  readonly trimmed: number
  /** It was ended for good. */
  readonly tombstone: boolean
  readonly messages: readonly MessageView[]
}

/** Streams that begin alike, or the one that is meant if only its category is mistyped. */
const nearStreams = async (transaction: Transaction, name: string): Promise<readonly string[]> => {
  const { events } = transaction
  const [category = name, ...rest] = name.split('-')
  const found: string[] = []
  const add = async (prefix: string, limit: number): Promise<void> => {
    for (const { stream } of await events.streams({ prefix, limit })) found.push(stream)
  }
  for (const prefix of [name, category]) if (found.length === 0) await add(prefix, 50)
  const categories = (await loadParts(transaction)).map((part) => part.name)
  for (const other of near(category, categories)) {
    const meant = [other, ...rest].join('-')
    if ((await events.readStream(meant, { limit: 1 })).length > 0) found.unshift(meant)
  }
  return found
}

/** A stream that was begun. @throws NOT_FOUND, with what is near */
export async function requireStream(transaction: Transaction, name: string): Promise<StreamInfo> {
  const info = await transaction.events.stream(name)
  if (info !== undefined) return info
  throw notFound('stream', name, {
    names: await nearStreams(transaction, name),
    advice: 'See: thence streams list.',
  })
}

const streamNames: OptionNames<StreamOptions> = { from: true, backwards: true, limit: true }

/** One stream's messages. @throws NOT_FOUND, CONFIG_INVALID */
export async function stream(
  { database }: On,
  name: string,
  given: StreamOptions = {},
): Promise<StreamView> {
  expectListing('stream', given, streamNames)
  const { limit = 50, ...options } = given
  return database.read(async (transaction) => {
    const { events } = transaction
    const info = await requireStream(transaction, name)
    const messages = await events.readStream(name, { ...options, limit })
    const { version, trimmed, tombstone } = info
    return { stream: name, version, trimmed, tombstone, messages: messages.map(viewOf) }
  })
}

export interface EventsOptions {
  readonly types?: readonly string[]
  readonly tags?: readonly string[]
  readonly stream?: string
  /** Only positions greater than this. */
  readonly after?: number
  /** Only positions less than this. */
  readonly before?: number
  readonly backwards?: boolean
  /** Default 50. */
  readonly limit?: number
}

export interface EventsPage {
  /** In order of position, or the other way round if `backwards`. */
  readonly messages: readonly MessageView[]
  /** Forwards: everything up to here that matches is in this page or was before it. */
  readonly through: number
  /** Whether the page is full, so that more may follow. It may hold fewer messages than were asked for. */
  readonly more: boolean
}

/** Bytes of messages in one page. */
const pageBytes = 8 * 1024 * 1024

const queryOf = ({ types = [], tags = [] }: EventsOptions): Pick<ReadAll, 'query'> =>
  types.length === 0 && tags.length === 0
    ? {}
    : {
        query: [
          { ...(types.length === 0 ? {} : { types }), ...(tags.length === 0 ? {} : { tags }) },
        ],
      }

const bounds = ({ after, before, backwards }: EventsOptions): Partial<ReadAll> => ({
  ...(after === undefined ? {} : { after }),
  ...(before === undefined ? {} : { before }),
  ...(backwards === undefined ? {} : { backwards }),
})

const eventsNames: OptionNames<EventsOptions> = {
  types: true,
  tags: true,
  stream: true,
  after: true,
  before: true,
  backwards: true,
  limit: true,
}

/** A page of the log by position, type, tag and stream. @throws CONFIG_INVALID */
export async function events({ database }: On, options: EventsOptions = {}): Promise<EventsPage> {
  expectListing('events', options, eventsNames)
  const { limit = 50 } = options
  return database.read(async (transaction) => {
    if (options.stream !== undefined) return eventsOfStream(transaction, options.stream, options)
    const page = await transaction.events.readAll({
      ...queryOf(options),
      ...bounds(options),
      limit,
      maxBytes: pageBytes,
    })
    return { messages: page.messages.map(viewOf), through: page.through, more: page.more }
  })
}

const wanted = ({
  types = [],
  tags = [],
  after = 0,
  before = Infinity,
}: EventsOptions): ((message: StoredMessage) => boolean) => {
  const set = new Set(types)
  return (message: StoredMessage): boolean =>
    message.position > after &&
    message.position < before &&
    (set.size === 0 || set.has(message.type)) &&
    tags.every((tag) => message.tags.includes(tag))
}

const streamPage = 500

/** The version of the first message of a stream that stands after a position: versions and positions grow together. */
const versionAfter = async (log: Events, name: string, position: number): Promise<number> => {
  const [last] = await log.readStream(name, { backwards: true, limit: 1 })
  let low = 1
  let high = (last?.version ?? 0) + 1
  if (last !== undefined && last.position <= position) return high
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [found] = await log.readStream(name, { from: middle, limit: 1 })
    if (found !== undefined && found.position <= position) low = middle + 1
    else high = middle
  }
  return low
}

async function* walk(
  log: Events,
  name: string,
  { from, backwards }: { from: number | undefined; backwards: boolean },
): AsyncGenerator<StoredMessage> {
  let next = from
  for (;;) {
    const start = next === undefined ? {} : { from: next }
    const bounds = { limit: streamPage, maxBytes: pageBytes }
    const page = await log.readStream(name, { ...bounds, backwards, ...start })
    yield* page
    next = (page.at(-1)?.version ?? 0) + (backwards ? -1 : 1)
    if (page.length === 0 || next === 0) return
  }
}

/** A stream has no index by type: it is read page by page until enough is found. */
const eventsOfStream = async (
  { events: log }: Transaction,
  name: string,
  options: EventsOptions,
): Promise<EventsPage> => {
  const { limit = 50, backwards = false, after = 0 } = options
  const matches = wanted(options)
  const messages: MessageView[] = []
  const from = backwards || after === 0 ? undefined : await versionAfter(log, name, after)
  for await (const stored of walk(log, name, { from, backwards })) {
    if (backwards && stored.position <= after) break
    if (matches(stored)) messages.push(viewOf(stored))
    if (messages.length >= limit) return { messages, through: stored.position, more: true }
  }
  const through = Math.max(after, await log.head(), ...messages.map(({ position }) => position))
  return { messages, through, more: false }
}

/** One message, by its id or its position. @throws NOT_FOUND */
export function message({ database }: On, which: string): Promise<MessageView> {
  return database.read(async (transaction) => {
    const found = await findMessage(transaction, which)
    if (found !== undefined) return viewOf(found)
    throw notFound('message', which, {
      advice: 'Give an id or a position; see: thence events tail.',
    })
  })
}

/** By id, else by position. */
export async function findMessage(
  { events: log }: Transaction,
  which: string,
): Promise<StoredMessage | undefined> {
  const [found] = await log.find({ id: which })
  if (found !== undefined) return found
  const position = Number(which)
  if (!/^\d+$/.test(which) || !Number.isSafeInteger(position) || position < 1) return undefined
  const { messages } = await log.readAll({ after: position - 1, limit: 1 })
  return messages[0]?.position === position ? messages[0] : undefined
}
