/**
 * The rival on PostgreSQL, `@event-driven-io/emmett-postgresql`, with its default pool. It is loaded only when a case runs.
 */
import type { Case } from './bench.ts'
import { added } from './emmett.ts'
import type { Done } from './load.ts'
import { keepCalling, rate, streamOf, versionBefore, warmUp } from './load.ts'
import { checkEvents, onDatabase, type Place } from './postgres-server.ts'

const load = () => import('@event-driven-io/emmett-postgresql')

interface Work {
  readonly seconds: number
  readonly per: number
}

/** Appends by so many callers on an empty database. */
const append = async (place: Place, callers: number, { seconds, per }: Work): Promise<Done> => {
  const { getPostgreSQLEventStore } = await load()
  const store = getPostgreSQLEventStore(place.url)
  await store.schema.migrate()
  let next = 0
  const once = async (): Promise<void> => {
    const n = next++
    const expectedStreamVersion = BigInt(versionBefore(n) * per)
    const events = Array.from({ length: per }, (_, index) => added(n * per + index))
    await store.appendToStream(streamOf(n), events, { expectedStreamVersion })
  }
  await keepCalling(callers, seconds * warmUp, once)
  const done = await keepCalling(callers, seconds, once)
  await store.close()
  const messages = '(SELECT message_data AS data FROM emt_messages) AS messages'
  await checkEvents(place, messages, next * per)
  return done
}

/** The fastest of several numbers of callers, which is told beside it. */
export const emmettPostgres = (
  name: string,
  options: { readonly callers: readonly number[]; readonly per: number },
): Case => ({
  name,
  side: 'rival',
  async run({ seconds }) {
    let best = { value: 0, callers: 0 }
    for (const callers of options.callers) {
      const work = { seconds, per: options.per }
      const done = await onDatabase((place) => append(place, callers, work))
      const value = rate(done) * options.per
      if (value > best.value) best = { value, callers }
    }
    return { value: best.value, beside: { callers: best.callers } }
  },
})
