/**
 * Append requests as the columns that the database's function takes (migrations/0002-append.ts): one array for each, written
 * as PostgreSQL's text of it. To which request an entry belongs is a column too, counted from 1.
 */
import type { AppendRequest, NewMessage, QueryItem } from '../../ports/events.ts'
import { encodeTags } from '../sql/rows.ts'
import { asQuery } from './query.ts'

/** The arrays by the names of the function's parameters; what is left out is empty. */
export type Columns = Readonly<Record<string, string>>

const big: ReadonlySet<string> = new Set([
  'bases',
  'expectations',
  'times',
  'item_afters',
  'query_afters',
])
const small: ReadonlySet<string> = new Set([
  'starts',
  'offsets',
  'counts',
  'places',
  'schema_versions',
  'tag_places',
])

/** The type of a parameter. */
export const typeOf = (name: string): string => {
  if (big.has(name)) return 'bigint[]'
  return small.has(name) || name.endsWith('_of') ? 'integer[]' : 'text[]'
}

// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f]/

const quoted = (text: string | null): string =>
  text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`

/** JSON's text of a list of strings is that of an array too, but where it has more to escape than quotes and backslashes. */
const texts = (list: readonly (string | null)[]): string =>
  list.some((text) => text !== null && control.test(text))
    ? `{${list.map(quoted).join()}}`
    : `{${JSON.stringify(list).slice(1, -1)}}`

/** An array of whatever; numbers are written as texts. */
export const arrayOf = (list: readonly (string | number | null)[]): string =>
  texts(list.map((value) => (value === null ? null : String(value))))

const numbers = (list: readonly number[]): string => `{${list.join()}}`

/** An entry and the number of the request that it belongs to. */
type Owned<T> = readonly (readonly [request: number, entry: T])[]

const owned = <T>(
  requests: readonly AppendRequest[],
  entries: (request: AppendRequest) => readonly T[],
): Owned<T> =>
  requests.flatMap((request, index) => entries(request).map((entry) => [index + 1, entry] as const))

const owners = (list: Owned<unknown>): string => numbers(list.map(([request]) => request))

const expectation = ({ expected }: AppendRequest): number => {
  if (expected === undefined) return -2
  if (expected === 'exists') return -1
  return expected === 'none' ? 0 : expected
}

const repeats = ({ messages }: AppendRequest): boolean =>
  messages.length > 1 && new Set(messages.map(({ id }) => id)).size < messages.length

/** The versions that a stream may have had before the batch, if all of its requests are to be accepted. */
interface Bounds {
  readonly low: number
  readonly high: number
}

const anything: Bounds = { low: 0, high: Infinity }

const within = (bounds: Bounds, expected: number, offset: number): Bounds => {
  const { low, high } = bounds
  if (expected >= 0)
    return { low: Math.max(low, expected - offset), high: Math.min(high, expected - offset) }
  return expected === -1 && offset === 0 ? { low: Math.max(low, 1), high } : bounds
}

/** As the function takes them. */
const baseOf = ({ low, high }: Bounds): number => {
  if (low > high) return -3
  if (high < Infinity) return low
  return low > 0 ? -1 : -2
}

const ofStreams = (requests: readonly AppendRequest[]): Columns => {
  const places = new Map<string, number>()
  const bounds: Bounds[] = []
  const added: number[] = []
  const columns: { readonly [K in 'streamOf' | 'starts' | 'offsets']: number[] } = {
    streamOf: [],
    starts: [],
    offsets: [],
  }
  let start = 0
  for (const request of requests) {
    const index = places.get(request.stream) ?? places.size
    places.set(request.stream, index)
    const offset = added[index] ?? 0
    bounds[index] = within(bounds[index] ?? anything, expectation(request), offset)
    added[index] = offset + request.messages.length
    columns.streamOf.push(index + 1)
    columns.starts.push(start)
    columns.offsets.push(offset)
    start += request.messages.length
  }
  return {
    names: texts([...places.keys()]),
    bases: numbers(bounds.map(baseOf)),
    stream_of: numbers(columns.streamOf),
    starts: numbers(columns.starts),
    offsets: numbers(columns.offsets),
    expectations: numbers(requests.map(expectation)),
    counts: numbers(requests.map(({ messages }) => messages.length)),
  }
}

const ofOnces = (requests: readonly AppendRequest[]): Columns => {
  const list = owned(requests, ({ once }) => (once === undefined ? [] : [once]))
  if (list.length === 0) return {}
  return {
    once_of: owners(list),
    consumers: texts(list.map(([, { consumer }]) => consumer)),
    once_ids: texts(list.map(([, { id }]) => id)),
    digests: texts(list.map(([, { digest = null }]) => digest)),
  }
}

/** An item of a condition, and after which position nothing may match it. */
type Forbidden = readonly [item: QueryItem, after: number]

const others = ({ tags = [] }: QueryItem): string | null =>
  tags.length > 1 ? texts(tags.slice(1)) : null

const ofItems = (list: Owned<Forbidden>): Columns => {
  if (list.length === 0) return {}
  return {
    item_of: owners(list),
    item_afters: numbers(list.map(([, [, after]]) => after)),
    first_tags: texts(list.map(([, [{ tags = [] }]]) => tags[0] ?? null)),
    other_tags: texts(list.map(([, [item]]) => others(item))),
    wanted_types: texts(list.map(([, [{ types }]]) => (types === undefined ? null : texts(types)))),
  }
}

const ofQueries = (list: Owned<Forbidden>): Columns => {
  if (list.length === 0) return {}
  return {
    query_of: owners(list),
    query_afters: numbers(list.map(([, [, after]]) => after)),
    queries: texts(list.map(([, [item]]) => JSON.stringify([item]))),
  }
}

/** Items with tags are looked up together; those without go through the function that reads by queries. */
const ofConditions = (requests: readonly AppendRequest[]): Columns => {
  const all = owned(requests, ({ condition }): readonly Forbidden[] =>
    condition === undefined
      ? []
      : asQuery(condition.query).map((item) => [item, condition.after] as const),
  )
  return {
    ...ofItems(all.filter(([, [{ tags = [] }]]) => tags.length > 0)),
    ...ofQueries(all.filter(([, [{ tags = [] }]]) => tags.length === 0)),
  }
}

const ofRepeating = (requests: readonly AppendRequest[]): Columns => {
  const list = owned(requests, (request) => (repeats(request) ? [request] : []))
  return list.length === 0 ? {} : { repeating_of: owners(list) }
}

/** Where a message stands: in which request, and which of its messages it is. */
interface Placed {
  readonly request: number
  readonly place: number
  readonly message: NewMessage
}

const ofTags = (list: readonly Placed[]): Columns => {
  if (list.every(({ message }) => message.tags.length === 0)) return {}
  const tagged = list.flatMap(({ request, place, message }) =>
    [...new Set(message.tags)].map((tag) => ({ request, place, tag })),
  )
  return {
    tag_lists: texts(list.map(({ message }) => encodeTags(message.tags))),
    tag_of: numbers(tagged.map(({ request }) => request)),
    tag_places: numbers(tagged.map(({ place }) => place)),
    tag_names: texts(tagged.map(({ tag }) => tag)),
  }
}

const ofChains = (list: readonly Placed[]): Columns => {
  const isFirst = ({ message }: Placed): boolean =>
    message.correlationId === null && message.causationId === null && message.metadata === null
  if (list.every(isFirst)) return {}
  return {
    correlations: texts(list.map(({ message }) => message.correlationId)),
    causations: texts(list.map(({ message }) => message.causationId)),
    metadatas: texts(list.map(({ message }) => message.metadata)),
  }
}

const ofMessages = (requests: readonly AppendRequest[]): Columns => {
  const list = requests.flatMap(({ messages }, index) =>
    messages.map((message, before) => ({ request: index + 1, place: before + 1, message })),
  )
  return {
    message_of: numbers(list.map(({ request }) => request)),
    places: numbers(list.map(({ place }) => place)),
    kinds: texts(list.map(({ message }) => message.kind)),
    types: texts(list.map(({ message }) => message.type)),
    schema_versions: numbers(list.map(({ message }) => message.schemaVersion)),
    ids: texts(list.map(({ message }) => message.id)),
    times: numbers(list.map(({ message }) => message.time)),
    datas: texts(list.map(({ message }) => message.data)),
    ...ofChains(list),
    ...ofTags(list),
  }
}

/** All that the function must know of requests that don't depend on one another; see parts.ts. */
export const columnsOf = (requests: readonly AppendRequest[]): Columns => ({
  ...ofStreams(requests),
  ...ofMessages(requests),
  ...ofOnces(requests),
  ...ofConditions(requests),
  ...ofRepeating(requests),
})

/** What the function takes that appends a single message (migrations/append-one.ts); undefined if the requests are more than that. */
export const singleOf = (
  requests: readonly AppendRequest[],
): readonly (string | number | null)[] | undefined => {
  const [request, ...more] = requests
  const [message, ...others] = request?.messages ?? []
  if (request === undefined || message === undefined || more.length + others.length > 0) return
  if (request.once !== undefined || request.condition !== undefined) return
  const { kind, type, schemaVersion, id, time, data, tags } = message
  return [
    request.stream,
    expectation(request),
    kind,
    type,
    schemaVersion,
    id,
    time,
    data,
    message.correlationId,
    message.causationId,
    message.metadata,
    encodeTags(tags),
    texts([...new Set(tags)]),
  ]
}
