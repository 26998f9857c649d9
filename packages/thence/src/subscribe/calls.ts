/**
 * The work of one page with the outside world: different keys side by side up to a limit, one key in order. After a
 * failure the rest of the key is left alone, because it must wait; and so it is behind a call that takes long, which is
 * set aside so that only its key waits for it.
 */
import type { Cancel, Runtime } from '../ports/runtime.ts'
import type { Item } from './item.ts'
import type { KeysInHand } from './keys-in-hand.ts'
import type { Attempting } from './prepare.ts'
import { prepareOne, slowAfter } from './prepare.ts'
import type { Slots } from './slots.ts'
import { Waker } from './waker.ts'

export interface Calling extends Attempting {
  /** How many calls there are side by side, with all other partitions of this process. */
  readonly slots: Slots
  /** Held for every message of the page; given back for what is not to be called. */
  readonly keys: KeysInHand
  readonly runtime: Runtime
}

interface Call {
  /** By `elapsed`; Infinity as long as it waits for its turn. */
  begun: number
  /** Resolves to false if it may not begin, or was given up. */
  readonly result: Promise<boolean>
  /** Has its lane go on without it. */
  readonly leave: () => void
}

/** Milliseconds. */
const lookEvery = 250

const byKey = (items: readonly Item[]): Item[][] => [
  ...Map.groupBy(items, ({ key }) => key).values(),
]

export class Calls {
  readonly #calling: Calling
  readonly #settled = new Set<Item>()
  readonly #inHand = new Map<Item, Call>()
  readonly #arrived = new Waker()
  #lanes: Promise<unknown> = Promise.resolve()
  #finished = false
  #abandoned = false
  #cancel: Cancel = () => undefined

  constructor(calling: Calling) {
    this.#calling = calling
  }

  /** Whether no lane goes on: what is not settled by now was left alone, because nothing more may begin. */
  get finished(): boolean {
    return this.#finished
  }

  /** Begins all but what has a key that waits. */
  begin(items: readonly Item[], waiting: ReadonlySet<string>): void {
    const blocked = items.filter(({ key }) => waiting.has(key))
    for (const item of blocked) this.passOver(item)
    const free = items.filter(({ key }) => !waiting.has(key))
    this.#lanes = Promise.all(byKey(free).map((lane) => this.#run(lane))).then(() => {
      this.#finished = true
      this.#arrived.wake()
    })
    this.#watch()
  }

  isSettled(item: Item): boolean {
    return this.#settled.has(item)
  }

  passOver(item: Item): void {
    item.passedOver = true
    this.#calling.keys.release([item])
    this.#settle(item)
  }

  /** Resolves when something has been settled since the last time, or all has finished. */
  change(): Promise<void> {
    return this.#arrived.wait()
  }

  /** The call of a message that was set aside; from now on the caller looks after it. */
  handOver(item: Item): Promise<boolean> | undefined {
    const call = this.#inHand.get(item)
    this.#inHand.delete(item)
    return call?.result
  }

  /** Begins nothing more; resolves when all calls have ended, or were set aside. */
  async end(): Promise<void> {
    this.#abandoned = true
    await this.#lanes
    this.#cancel()
    // A call that goes on knows this one: the rest of its page is not to stay in memory as long as that.
    this.#settled.clear()
  }

  async #run(lane: readonly Item[]): Promise<void> {
    let isBlocked = false
    for (const item of lane) {
      if (isBlocked) this.passOver(item)
      else if (!(await this.#call(item))) return
      else {
        isBlocked = item.failure !== undefined || item.aside === true
        this.#settle(item)
      }
    }
  }

  /** Resolves when the call has ended or was set aside; to false if it may not begin. */
  #call(item: Item): Promise<boolean> {
    const { slots, runtime, valve } = this.#calling
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const leave = (): void => {
      item.aside = true
      resolve(true)
    }
    const attempt = (): Promise<boolean> => {
      if (this.#abandoned) return Promise.resolve(false)
      const call = { begun: Infinity, result: Promise.resolve(false), leave }
      this.#inHand.set(item, call)
      const began = (): void => void (call.begun = runtime.elapsed())
      call.result = prepareOne(item, { ...this.#calling, began }, 'first')
      return call.result
    }
    void slots.run('first', attempt, valve.open).then((result = false) => {
      // What was set aside stays until it is handed over.
      if (item.aside !== true) this.#inHand.delete(item)
      resolve(result)
    })
    return promise
  }

  #settle(item: Item): void {
    this.#settled.add(item)
    this.#arrived.wake()
  }

  #watch(): void {
    const { runtime } = this.#calling
    this.#cancel = runtime.after(lookEvery, () => {
      const now = runtime.elapsed()
      for (const [item, { begun, leave }] of this.#inHand)
        if (now - begun >= slowAfter && item.aside !== true) leave()
      this.#watch()
    })
  }
}
