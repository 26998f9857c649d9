/**
 * The stand-alone event bus: typed events to handlers in this process, awaited, each handler's failure kept to itself.
 * It stores nothing: what is in flight when the process ends is gone. What must not be lost belongs in a store.
 */
import { ThenceError } from '../errors.ts'
import type { AnyEvent, DataOf } from '../message/define.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { EventMessage } from '../message/message.ts'
import type { Handler } from './check.ts'
import { checkTarget, handlerName, notAnEvent, targetName } from './check.ts'
import { settlement } from './emission.ts'
import type { FailureContext, OnError, Report } from './failure.ts'
import { mayWait, reporter } from './failure.ts'
import type { Entry, Run, Target } from './handlers.ts'
import { checked, Handlers } from './handlers.ts'
import { whenAborted } from './signal.ts'

export type { FailureContext, OnError }

/** What handlers of definition `D` are given: the event as it was emitted, its data as the schema gave it. */
export type EmittedOf<D extends AnyEvent> = D extends AnyEvent
  ? EventMessage<D['type'], DataOf<D>>
  : never

/** May be async; what it returns is waited for and otherwise ignored. */
export type BusHandler<D extends AnyEvent> = (event: EmittedOf<D>) => unknown
/** A handler of every event; only the schemas know what `data` is. */
export type AnyBusHandler = (event: EventMessage) => unknown

/** Removes one registration; calling it again does nothing. */
export type Unsubscribe = () => void

export interface WaitOptions {
  /** Aborting it removes the registration. */
  readonly signal?: AbortSignal
}

export interface OnOptions extends WaitOptions {
  /** What `onError` calls this handler. Default: the name of its function. */
  readonly name?: string
}

const onNames: OptionNames<OnOptions> = { name: true, signal: true }

export interface BusOptions {
  /** Takes the errors of handlers. Default: one line on standard error. */
  readonly onError?: OnError
  /** Aborting it closes the bus at once, without waiting for what is in flight. */
  readonly signal?: AbortSignal
}

const busNames: OptionNames<BusOptions> = { onError: true, signal: true }

/**
 * Typed events to handlers in this process. Handlers of one event are called synchronously, in the order of their
 * registration, and then awaited side by side. Not frozen, not copied: all handlers share the event.
 */
export interface Bus extends AsyncDisposable {
  /**
   * Calls `handler` with each event of `definition`, or with every event. Each call is a registration of its own: the
   * same function registered twice is called twice. An already aborted signal registers nothing.
   * @throws NAME_TAKEN if another definition of the same type has handlers here; NAME_INVALID; CONFIG_INVALID;
   * APP_STOPPED once closed.
   */
  on<D extends AnyEvent>(definition: D, handler: BusHandler<D>, options?: OnOptions): Unsubscribe
  on(every: '*', handler: AnyBusHandler, options?: OnOptions): Unsubscribe
  /** As `on`, for the next event only. */
  once<D extends AnyEvent>(definition: D, handler: BusHandler<D>, options?: OnOptions): Unsubscribe
  once(every: '*', handler: AnyBusHandler, options?: OnOptions): Unsubscribe
  /**
   * The next event. Rejects with ABORTED when the signal aborts and with APP_STOPPED when the bus closes; a promise
   * that nobody looks at is not an unhandled rejection.
   */
  once<D extends AnyEvent>(definition: D, options?: WaitOptions): Promise<EmittedOf<D>>
  once(every: '*', options?: WaitOptions): Promise<EventMessage>
  /** Removes every registration of `handler` for `definition`, or for every event. */
  off<D extends AnyEvent>(definition: D, handler: BusHandler<D>): void
  off(every: '*', handler: AnyBusHandler): void
  /**
   * Gives `event` to its handlers. The promise resolves when all of them have settled and never rejects, so that it may
   * be left alone. Registering and removing handlers meanwhile does not affect this emit.
   *
   * The data goes through the schema of the definition that handlers were registered with. What does not fit is thrown
   * at once, before any handler is called. An event that only `*` handlers hear is not checked.
   * @throws SCHEMA_INVALID, SCHEMA_ASYNC; CONFIG_INVALID for what is no event; APP_STOPPED once closed.
   */
  emit(event: EventMessage): Promise<void>
  /**
   * Resolves when nothing is in flight, what handlers emitted meanwhile included. A handler must not wait for it: it
   * would wait for itself.
   */
  drain(): Promise<void>
  /** Drains, then removes all handlers and refuses further use. What is emitted while it drains is still handled. */
  close(): Promise<void>
  /** How many registrations there are: of `definition`, of `*`, or in all. */
  listeners(target?: AnyEvent | '*'): number
}

/** Makes a bus. It needs nothing else, and neither a store nor an app knows of it. */
export function bus(options: BusOptions = {}): Bus {
  expectOptions('bus', options, busNames)
  return new EventBus(options)
}

const settled = Promise.resolve()
const nothing = (): void => undefined

class EventBus implements Bus {
  readonly #handlers = new Handlers()
  readonly #report: Report
  readonly #release: () => void
  #order = 0
  #inFlight = 0
  #idle: PromiseWithResolvers<void> | undefined
  #closed = false

