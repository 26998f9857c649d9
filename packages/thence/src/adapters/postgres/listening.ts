/**
 * One connection that listens to what others append, for as long as it is wanted: one that ends, or does not answer its own call any more, is
 * replaced, and whoever listens is told to look. It refuses connections that a pooler hands out for a transaction at a time.
 */
import { ThenceError } from '../../errors.ts'
import { fullJitter } from '../../internal/backoff.ts'
import { contextOfNow } from '../../internal/context.ts'
import type { Listener, Listening } from '../../ports/listening.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { wait } from '../../ports/wait.ts'
import type { PostgresClient, PostgresNotification, PostgresPool } from './driver.ts'
import { storeError } from './errors.ts'

export interface ListeningOptions {
  /** Undefined: it never hears. */
  readonly pool: PostgresPool | undefined
  readonly channel: string
  /** Whether connections of the pool are known to go to the server itself. */
  readonly direct: boolean
  readonly runtime: Runtime
}

/** Between two calls to itself, and how long the answer may take, in milliseconds. */
const beatEvery = 5000
const patience = 5000
const backoff = { base: 100, cap: 5000 }

const ignore = (): void => undefined

const failure = (text: string): ThenceError => new ThenceError('STORE_FAILED', text)

export class PostgresListening implements Listening {
  readonly #options: ListeningOptions
  readonly #listener: Listener
  /** Notifications come in the context of whoever opened the connection. */
  readonly #outside = contextOfNow()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  /** Over which it hears. */
  #client: PostgresClient | undefined

  constructor(options: ListeningOptions, listener: Listener) {
    this.#options = options
    this.#listener = listener
    this.#running = options.pool === undefined ? Promise.resolve() : this.#run(options.pool)
  }

  get live(): boolean {
    return this.#client !== undefined
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** Tells all that listen, over its own connection; undefined while it has none. */
  notify(head: number): Promise<unknown> | undefined {
    return this.#client?.query(`SELECT pg_notify('${this.#options.channel}', '${head}')`)
  }

  async #run(pool: PostgresPool): Promise<void> {
    const { runtime } = this.#options
    const { signal } = this.#stopping
    let failures = 0
    while (!signal.aborted) {
      try {
        if (!(await this.#listen(pool, () => void (failures = 0)))) return
      } catch (error) {
        if (signal.aborted) return
        failures += 1
        this.#listener.lost(storeError(error))
        const pause = fullJitter(backoff, failures, runtime.random())
        await wait(runtime, pause, signal).catch(ignore)
      }
    }
  }

  /** Hears until something breaks; gives false if this pool will never do. */
  async #listen(pool: PostgresPool, began: () => void): Promise<boolean> {
    const client = await this.#connect(pool)
    const session = new Session(client, this.#options.runtime, this.#stopping.signal)
    try {
      const number = await session.number()
      if (!this.#options.direct && (client.processID ?? number) !== number) return false
      await session.listen(this.#options.channel, number, (head) =>
        this.#tell(() => this.#listener.heard(head)),
      )
      began()
      this.#client = client
      this.#tell(() => this.#listener.heard())
      return await session.beat()
    } finally {
      this.#client = undefined
      session.end()
    }
  }

  /** One that comes after the stop is given back. */
  async #connect(pool: PostgresPool): Promise<PostgresClient> {
    const { signal } = this.#stopping
    const connecting = pool.connect()
    const { promise, reject } = Promise.withResolvers<never>()
    const stop = (): void => {
      reject(failure('It was stopped.'))
      connecting.then((client) => client.release(), ignore)
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([connecting, promise])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #tell(tell: () => void): void {
    if (!this.#stopping.signal.aborted) this.#outside(tell)
  }
}

/** What is done over one connection; everything fails as soon as it breaks, or when it is to stop. */
class Session {
  readonly #client: PostgresClient
  readonly #runtime: Runtime
  readonly #signal: AbortSignal
  readonly #broken = Promise.withResolvers<never>()
  readonly #break = (error: Error): void => this.#broken.reject(error)
  readonly #ended = (): void => this.#break(failure('The connection that listens has ended.'))
  #note: ((notification: PostgresNotification) => void) | undefined
  #own = ''
  #answer: (() => void) | undefined

  constructor(client: PostgresClient, runtime: Runtime, signal: AbortSignal) {
    this.#client = client
    this.#runtime = runtime
    this.#signal = signal
    this.#broken.promise.catch(ignore)
    client.on('error', this.#break)
    client.on('end', this.#ended)
    signal.addEventListener('abort', this.#ended, { once: true })
    if (signal.aborted) this.#ended()
  }

  /** That of the server's process. */
  async number(): Promise<number> {
    const result = await this.#inTime(this.#client.query('SELECT pg_backend_pid() AS number'))
    const [row] = (Array.isArray(result) ? result[0] : result)?.rows ?? []
    return Number((row as { number: unknown } | undefined)?.number)
  }

  async listen(channel: string, number: number, hear: (head: number) => void): Promise<void> {
    this.#own = `thence_beat_${number}`
    this.#note = ({ channel: of, payload }) => {
      if (of === this.#own) this.#answer?.()
      else if (of === channel && /^\d{1,15}$/.test(payload ?? '')) hear(Number(payload))
    }
    this.#client.on('notification', this.#note)
    await this.#inTime(this.#client.query(`LISTEN "${channel}"; LISTEN "${this.#own}"`))
    await this.#call()
  }

  /** Calls itself for ever. */
  async beat(): Promise<never> {
    for (;;) {
      const pausing = wait(this.#runtime, beatEvery, this.#signal)
      await Promise.race([pausing, this.#broken.promise])
      await this.#call()
    }
  }

  /** The connection is closed, not given back: it listens. */
  end(): void {
    const client = this.#client
    this.#signal.removeEventListener('abort', this.#ended)
    if (this.#note !== undefined) client.off('notification', this.#note)
    client.off('end', this.#ended)
    client.off('error', this.#break)
    client.on('error', ignore)
    client.release(true)
  }

  async #call(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#answer = resolve
    const sent = this.#client.query(`SELECT pg_notify('${this.#own}', '')`)
    await this.#inTime(Promise.all([sent, promise]))
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const late = failure(`The connection that listens did not answer within ${patience} ms.`)
    const cancel = this.#runtime.after(patience, () => this.#break(late))
    // Whoever is the second to fail is not waited for.
    work.catch(ignore)
    try {
      return await Promise.race([work, this.#broken.promise])
    } finally {
      cancel()
    }
  }
}
