/**
 * The second loop of a subscription: messages that failed before and are due again, beside the healthy flow and never
 * ahead of an earlier message of their key.
 */
import { fullJitter } from '../internal/backoff.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Retry } from '../ports/retries.ts'
import type { Item } from './item.ts'
import type { Stepping } from './step.ts'
import { takeRetry } from './step.ts'
import { Waker } from './waker.ts'

export interface RetryingHooks {
  readonly toItem: (stored: StoredMessage) => Item
  /** Returns false if the app gave up on it: then it stays as it is. */
  readonly prepare: (item: Item) => Promise<boolean>
  /** Something was settled: a key may be free again. */
  readonly settled: () => Promise<void>
}

const batch = 64
const failureBackoff = { base: 100, cap: 10_000 }

export class Retrying {
  readonly #stepping: Stepping
  readonly #hooks: RetryingHooks
  readonly #waker = new Waker()
  #rows = 0
  #due = 0
  #next = 0
  #failures = 0

  constructor(stepping: Stepping, hooks: RetryingHooks) {
    this.#stepping = stepping
    this.#hooks = hooks
  }

  /** Whether any message of this subscription waits. */
  get any(): boolean {
    return this.#rows > 0
  }

  /** How many wait for their next attempt. */
  get due(): number {
    return this.#due
  }

  wake(): void {
    if (this.#rows > 0) this.#waker.wake()
  }

  /** Reads what waits, and has the next attempt planned. */
  async refresh(): Promise<void> {
    await this.#look()
    if (this.#rows > 0) this.#waker.wake()
  }

  async #look(): Promise<void> {
    const { store, name } = this.#stepping
    const all = await store.read(({ retries }) => retries.summary())
    const own = all.find(({ subscription }) => subscription === name)
    this.#rows = own === undefined ? 0 : own.due + own.parked + own.queued
    this.#due = own?.due ?? 0
    this.#next = own?.next ?? 0
  }

  async loop(stopping: () => boolean): Promise<void> {
    while (!stopping()) {
      const cancel = this.#plan()
      await this.#waker.wait()
      cancel()
      if (!stopping()) await this.#guarded()
    }
  }

  /** Makes the loop look whether it is to stop. */
  stop(): void {
    this.#waker.wake()
  }

  #plan(): Cancel {
    const { runtime } = this.#stepping.store.tools
    if (this.#due === 0) return () => undefined
    return runtime.after(Math.max(0, this.#next - runtime.now()), () => this.#waker.wake())
  }

  async #guarded(): Promise<void> {
    try {
      await this.#round()
      this.#failures = 0
    } catch {
      // The database failed: the main loop tells it. Look again a little later.
      this.#failures += 1
      const { runtime } = this.#stepping.store.tools
      this.#due ||= 1
      this.#next = runtime.now() + fullJitter(failureBackoff, this.#failures, runtime.random())
    }
  }

  async #round(): Promise<void> {
    const { store, name } = this.#stepping
    const now = store.tools.runtime.now()
    const rows = await store.read(({ retries }) => retries.take(name, now, batch))
    for (const row of rows) await this.#one(row)
    await this.#look()
    if (rows.length > 0) await this.#hooks.settled()
  }

  async #one(row: Retry): Promise<void> {
    const { store, name } = this.#stepping
    const { page, checkpoint } = await store.read(async ({ events, checkpoints }) => ({
      page: await events.readAll({ after: row.position - 1, limit: 1 }),
      checkpoint: await checkpoints.load(name),
    }))
    const stored = page.messages.at(0)
    if (stored === undefined || stored.position !== row.position) return
    const item = this.#hooks.toItem(stored)
    if (!(await this.#hooks.prepare(item))) return
    await takeRetry(this.#stepping, { row, item, checkpoint })
  }
}
