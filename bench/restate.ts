/**
 * The rival of the saga that brings its own store, Restate: its server on loopback with the settings that it has by default, and the
 * services in this process. Both are started for each case, and stopped when it ends.
 */
import { spawn } from 'node:child_process'
import { createServer, type Http2Server } from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { ObjectContext } from '@restatedev/restate-sdk'
import type { Case, Figure, Setting } from './bench.ts'
import { check } from './bench.ts'
import { keepCalling, rate, warmUp } from './load.ts'
import { freePort } from './postgres-server.ts'

interface OrderData {
  readonly id: string
  readonly cents: number
}

const statuses = ['none', 'paid', 'reserved', 'shipped']

/** The order decides, from its state in the store, whether it takes the next step. */
const takes =
  (from: number) =>
  async (context: ObjectContext, { cents }: OrderData): Promise<string> => {
    const status = (await context.get<string>('status')) ?? 'none'
    if (status !== statuses[from]) throw new Error(`the order is ${status}`)
    context.set('status', statuses[from + 1])
    context.set('cents', cents)
    return statuses[from + 1]!
  }

const servicesOf = async () => {
  const { object, service } = await import('@restatedev/restate-sdk')
  const order = object({
    name: 'order',
    handlers: { pay: takes(0), reserve: takes(1), ship: takes(2) },
  })
  const fulfilment = service({
    name: 'fulfilment',
    handlers: {
      decided: async (context, data: OrderData): Promise<string> => {
        const one = context.objectClient(order, data.id)
        await one.pay(data)
        await one.reserve(data)
        return one.ship(data)
      },
      recorded: async (context, { id }: OrderData): Promise<string> => {
        let last = ''
        for (const status of statuses.slice(1))
          last = await context.run(`${status} ${id}`, () => status)
        return last
      },
    },
  })
  return { order, fulfilment }
}

type Services = Awaited<ReturnType<typeof servicesOf>>

const serve = async ({ order, fulfilment }: Services): Promise<Http2Server> => {
  const { createEndpointHandler } = await import('@restatedev/restate-sdk')
  const server = createServer(
    createEndpointHandler({ services: [order, fulfilment], logger: () => undefined }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

interface Restate {
  readonly admin: string
  readonly ingress: string
  stop(): Promise<void>
}

/** Asks until it is answered. @throws after half a minute */
const answered = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 300; tries += 1) {
    const ok = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    )
    if (ok) return
    await pause(100)
  }
  throw new Error(`${url} does not answer`)
}

const start = async (directory: string): Promise<Restate> => {
  const bin = createRequire(import.meta.url).resolve('@restatedev/restate-server/lib/index.js')
  const [node, ingress, admin] = [await freePort(), await freePort(), await freePort()]
  const options = ['--no-logo', '--base-dir', `${directory}/restate`, '--node-name', 'bench']
  const child = spawn(process.execPath, [bin, ...options], {
    stdio: 'ignore',
    env: {
      ...process.env,
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_ADVERTISED_HOST: '127.0.0.1',
      RESTATE_BIND_PORT: String(node),
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
    },
  })
  const end = (): void => void child.kill('SIGTERM')
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // A run that is given up leaves no server behind.
  process.once('exit', end)
  const started = {
    admin: `http://127.0.0.1:${admin}`,
    ingress: `http://127.0.0.1:${ingress}`,
    async stop() {
      process.off('exit', end)
      end()
      await ended
    },
  }
  try {
    await answered(`${started.admin}/health`)
    await answered(`${started.ingress}/restate/health`)
    return started
  } catch (error) {
    await started.stop()
    throw error
  }
}

const register = async (at: Restate, server: Http2Server): Promise<void> => {
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`${at.admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
  })
  check('the answer to a registration', answer.status, 201)
}

/** How many invocations the store has kept as completed. */
const completed = async (at: Restate): Promise<number> => {
  const answer = await fetch(`${at.admin}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      query: "SELECT count(*) AS ended FROM sys_invocation WHERE status = 'completed'",
    }),
  })
  return ((await answer.json()) as { rows: [{ ended: number }] }).rows[0].ended
}

export type How = 'decided' | 'recorded'

const sagasOn = async (at: Restate, how: How, seconds: number): Promise<Figure> => {
  const { connect } = await import('@restatedev/restate-sdk-clients')
  const services = await servicesOf()
  const server = await serve(services)
  try {
    await register(at, server)
    const client = connect({ url: at.ingress }).serviceClient(services.fulfilment)
    let next = 0
    const once = async (): Promise<void> =>
      check('how an order ended', await client[how]({ id: `o${next++}`, cents: 1999 }), 'shipped')
    await keepCalling(32, seconds * warmUp, once)
    const done = await keepCalling(32, seconds, once)
    check('invocations kept', await completed(at), next * (how === 'decided' ? 4 : 1))
    return { value: rate(done) }
  } finally {
    await at.stop()
    server.close()
  }
}

/** Steps that an object decides, keyed by its order; or three results that are recorded and nothing else. */
export const restate = (name: string, how: How): Case => ({
  name,
  side: 'rival',
  async run({ directory, seconds }: Setting) {
    // Loaded first: without the packages there is nothing to start.
    await import('@restatedev/restate-sdk-clients')
    return sagasOn(await start(directory), how, seconds)
  },
})
