/**
 * Looks at what an app does without being part of it: every notable signal, every recorded message. Waiting for one takes
 * turns of the event loop, or moves a virtual clock; real time only ends a wait that would never end.
 */
import type { App } from '../app/app.ts'
import { systemRuntime } from '../app/system-runtime.ts'
import type { RecordedOf } from '../handle/handler.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { AnyDefinition } from '../message/define.ts'
import type { Recorded } from '../message/message.ts'
import type { NotableSignal, SignalNamed } from '../observe/signals.ts'
import { fail } from './assertion.ts'
import type { VirtualRuntime } from './virtual-runtime.ts'

export interface SpyOptions {
  /** The app's virtual clock, if it has one: waiting then moves it. */
  readonly runtime?: VirtualRuntime
  /** How long to wait, by the virtual clock or else the real one; default: 1 h virtual, 10 s real. */
  readonly within?: Duration
}

type NotableName = NotableSignal['name']

export interface Spy extends Disposable {
  /** All notable signals since the spy was made. */
  readonly signals: readonly NotableSignal[]
  /** All messages of the log, as far as a wait has read it. */
  readonly messages: readonly Recorded[]
  /** The first signal of this name that fits, from before or from now on. */
  signal<N extends NotableName>(
    name: N,
    fits?: (signal: SignalNamed<N>) => boolean,
  ): Promise<SignalNamed<N>>
  /** The first recorded message of this definition that fits, from before or from now on. */
  message<D extends AnyDefinition>(
    definition: D,
    fits?: (message: RecordedOf<D>) => boolean,
  ): Promise<RecordedOf<D>>
  /** Waits until the condition holds. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>
}

/** What a spy needs of an app. */
export type Spied = Pick<App, 'log' | 'listen' | 'database'>

const real = systemRuntime()
/** So many turns are taken at full speed; then one every so many milliseconds. */
const quickTurns = 200
const slowTurn = 2

/** Gives the app a chance to go on; returns false when waiting is over. */
type Pump = () => Promise<boolean>

const realPump = (within: Duration): Pump => {
  const end = real.now() + milliseconds('within', within)
  let turns = 0
  return async () => {
    turns += 1
    await new Promise<void>((resolve) =>
      turns < quickTurns ? real.soon(resolve) : void real.after(slowTurn, resolve),
    )
    return real.now() < end
  }
}

const virtualPump = (runtime: VirtualRuntime, within: Duration): Pump => {
  const end = runtime.now() + milliseconds('within', within)
  let rested = false
  return async () => {
    // First what needs no time.
    if (!rested) {
      rested = true
      await runtime.rest()
      return true
    }
    return (await runtime.step()) && runtime.now() <= end
  }
}

const most = 20

const list = (texts: readonly string[]): string => {
  if (texts.length === 0) return 'none'
  const left = texts.length > most ? `(${texts.length - most} before) ` : ''
  return `${left}${texts.slice(-most).join(', ')}`
}

class AppSpy implements Spy {
  readonly signals: NotableSignal[] = []
  readonly messages: Recorded[] = []
  readonly #app: Spied
  readonly #options: SpyOptions
  readonly #unlisten: () => void

  constructor(app: Spied, options: SpyOptions) {
    this.#app = app
    this.#options = options
    this.#unlisten = app.listen((signal) => void this.signals.push(signal))
  }

  [Symbol.dispose](): void {
    this.#unlisten()
  }

  async signal<N extends NotableName>(
    name: N,
    fits: (signal: SignalNamed<N>) => boolean = () => true,
  ): Promise<SignalNamed<N>> {
    const find = (): SignalNamed<N> | undefined =>
      this.signals.find(
        (signal): signal is SignalNamed<N> =>
          signal.name === name && fits(signal as SignalNamed<N>),
      )
    await this.until(`a signal ${name}`, () => find() !== undefined)
    return find() as SignalNamed<N>
  }

  async message<D extends AnyDefinition>(
    { type }: D,
    fits: (message: RecordedOf<D>) => boolean = () => true,
  ): Promise<RecordedOf<D>> {
    const find = (): RecordedOf<D> | undefined =>
      this.messages.find((message) => message.type === type && fits(message as RecordedOf<D>)) as
        | RecordedOf<D>
        | undefined
    await this.until(`a message ${type}`, () => find() !== undefined)
    return find() as RecordedOf<D>
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const { runtime } = this.#options
    const { within = runtime === undefined ? '10s' : '1h' } = this.#options
    const pump = runtime === undefined ? realPump(within) : virtualPump(runtime, within)
    do {
      await this.#read()
      if (await condition()) return
    } while (await pump())
    const signals = list(this.signals.map(({ name }) => name))
    const messages = list(this.messages.map(({ type }) => type))
    fail(
      `Waited ${within}${runtime === undefined ? '' : ' of virtual time'} for ${what}, which did not come.\n` +
        `Signals: ${signals}.\nMessages: ${messages}.`,
    )
  }

  /** One that cannot be decoded is given as it is stored. */
  async #read(): Promise<void> {
    const after = this.messages.at(-1)?.position ?? 0
    try {
      for await (const message of this.#app.log({ after })) this.messages.push(message)
    } catch {
      await this.#readRaw(this.messages.at(-1)?.position ?? 0)
    }
  }

  async #readRaw(after: number): Promise<void> {
    const { messages } = await this.#app.database.read(({ events }) =>
      events.readAll({ after, limit: 1 }),
    )
    for (const stored of messages) {
      const metadata = { correlationId: stored.correlationId ?? stored.id }
      this.messages.push({ ...stored, metadata })
    }
  }
}

/** Watches an app from now on. */
export function spy(app: Spied, options: SpyOptions = {}): Spy {
  return new AppSpy(app, options)
}
