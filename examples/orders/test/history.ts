/** The history as it must come out again: everything but ids and times. */
import { createHash } from 'node:crypto'
import type { Shop } from '../shop.ts'

export interface History {
  /** In the order of the log. */
  readonly log: string
  /** Stream by stream, whatever order they were written in. */
  readonly streams: string
}

/** Saga facts hold the ids of the messages they were about; ids are new in each run. */
const withoutIds = (type: string, data: unknown): unknown => {
  if (!type.startsWith('fulfilment.')) return data
  const { id: _, ...rest } = data as { readonly id?: string }
  return rest
}

/** Digests of the whole history, in constant memory. */
export async function historyOf(shop: Shop): Promise<History> {
  const log = createHash('sha256')
  const streams = new Map<string, string>()
  for await (const { stream, version, type, data } of shop.log()) {
    const line = JSON.stringify([stream, version, type, withoutIds(type, data)])
    log.update(line)
    const before = streams.get(stream) ?? ''
    streams.set(stream, createHash('sha256').update(before).update(line).digest('base64'))
  }
  const sorted = JSON.stringify([...streams].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return {
    log: log.digest('hex'),
    streams: createHash('sha256').update(sorted).digest('hex'),
  }
}
