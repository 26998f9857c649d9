/**
 * When an app has nothing left to do: asked first of what this process knows, which costs nothing, then of what is stored,
 * because other processes run some of it and operators change it.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import { aborted } from '../ports/wait.ts'
import type { Store } from '../store/store.ts'
import type { SubscriptionSettings } from '../subscribe/settings.ts'
import { allSettings } from '../subscribe/settings.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import { Waker } from '../subscribe/waker.ts'
import { isBehind } from './reach.ts'

/** Asked again after so many milliseconds, if nothing comes further before. */
const askEvery = 100

/** What there is to know of the app. */
export interface Idling {
  /** The subscriptions of its parts. */
  readonly subscriptions: readonly Subscription[]
  readonly stopped: boolean
  /** Where this process knows that the log goes. */
  readonly head: number
  /** There may be something to do for anyone. */
  wake(): void
}

type Settings = ReadonlyMap<string, SubscriptionSettings>

export class Idle {
  readonly #store: Store
  readonly #of: Idling

  constructor(store: Store, of: Idling) {
    this.#store = store
    this.#of = of
  }

  /**
   * Resolves when every subscription has done all there is, and no failed message waits for its next attempt. What is
   * parked or paused, and timers that are not due, are not waited for.
   * @throws APP_STOPPED, ABORTED
   */
  async wait(signal?: AbortSignal): Promise<void> {
    while (!(await this.#isIdle())) {
      if (this.#of.stopped)
        throw new ThenceError('APP_STOPPED', 'The app was stopped while waiting.')
      await this.#progress(signal)
    }
  }

  async #isIdle(): Promise<boolean> {
    const { subscriptions } = this.#of
    // What this process knows of costs nothing to ask.
    if (subscriptions.some((one) => !one.paused && (one.retrying || this.#isBehind(one))))
      return false
    const { head, due, behind, settings } = await this.#store.read(async (transaction) => {
      const all = await allSettings(transaction)
      return {
        settings: all,
        head: await transaction.events.head({ unsettled: true }),
        due: await transaction.retries.summary(),
        behind: await this.#elsewhere(transaction, all),
      }
    })
    const going = subscriptions.filter(({ name }) => goesOn(name, settings))
    // As it is stored: an operator may have redriven a message that this process does not know of yet.
    if (due.some((row) => row.due > 0 && going.some(({ name }) => name === row.subscription))) {
      this.#of.wake()
      return false
    }
    const here = going.flatMap(({ running }) => running)
    const done = here.every(({ position, halted }) => halted || position >= head)
    const now = await this.#store.read(({ events }) => events.head({ unsettled: true }))
    return done && !behind && head === now
  }

  /** Whether what it runs here has not come to where this process knows that the log goes. */
  #isBehind({ running }: Subscription): boolean {
    return running.some(({ position, halted }) => !halted && position < this.#of.head)
  }

  /** Whether a partition that another process runs, or nobody yet, has anything to do. */
  async #elsewhere(transaction: Transaction, settings: Settings): Promise<boolean> {
    for (const subscription of this.#of.subscriptions) {
      if (subscription.isHere || !goesOn(subscription.name, settings)) continue
      if (await isBehind(transaction, subscription)) return true
    }
    return false
  }

  /** Resolves on the next progress of any subscription, or after a while. @throws ABORTED */
  async #progress(signal?: AbortSignal): Promise<void> {
    const waker = new Waker()
    const ring = (): void => waker.wake()
    const unlisten = this.#of.subscriptions.map((one) => one.onProgress(ring))
    const cancel = this.#store.tools.runtime.after(askEvery, ring)
    signal?.addEventListener('abort', ring, { once: true })
    await waker.wait()
    cancel()
    signal?.removeEventListener('abort', ring)
    for (const off of unlisten) off()
    if (signal?.aborted === true) throw aborted(signal)
  }
}

const goesOn = (name: string, settings: Settings): boolean =>
  settings.get(name)?.paused === undefined
