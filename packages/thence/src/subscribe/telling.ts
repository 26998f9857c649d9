/**
 * Tells what becomes of the messages of one partition, after the commit that makes it so. Nothing is timed, and nothing
 * made, that nobody listens to.
 */
import type { Signals } from '../observe/signals.ts'
import type { Hold } from '../ports/checkpoints.ts'
import type { Store } from '../store/store.ts'
import type { Item } from './item.ts'

interface Told {
  readonly subscription: string
  readonly partition: number
  readonly key: string
  readonly type: string
  readonly id: string
  readonly position: number
}

export class Telling {
  readonly #subscription: string
  readonly #partition: number
  readonly #store: Store
  readonly #signals: Signals
  #inHand = 0

  constructor(
    of: { readonly name: string; readonly hold: Pick<Hold, 'partition'> },
    store: Store,
    signals: Signals,
  ) {
    this.#subscription = of.name
    this.#partition = of.hold.partition
    this.#store = store
    this.#signals = signals
  }

  /** A message as it is told of. */
  of({ key, stored: { type, id, position } }: Item): Told {
    return {
      subscription: this.#subscription,
      partition: this.#partition,
      key,
      type,
      id,
      position,
    }
  }

  /** An attempt begins: a handler is called, or a message is applied. */
  begin(item: Item): void {
    if (!this.#signals.wants('message-handled')) return
    const { runtime } = this.#store.tools
    item.waited = runtime.now() - item.stored.time
    item.start = runtime.elapsed()
  }

  end(item: Item): void {
    if (item.start !== undefined) item.took = this.#store.tools.runtime.elapsed() - item.start
  }

  /** How many messages handlers work on. */
  get inHand(): number {
    return this.#inHand
  }

  /** A handler is about to be called. */
  begun(item: Item): void {
    this.#inHand += 1
    this.begin(item)
    if (!this.#signals.wants('message-begun')) return
    const { attempt = 1, stored } = item
    const waited = item.waited ?? this.#store.tools.runtime.now() - stored.time
    this.#signals.emitFrequent({ name: 'message-begun', ...this.of(item), attempt, waited })
  }

  /** It has ended, well or not. */
  ended(item: Item): void {
    this.#inHand -= 1
    this.end(item)
  }

  /** A handler was called, and the app has given up on it. */
  returned(item: Item): void {
    if (this.#signals.wants('message-returned'))
      this.#signals.emitFrequent({ name: 'message-returned', ...this.of(item) })
  }

  get wantsHandled(): boolean {
    return this.#signals.wants('message-handled')
  }

  handled(items: readonly Item[]): void {
    if (items.length === 0 || !this.wantsHandled) return
    const now = this.#store.tools.runtime.now()
    for (const item of items) {
      const { attempt = 1, waited = 0, took = 0 } = item
      const latency = now - item.stored.time
      const told = { ...this.of(item), attempt, waited, took, latency }
      this.#signals.emitFrequent({ name: 'message-handled', ...told })
    }
  }

  /** They have rows now: behind others of their key, or because their calls take long. */
  queued(items: readonly Item[]): void {
    for (const item of items) {
      const name = item.passedOver === true ? 'message-queued' : 'message-set-aside'
      if (this.#signals.wants(name)) this.#signals.emitFrequent({ name, ...this.of(item) })
    }
  }

  /** The checkpoint is behind these messages now. */
  moved(items: readonly Item[], position: number, start: number): void {
    if (!this.#signals.wants('checkpoint-moved')) return
    const { tools, head } = this.#store
    const last = items.at(-1)
    const behind = Math.max(0, head - position)
    const age = last === undefined ? 0 : tools.runtime.now() - last.stored.time
    this.#signals.emitFrequent({
      name: 'checkpoint-moved',
      subscription: this.#subscription,
      partition: this.#partition,
      position,
      messages: items.length,
      took: tools.runtime.elapsed() - start,
      behind,
      behindMs: behind === 0 ? 0 : age,
    })
  }
}