  constructor({ onError, signal }: BusOptions) {
    this.#report = reporter(onError)
    this.#release = whenAborted(signal, () => this.#shut())
    if (signal?.aborted === true) this.#shut()
  }

  on(target: Target, handler: Handler, options: OnOptions = {}): Unsubscribe {
    expectOptions('on() of a bus', options, onNames)
    const name = handlerName(target, handler, options.name)
    return this.#register({ target, key: handler, run: handler as Run, name }, options.signal)
  }

  once(target: Target, second?: Handler | WaitOptions, options: OnOptions = {}): never {
    const answer =
      typeof second === 'function'
        ? this.#first(target, second, options)
        : this.#next(target, second?.signal)
    return answer as never
  }

  off(target: Target, handler: Handler): void {
    checkTarget(target)
    for (const entry of this.#handlers.registered(target, handler)) this.#handlers.remove(entry)
  }

  emit(event: EventMessage): Promise<void> {
    if (this.#closed) throw closedError()
    if (event.kind !== 'event') throw notAnEvent(event)
    const place = this.#handlers.find(event.type)
    const given = place.validates ? checked(place, event) : event
    const line = this.#handlers.line(place)
    const [only] = line
    if (only === undefined) return settled
    this.#inFlight++
    return line.length === 1 ? this.#toOne(only, given) : this.#toAll(line, given)
  }

  async drain(): Promise<void> {
    while (this.#inFlight > 0) {
      this.#idle ??= Promise.withResolvers()
      await this.#idle.promise
    }
  }

  async close(): Promise<void> {
    do await this.drain()
    while (this.#inFlight > 0)
    this.#shut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  listeners(target?: Target): number {
    if (target !== undefined) checkTarget(target)
    return this.#handlers.all(target).length
  }

  #toOne(entry: Entry, event: EventMessage): Promise<void> {
    const result = this.#call(entry, event)
    if (!mayWait(result)) {
      this.#settled()
      return settled
    }
    return Promise.resolve(result).then(this.#settled, (error: unknown) => {
      const told = this.#report(error, { handler: entry.name, event })
      return told === undefined ? this.#settled() : told.then(this.#settled)
    })
  }

  #toAll(line: readonly Entry[], event: EventMessage): Promise<void> {
    let promises: Promise<unknown>[] | undefined
    let index = 0
    for (const entry of line) {
      const result = this.#call(entry, event)
      // A foreign thenable becomes a promise here, because its `then` may only be called once.
      if (mayWait(result)) (promises ??= [])[index] = Promise.resolve(result)
      index++
    }
    if (promises !== undefined)
      return settlement(promises, { event, line, report: this.#report, finished: this.#settled })
    this.#settled()
    return settled
  }

  /** Never throws; gives what there is to wait for. */
  #call({ run, name }: Entry, event: EventMessage): unknown {
    try {
      return run(event)
    } catch (error) {
      return this.#report(error, { handler: name, event })
    }
  }

  readonly #settled = (): void => {
    if (--this.#inFlight > 0 || this.#idle === undefined) return
    this.#idle.resolve()
    this.#idle = undefined
  }

  #first(target: Target, handler: Handler, options: OnOptions): Unsubscribe {
    let called = false
    const run: Run = (event) => {
      // An emit inside an emit may find this entry twice: once removed, it still stands in the outer one's array.
      if (called) return undefined
      called = true
      remove()
      return (handler as Run)(event)
    }
    expectOptions('on() of a bus', options, onNames)
    const name = handlerName(target, handler, options.name)
    const remove = this.#register({ target, key: handler, run, name }, options.signal)
    return remove
  }

  #next(target: Target, signal: AbortSignal | undefined): Promise<EventMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<EventMessage>()
    promise.catch(nothing)
    checkTarget(target)
    const run: Run = (event) => {
      remove()
      resolve(event)
    }
    const lost = (error: ThenceError): void => reject(error)
    const remove = this.#register({ target, key: run, run, name: 'once', lost }, signal)
    return promise
  }

  #register(
    wanted: Omit<Entry, 'order' | 'release'>,
    signal: AbortSignal | undefined,
  ): Unsubscribe {
    if (this.#closed) throw closedError()
    if (signal?.aborted === true) {
      wanted.lost?.(abortedError(wanted.target, signal))
      return nothing
    }
    const entry: Entry = { ...wanted, order: this.#order++, release: nothing }
    const remove = (): void => this.#handlers.remove(entry)
    this.#handlers.add(entry)
    entry.release = whenAborted(signal, (aborted) => {
      remove()
      entry.lost?.(abortedError(entry.target, aborted))
    })
    return remove
  }

  #shut(): void {
    this.#closed = true
    this.#release()
    for (const entry of this.#handlers.clear()) entry.lost?.(closedError())
  }
}

const closedError = (): ThenceError =>
  new ThenceError('APP_STOPPED', 'The bus is closed; it takes no more events and no more handlers.')

const abortedError = (target: Target, { reason }: AbortSignal): ThenceError =>
  new ThenceError('ABORTED', `The wait for ${targetName(target)} was aborted.`, {
    cause: reason as unknown,
  })
