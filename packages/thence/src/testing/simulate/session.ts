/**
 * A transaction as a process sees it that may crash, be paused or lose its connection at any call inside of it. The
 * database rolls it back when it notices.
 */
import { ThenceError } from '../../errors.ts'
import type { Transaction } from '../../ports/database.ts'
import type { History } from './history.ts'
import type { Life } from './life.ts'
import type { CallStrike, Schedule } from './schedule.ts'
import type { Note, PortMethod } from './sites.ts'
import { portMethod } from './sites.ts'
import { detection, patience, pauseLength, slowness } from './timing.ts'
import type { World } from './world.ts'

/** What all connections of a simulation share. */
export interface Network {
  readonly world: World
  readonly schedule: Schedule
  readonly history: History
  /** How long the next call takes, in milliseconds. */
  readonly latency: () => number
}

export const lostConnection = (): ThenceError =>
  new ThenceError('STORE_FAILED', 'The connection to the database was lost.')

/** What is waited for by who is gone. */
export const never = <T>(): Promise<T> => new Promise(() => undefined)

type Method = (...parameters: unknown[]) => unknown

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value

export class Session {
  /** Rejects when the database notices that the client is gone. */
  readonly lost: Promise<never>
  readonly #life: Life
  readonly #network: Network
  readonly #writes: boolean
  readonly #notes: Note[] = []
  readonly #lose: (error: Error) => void
  readonly #unlisten: () => void
  #broken = false

  constructor(life: Life, network: Network, writes: boolean) {
    this.#life = life
    this.#network = network
    this.#writes = writes
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    this.lost = promise
    this.#lose = reject
    this.#unlisten = life.onEnd(() => this.lose((life.process * 0.37 + life.number * 0.61) % 1))
  }

  /** The client is gone; `size` says how long that goes unnoticed. */
  lose(size: number): void {
    this.#network.world.after(detection(size), () => this.#lose(lostConnection()))
  }

  /** What was done is committed, now. */
  commit(): void {
    this.#network.history.committed(this.#life, this.#notes)
  }

  end(): void {
    this.#unlisten()
  }

  /** The transaction as the client has it. */
  open(transaction: Transaction): Transaction {
    const ports = new Map<string | symbol, unknown>()
    return new Proxy(transaction, {
      get: (target, name): unknown => {
        if (name === 'savepoint')
          return (work: () => unknown) => this.#savepoint(target, work as () => Promise<unknown>)
        let port = ports.get(name)
        if (port === undefined) {
          port = wrap(this, String(name), Reflect.get(target, name) as object)
          ports.set(name, port)
        }
        return port
      },
    })
  }

  /** One call inside of the transaction. */
  call(site: PortMethod, port: object, parameters: readonly unknown[]): unknown {
    const { world, schedule, latency } = this.#network
    if (!this.#life.alive || !world.call()) return never()
    if (this.#broken) throw lostConnection()
    world.mix(site.code + this.#life.process)
    const strike = schedule.strike(this.#life.process, 'port')
    const run = (): unknown => this.#note(site, port, parameters)
    if (strike !== undefined) return this.#struck(strike, site, run)
    const delay = latency()
    return delay === 0 ? run() : this.#later(delay, run)
  }

  #struck(strike: CallStrike, site: PortMethod, run: () => unknown): unknown {
    const { world, history } = this.#network
    const { fault, size } = strike
    history.struck(this.#life, fault, site.name)
    if (fault === 'crash-before') {
      this.#life.end()
      return never()
    }
    if (fault === 'crash-after') {
      run()
      this.#life.end()
      return never()
    }
    if (fault === 'lost-connection') {
      this.#broken = true
      this.lose(size)
      return this.#life.deliverAll(
        world.wait(patience(size)).then(() => Promise.reject(lostConnection())),
      )
    }
    if (fault === 'pause') {
      const result = run()
      this.#life.pause(pauseLength(size))
      return this.#life.deliverAll(Promise.resolve(result))
    }
    return this.#later(slowness(size), run)
  }

  #later(delay: number, run: () => unknown): Promise<unknown> {
    const { world } = this.#network
    return this.#life.deliverAll(world.wait(delay).then(run))
  }

  #note(site: PortMethod, port: object, parameters: readonly unknown[]): unknown {
    const method = Reflect.get(port, site.method) as Method
    const result = method.apply(port, parameters as unknown[])
    if (!isPromise(result)) return this.#noted(site, parameters, result)
    return result.then((value) => this.#noted(site, parameters, value))
  }

  #noted<T>(site: PortMethod, parameters: readonly unknown[], result: T): T {
    this.#network.history.answered(site, result)
    if (this.#writes) this.#notes.push([site, parameters, result])
    return result
  }

  async #savepoint(transaction: Transaction, work: () => Promise<unknown>): Promise<unknown> {
    const mark = this.#notes.length
    try {
      return await transaction.savepoint(work)
    } catch (error) {
      this.#notes.length = mark
      this.#network.history.mark('undone to a savepoint')
      throw error
    }
  }
}

type Wrapper = new (session: Session, port: object) => object

const wrappers = new Map<string, Map<object | null, Wrapper>>()

/** A port whose every call goes through the session. */
function wrap(session: Session, name: string, port: object): object {
  const kind = Reflect.getPrototypeOf(port)
  let known = wrappers.get(name)
  if (known === undefined) wrappers.set(name, (known = new Map<object | null, Wrapper>()))
  let wrapper = known.get(kind)
  if (wrapper === undefined) known.set(kind, (wrapper = makeWrapper(name, kind)))
  return new wrapper(session, port)
}

function makeWrapper(name: string, kind: object | null): Wrapper {
  class Wrapped {
    readonly session: Session
    readonly port: object

    constructor(session: Session, port: object) {
      this.session = session
      this.port = port
    }
  }
  for (let level = kind; level !== null && level !== Object.prototype;)
    level = addMethods(Wrapped.prototype, name, level)
  return Wrapped
}

function addMethods(
  target: { session: Session; port: object },
  name: string,
  level: object,
): object | null {
  for (const method of Reflect.ownKeys(level)) {
    if (typeof method !== 'string' || method === 'constructor' || method in target) continue
    const site = portMethod(name, method)
    Reflect.set(target, method, function call(this: typeof target, ...parameters: unknown[]) {
      return this.session.call(site, this.port, parameters)
    })
  }
  return Reflect.getPrototypeOf(level)
}
