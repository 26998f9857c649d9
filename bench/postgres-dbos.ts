/**
 * The rival of the saga that works on PostgreSQL, `@dbos-inc/dbos-sdk`: a workflow of three steps, started in this process, its
 * system database on the server of the run. It is loaded only when a case runs, and a run launches it again for each.
 */
import type { Pool } from 'pg'
import type { Case } from './bench.ts'
import { check } from './bench.ts'
import { keepCalling, rate, warmUp } from './load.ts'
import { onDatabase, type Place } from './postgres-server.ts'

const load = () => import('@dbos-inc/dbos-sdk')

type Fulfil = (id: string) => Promise<string>

const types = ['PaymentTaken', 'StockReserved', 'OrderShipped']

const table = `
CREATE TABLE order_events (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream text NOT NULL,
  version bigint NOT NULL,
  type text NOT NULL,
  data text NOT NULL,
  UNIQUE (stream, version)
)`

/** One statement, checked. A step may be done again after a crash; what it had written by then is left as it is. */
const append = `INSERT INTO order_events (stream, version, type, data) SELECT $1, $2, $3, $4
  WHERE coalesce((SELECT max(version) FROM order_events WHERE stream = $1), 0) = $2::bigint - 1
  ON CONFLICT DO NOTHING`

/** Set by the case that runs: a workflow is registered once, before anything is launched. */
let orders: Pool | undefined
let fulfil: Promise<Fulfil> | undefined

const registered = async (): Promise<Fulfil> => {
  const { DBOS } = await load()
  return DBOS.registerWorkflow(
    async (id: string): Promise<string> => {
      for (const [index, type] of types.entries())
        await DBOS.runStep(
          async () => {
            const values = [id, index + 1, type, JSON.stringify({ id, cents: 1999 })]
            await orders?.query({ name: 'append', text: append, values })
          },
          { name: type },
        )
      return 'completed'
    },
    { name: 'fulfilment' },
  )
}

const quiet = () => undefined

const launch = async (place: Place, connections: number) => {
  const { DBOS } = await load()
  const workflow = await (fulfil ??= registered())
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: place.url,
    systemDatabasePoolSize: connections,
    logger: { info: quiet, debug: quiet, warn: quiet, error: quiet },
  })
  await DBOS.launch()
  return { DBOS, workflow }
}

/** Every workflow has ended well after three recorded steps, and every event that its steps append is stored. */
const checkAll = async (place: Place, workflows: number, events: number): Promise<void> => {
  const [row] = await place.query<Record<'ended' | 'steps' | 'events', string>>(
    `SELECT (SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS') AS ended,
      (SELECT count(*) FROM dbos.operation_outputs) AS steps, (SELECT count(*) FROM order_events) AS events`,
  )
  check('workflows ended', Number(row?.ended), workflows)
  check('steps recorded', Number(row?.steps), workflows * types.length)
  check('events in the table', Number(row?.events), events)
}

interface Work {
  readonly appends: boolean
  readonly connections: number
  readonly seconds: number
}

const sagasOn = async (place: Place, work: Work): Promise<number> => {
  await place.query(table)
  const pool = place.pool(work.connections)
  orders = work.appends ? pool : undefined
  const { DBOS, workflow } = await launch(place, work.connections)
  let next = 0
  const once = async (): Promise<void> => {
    const handle = await DBOS.startWorkflow(workflow, { workflowID: `o${next}` })(`o${next++}`)
    check('how a workflow ended', await handle.getResult(), 'completed')
  }
  try {
    await keepCalling(32, work.seconds * warmUp, once)
    const done = await keepCalling(32, work.seconds, once)
    await checkAll(place, next, work.appends ? next * types.length : 0)
    return rate(done)
  } finally {
    await DBOS.shutdown()
    await pool.end()
  }
}

interface Dbos {
  /** Whether a step appends an event to the stream of its order, or does nothing that is to be recorded. */
  readonly appends: boolean
  /** Of its system database, and as many for what the steps append: the best of these numbers is told. */
  readonly connections: readonly number[]
}

export const dbos = (name: string, options: Dbos): Case => ({
  name,
  side: 'rival',
  async run({ seconds }) {
    let best = { value: 0, connections: 0 }
    for (const connections of options.connections) {
      const work = { appends: options.appends, connections, seconds }
      const value = await onDatabase((place) => sagasOn(place, work))
      if (value > best.value) best = { value, connections }
    }
    return { value: best.value, beside: { connections: best.connections } }
  },
})
