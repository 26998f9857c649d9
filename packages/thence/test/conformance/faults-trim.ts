/** Faults of removing messages, of ending streams, and of how the store is counted. */
import type { Events } from '../../src/ports/events.ts'
import type { CategorySize, Sizes } from '../../src/ports/sizes.ts'
import { appending, reading } from './faults-events.ts'
import type { Fault } from './plant.ts'

const trimming = (
  name: string,
  trim: (events: Events, ...parameters: Parameters<Events['trim']>) => Promise<number>,
): Fault => reading(name, (events) => ({ trim: (...parameters) => trim(events, ...parameters) }))

const trims: readonly Fault[] = [
  trimming('trim stops before the version', async (events, stream, { through, limit }) =>
    events.trim(stream, { through: through - 1, limit }),
  ),
  trimming('trim ignores its limit', async (events, stream, { through }) =>
    events.trim(stream, { through, limit: 1000 }),
  ),
  trimming('trim removes one more', async (events, stream, { through, limit }) =>
    events.trim(stream, { through: through + 1, limit }),
  ),
  trimming('trim says more than it removed', async (events, stream, options) => {
    const removed = await events.trim(stream, options)
    return removed === 0 ? 0 : removed + 1
  }),
  trimming('trim removes nothing', async () => 0),
  reading('a stream hides that it was trimmed', (events) => ({
    async stream(name) {
      const info = await events.stream(name)
      return info && { ...info, trimmed: 0 }
    },
  })),
  reading('a stream of which nothing is left does not exist', (events) => ({
    async stream(name) {
      const info = await events.stream(name)
      return info?.trimmed === info?.version ? undefined : info
    },
  })),
  reading('a stream of which nothing is left is not listed', (events) => ({
    async streams(options) {
      const infos = await events.streams(options)
      return infos.filter(({ trimmed, version }) => trimmed < version)
    },
  })),
  appending('a stream of which nothing is left begins anew', async (events, request) => {
    const info = await events.stream(request.stream)
    const gone = info !== undefined && info.trimmed === info.version && !info.tombstone
    if (!gone || request.expected !== 'none') return events.append(request)
    const { expected: _none, ...rest } = request
    return events.append(rest)
  }),
  reading('truncated looks at all types', (events) => ({ truncated: () => events.truncated() })),
  reading('truncated is always nothing', () => ({ truncated: () => 0 })),
  reading('truncated of no types is that of all', (events) => ({
    truncated: (types) => events.truncated(types?.length === 0 ? undefined : types),
  })),
  reading('places begin at their position', (events) => ({
    places: ({ after, limit }) => events.places({ after: Math.max(0, after - 1), limit }),
  })),
  reading('places ignore their limit', (events) => ({
    places: ({ after }) => events.places({ after, limit: 1000 }),
  })),
  reading('places are those of messages that may be gone', (events) => ({
    async places(options) {
      const places = await events.places(options)
      return places.map((one) => ({ ...one, version: 1 }))
    },
  })),
]

const tombstones: readonly Fault[] = [
  reading('a tombstone is never set', () => ({ tombstone: () => true })),
  reading('a stream is ended again and again', (events) => ({
    async tombstone(stream) {
      const info = await events.stream(stream)
      return (await events.tombstone(stream)) || info?.tombstone === true
    },
  })),
  reading('a tombstone loses its messages at once', (events) => ({
    async tombstone(stream) {
      const ended = await events.tombstone(stream)
      if (ended) await events.trim(stream, { through: 1000, limit: 1000 })
      return ended
    },
  })),
  appending('a tombstone is a conflict', async (events, request) => {
    const verdict = await events.append(request)
    return verdict.outcome === 'tombstoned' ? { outcome: 'conflict', actual: 1 } : verdict
  }),
  appending('a tombstone refuses what it still has', async (events, request) => {
    const info = await events.stream(request.stream)
    return info?.tombstone ? { outcome: 'tombstoned' } : events.append(request)
  }),
]

const reporting = (name: string, change: (size: CategorySize) => CategorySize): Fault => ({
  name,
  ports: ({ sizes }) => ({
    sizes: {
      async read(most) {
        const found = await sizes.read(most)
        return { ...found, categories: found.categories.map(change) }
      },
    } satisfies Partial<Sizes>,
  }),
})

const sizes: readonly Fault[] = [
  reporting('removed messages are not counted', (size) => ({ ...size, removed: 0 })),
  reporting('removed messages are counted as stored', (size) => ({
    ...size,
    messages: size.messages + size.removed,
  })),
  reporting('a category does not tell its highest removed position', (size) => ({
    ...size,
    truncated: size.removed,
  })),
  reporting('bytes are one short for each stream', (size) => ({
    ...size,
    bytes: size.bytes - size.streams,
  })),
  {
    name: 'measuring never comes to an end',
    ports: () => ({ sizes: { measure: () => 1 } }),
  },
  {
    name: 'tables are counted to their end',
    ports: ({ sizes: healthy }) => ({ sizes: { read: () => healthy.read(1000) } }),
  },
]

export const trimFaults: readonly Fault[] = [...trims, ...tombstones, ...sizes]
