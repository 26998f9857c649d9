/**
 * Waiting until a subscription has come to a position, in whatever process it runs: this process wakes when it is its own,
 * and looks into the store when it is another's.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import { isDevelopment } from '../internal/environment.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Transaction } from '../ports/database.ts'
import { aborted } from '../ports/wait.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import { Waker } from '../subscribe/waker.ts'
import type { Engine } from './engine.ts'
import { late } from './late.ts'
import type { Part, Parts } from './parts.ts'
import type { After, Goal } from './reach.ts'
import { goalOf, hasCome, headFor, hereOf } from './reach.ts'

export interface WaitingOptions {
  /** How long to wait; default 5 s. */
  readonly timeout?: Duration
  readonly signal?: AbortSignal
}

/** Who has to have come so far: one part of the app, by its name. */
export type UntilOptions = WaitingOptions &
  (
    | { readonly projection: string; readonly handler?: never; readonly saga?: never }
    | { readonly handler: string; readonly projection?: never; readonly saga?: never }
    | { readonly saga: string; readonly projection?: never; readonly handler?: never }
  )

export const waitingNames: OptionNames<WaitingOptions> = { timeout: true, signal: true }
const optionNames: OptionNames<UntilOptions> = {
  ...waitingNames,
  projection: true,
  handler: true,
  saga: true,
}

/** Who waits for whom. */
export interface Waiting extends WaitingOptions {
  readonly store: Store
  readonly subscription: Subscription
  /** For the error. */
  readonly who: string
  readonly goal: Goal
}

/** Between two looks into the store, in milliseconds: at first and at the most. */
const shortest = 5
const longest = 100

/**
 * Waits until the subscription has come to the goal, and gives what `look` gives of the very state in which it has.
 * @throws POSITION_TIMEOUT, TOKEN_INVALID, ABORTED, APP_STOPPED
 */
export async function whenThere<T>(
  waiting: Waiting,
  look: (transaction: Transaction) => Awaitable<T>,
): Promise<T> {
  const { store, subscription, who, signal } = waiting
  const { runtime } = store.tools
  const timeout = milliseconds(`timeout of ${who}`, waiting.timeout ?? '5s')
  const end = runtime.elapsed() + timeout
  const bell = new Waker()
  const ring = (): void => bell.wake()
  const unlisten = subscription.onProgress(ring)
  signal?.addEventListener('abort', ring, { once: true })
  try {
    const looks = new Looks(waiting)
    for (;;) {
      if (signal?.aborted === true) throw aborted(signal)
      const found = await looks.look(look)
      if (found !== undefined) return found.given
      if (subscription.state === 'stopped' || subscription.stuck) throw stopped(who)
      const left = end - runtime.elapsed()
      if (left <= 0) throw await tellLate(waiting, timeout)
      const cancel = runtime.after(Math.min(left, looks.pause), ring)
      await bell.wait()
      cancel()
    }
  } finally {
    unlisten()
    signal?.removeEventListener('abort', ring)
  }
}

/** Looks into the store, as rarely as it can. */
class Looks {
  readonly #waiting: Waiting
  /** When to look again if nothing is heard, by `elapsed`. */
  #next = 0
  #pause = shortest

  constructor(waiting: Waiting) {
    this.#waiting = waiting
  }

  /** Milliseconds until it is to look again. */
  get pause(): number {
    return Math.max(1, this.#next - this.#waiting.store.tools.runtime.elapsed())
  }

  async look<T>(
    look: (transaction: Transaction) => Awaitable<T>,
  ): Promise<{ readonly given: T } | undefined> {
    const { store, subscription, goal } = this.#waiting
    const { runtime } = store.tools
    // What this process runs itself tells when it gets there: no need to look at every step before.
    const isOnItsWay = subscription.isHere && subscription.position < goal.position
    if (isOnItsWay && runtime.elapsed() < this.#next) return undefined
    const here = hereOf(subscription)
    const found = await store.read(async (transaction) =>
      (await hasCome(transaction, subscription, { goal, here }))
        ? { given: await look(transaction) }
        : undefined,
    )
    this.#next = runtime.elapsed() + this.#pause
    this.#pause = Math.min(2 * this.#pause, longest)
    return found
  }
}

const stopped = (who: string): ThenceError =>
  new ThenceError('APP_STOPPED', `${who}: the app was stopped while waiting.`)

const tellLate = (
  { store, subscription, who, goal }: Waiting,
  timeout: number,
): Promise<ThenceError> => {
  const here = hereOf(subscription)
  return store.read((transaction) => late(transaction, subscription, { who, goal, here, timeout }))
}

/** What `until` works on. */
export interface Reaching {
  readonly store: Store
  readonly engine: Engine
  readonly parts: Parts
}

const partOf = (
  { projection, handler, saga }: UntilOptions,
  { projections, handlers, sagas }: Parts,
): Part => {
  const named = [
    { kind: 'projection', name: projection, all: projections },
    { kind: 'handler', name: handler, all: handlers },
    { kind: 'saga', name: saga, all: sagas },
  ].filter(({ name }) => name !== undefined)
  const [one] = named
  if (one === undefined || named.length > 1)
    throw new ThenceError(
      'CONFIG_INVALID',
      'until waits for one part: give the name of a projection, of a handler or of a saga.',
    )
  const { kind, name, all } = one
  const found = all.find((part) => part.name === name)
  if (found !== undefined) return found
  throw new ThenceError(
    'NOT_FOUND',
    `There is no ${kind} ${name} in this app. Add it here too, or wait in an app that has it.`,
    { details: { [kind]: name } },
  )
}

/** See `App.until`. */
export async function until(
  after: After,
  { store, engine, parts }: Reaching,
  options: UntilOptions,
): Promise<void> {
  if (isDevelopment) expectOptions('until', options, optionNames)
  const { name } = partOf(options, parts)
  const goal = goalOf(after, store.tools.tokens)
  const subscription = engine.subscription(name)
  // An inline projection is never behind.
  if (subscription === undefined)
    return store.read((transaction) => headFor(transaction, goal)).then(() => undefined)
  return whenThere({ ...options, store, subscription, who: `until ${name}`, goal }, () => undefined)
}
