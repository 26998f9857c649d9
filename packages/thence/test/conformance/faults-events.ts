/** Faults of the log that adapters have had, or could have. */
import type { AppendRequest, Events, Query, Verdict } from '../../src/ports/events.ts'
import type { Fault } from './plant.ts'

/** A fault of `append`, given the healthy port. */
export const appending = (
  name: string,
  append: (events: Events, request: AppendRequest) => Promise<Verdict>,
): Fault => ({
  name,
  ports: ({ events }) => ({ events: { append: (request) => append(events, request) } }),
})

/** A request that is changed on its way in. */
const changed = (name: string, change: (request: AppendRequest) => AppendRequest): Fault =>
  appending(name, async (events, request) => events.append(change(request)))

/** A request that leaves something out. */
export const without = (
  request: AppendRequest,
  key: 'expected' | 'condition' | 'once',
): AppendRequest => {
  const { [key]: _left, ...rest } = request
  return rest
}

const duplicate = ({ stream }: AppendRequest): Verdict => ({
  outcome: 'duplicate',
  stream,
  version: 1,
  position: 1,
  count: 1,
})

const expectations: readonly Fault[] = [
  changed("'exists' is ignored", (request) =>
    request.expected === 'exists' ? without(request, 'expected') : request,
  ),
  changed("'none' is ignored", (request) =>
    request.expected === 'none' ? without(request, 'expected') : request,
  ),
  appending('an expected version is taken as the least version', async (events, request) => {
    const [last] = await events.readStream(request.stream, { backwards: true, limit: 1 })
    const isLess = typeof request.expected === 'number' && request.expected < (last?.version ?? 0)
    return events.append(isLess ? without(request, 'expected') : request)
  }),
  changed("version 0 does not mean 'none'", (request) =>
    request.expected === 0 ? without(request, 'expected') : request,
  ),
]

const ids: readonly Fault[] = [
  appending('a duplicate is appended again', async (events, request) => {
    const verdict = await events.append(request)
    if (verdict.outcome !== 'duplicate' || request.messages.length === 0) return verdict
    const messages = request.messages.map((one) => ({ ...one, id: `${one.id} again` }))
    return events.append({ stream: request.stream, messages })
  }),
  appending(
    'an id that is taken by another message counts as a duplicate',
    async (events, request) => {
      const verdict = await events.append(request)
      return verdict.outcome === 'id-reused' ? duplicate(request) : verdict
    },
  ),
  appending('the order of keys makes another message', async (events, request) => {
    const verdict = await events.append(request)
    const [message] = request.messages
    if (verdict.outcome !== 'duplicate' || message === undefined) return verdict
    const [stored] = await events.find({ id: message.id })
    const isSame =
      stored === undefined ||
      stored.schemaVersion !== message.schemaVersion ||
      stored.data === message.data
    return isSame ? verdict : { outcome: 'id-reused', id: message.id }
  }),
  appending('data of two schema versions is compared', async (events, request) => {
    const verdict = await events.append(request)
    const [message] = request.messages
    if (verdict.outcome !== 'duplicate' || message === undefined) return verdict
    const [stored] = await events.find({ id: message.id })
    return stored === undefined || stored.schemaVersion === message.schemaVersion
      ? verdict
      : { outcome: 'id-reused', id: message.id }
  }),
  appending('of ids that are partly stored the rest is appended', async (events, request) => {
    const verdict = await events.append(request)
    if (verdict.outcome !== 'id-reused') return verdict
    const fresh: (typeof request.messages)[number][] = []
    for (const one of request.messages)
      if ((await events.find({ id: one.id })).length === 0) fresh.push(one)
    return fresh.length === 0 ? verdict : events.append({ ...request, messages: fresh })
  }),
  appending(
    'a duplicate is a conflict when the expectation no longer holds',
    async (events, request) => {
      const verdict = await events.append(request)
      const isOld = verdict.outcome === 'duplicate' && typeof request.expected === 'number'
      return isOld ? { outcome: 'conflict', actual: verdict.version } : verdict
    },
  ),
  appending('a duplicate tells where the head is', async (events, request) => {
    const verdict = await events.append(request)
    return verdict.outcome === 'duplicate' ? { ...verdict, position: await events.head() } : verdict
  }),
  appending('a refused append leaves a row', async (events, request) => {
    const verdict = await events.append(request)
    if (verdict.outcome === 'conflict')
      await events.append({ stream: 'burned', messages: request.messages.slice(0, 1) })
    return verdict
  }),
]

const conditions: readonly Fault[] = [
  ...[-1, 1].map((by) =>
    changed(
      `a condition looks after ${by > 0 ? 'one more' : 'one less'} than it should`,
      (request) =>
        request.condition === undefined
          ? request
          : {
              ...request,
              condition: { ...request.condition, after: request.condition.after + by },
            },
    ),
  ),
  changed('a condition is ignored beside an expectation', (request) =>
    request.expected === undefined ? request : without(request, 'condition'),
  ),
  changed('one tag of several is enough in a condition', (request) =>
    request.condition === undefined
      ? request
      : { ...request, condition: { ...request.condition, query: anyTag(request.condition.query) } },
  ),
  changed('once is ignored', (request) => without(request, 'once')),
  changed('what once was asked for is not kept', ({ once, ...request }) =>
    once === undefined ? request : { ...request, once: { consumer: once.consumer, id: once.id } },
  ),
  appending('a refused append remembers its once', async (events, request) => {
    const verdict = await events.append(request)
    const { once, stream } = request
    if (once && verdict.outcome === 'conflict') await events.append({ stream, once, messages: [] })
    return verdict
  }),
]

function anyTag(query: Query): Query {
  return query.flatMap(({ tags = [], ...item }) =>
    tags.length < 2 ? [{ ...item, tags }] : tags.map((tag) => ({ ...item, tags: [tag] })),
  )
}

const batches: readonly Fault[] = [
  {
    name: 'requests of a batch do not see one another',
    database: (healthy) => ({
      append: (requests) =>
        healthy.transact(async (transaction) => {
          const verdicts: Verdict[] = []
          for (const request of requests) {
            const looked = transaction.savepoint(async () => {
              verdicts.push(await transaction.events.append(request))
              throw new Error('undo')
            })
            await looked.catch(() => undefined)
          }
          for (const [index, { stream, messages }] of requests.entries())
            if (verdicts[index]?.outcome === 'appended')
              verdicts[index] = await transaction.events.append({ stream, messages })
          return verdicts
        }),
    }),
  },
  {
    name: 'a refused request aborts its batch',
    database: (healthy) => ({
      async append(requests) {
        let seen: readonly Verdict[] = []
        const refused = { outcome: 'conflict', actual: 0 } as const
        try {
          return await healthy.transact(async ({ events }) => {
            const verdicts: Verdict[] = []
            for (const request of requests) verdicts.push(await events.append(request))
            seen = verdicts
            if (verdicts.some(({ outcome }) => outcome === 'conflict')) throw new Error('abort')
            return verdicts
          })
        } catch (error) {
          if (seen.length === 0) throw error
          return seen.map((verdict) => (verdict.outcome === 'appended' ? refused : verdict))
        }
      },
    }),
  },
]

export const reading = (name: string, replace: (events: Events) => Partial<Events>): Fault => ({
  name,
  ports: ({ events }) => ({ events: replace(events) }),
})

const reads: readonly Fault[] = [
  reading('a full page is read through the head', (events) => ({
    readAll: async (options) => ({
      ...(await events.readAll(options)),
      through: Math.max(await events.head(), options.after ?? 0),
    }),
  })),
  reading('a page is read through one position too many', (events) => ({
    async readAll(options) {
      const page = await events.readAll(options)
      return { ...page, through: page.through + (page.messages.length === options.limit ? 1 : 0) }
    },
  })),
  reading('a page that is not full is read through its last message', (events) => ({
    async readAll(options) {
      const page = await events.readAll(options)
      return { ...page, through: page.messages.at(-1)?.position ?? options.after ?? 0 }
    },
  })),
  reading('a page claims what stands beyond `before`', (events) => ({
    async readAll(options) {
      const page = await events.readAll(options)
      const isFull = page.messages.length === options.limit
      return isFull ? page : { ...page, through: Math.max(await events.head(), options.after ?? 0) }
    },
  })),
  reading('reading after a position skips the next one', (events) => ({
    readAll: (options) => events.readAll({ ...options, after: (options.after ?? 0) + 1 }),
  })),
  reading('one tag of several is enough in a read', (events) => ({
    readAll: (options) => events.readAll({ ...options, query: anyTag(options.query ?? []) }),
  })),
  reading('a stream is read from a version, exclusive', (events) => ({
    readStream: (stream, options) =>
      events.readStream(stream, { ...options, ...(options.from && { from: options.from + 1 }) }),
  })),
  reading('the first message of a correlation is left out', (events) => ({
    async find(by) {
      const found = await events.find(by)
      return 'id' in by ? found : found.filter(({ correlationId }) => correlationId !== null)
    },
  })),
  reading('a prefix of streams is a pattern', (events) => ({
    async streams({ prefix = '', ...options }) {
      const pattern = new RegExp(`^${prefix.replaceAll('_', '.')}`, 'u')
      const all = await events.streams({ ...options, limit: 1000 })
      return all.filter(({ stream }) => pattern.test(stream)).slice(0, options.limit)
    },
  })),
]

const contents: readonly Fault[] = [
  changed('JSON is parsed and written anew', (request) => ({
    ...request,
    messages: request.messages.map((one) => ({
      ...one,
      data: JSON.stringify(JSON.parse(one.data)),
    })),
  })),
  changed('tags are sorted', (request) => ({
    ...request,
    messages: request.messages.map((one) => ({ ...one, tags: [...one.tags].sort() })),
  })),
  changed('times are cut to seconds', (request) => ({
    ...request,
    messages: request.messages.map((one) => ({ ...one, time: one.time - (one.time % 1000) })),
  })),
  ...(
    [
      ['case', (text) => text.toLowerCase()],
      ['trailing blanks', (text) => text.trimEnd()],
      ['Unicode normal forms', (text) => text.normalize('NFC')],
    ] satisfies [string, (text: string) => string][]
  ).map(([what, fold]): Fault =>
    reading(`names of streams are compared without ${what}`, (events) => ({
      append: (request) => events.append({ ...request, stream: fold(request.stream) }),
      readStream: (stream, options) => events.readStream(fold(stream), options),
    })),
  ),
]

export const eventFaults: readonly Fault[] = [
  ...expectations,
  ...ids,
  ...conditions,
  ...batches,
  ...reads,
  ...contents,
]
