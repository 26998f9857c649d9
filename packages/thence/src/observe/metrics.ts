/**
 * Counters and histograms made of signals. Memory is bounded: labels that occur after the first two hundred are counted
 * together, and a histogram is as large however much it holds.
 */
import type { Runtime } from '../ports/runtime.ts'
import type { StoreSize } from '../ports/sizes.ts'
import type { Reading } from './board.ts'
import { Board, figuresOf } from './board.ts'
import { earsOf } from './ears.ts'
import type { Figures } from './figures.ts'
import type { Listener, SignalName, Signals } from './signals.ts'

/** The recent figures cover the last one or two of these, in milliseconds. */
const rotateEvery = 60_000

/** How far a subscription is behind, as its process has seen it at most five seconds ago. */
export interface Lag {
  readonly subscription: string
  /** Everything up to here is done, waits in the retries, or was not meant for it. */
  readonly position: number
  /** Messages in the log from the first that waits for it; some of the others may not be meant for it. */
  readonly behind: number
  /** Age of the first message that waits for it, in milliseconds; 0 if there is none. */
  readonly behindMs: number
  /** Failed messages that will be tried again, … */
  readonly due: number
  /** … messages that wait for a person, whether their key waits for them or not; at most 10,000 are counted, … */
  readonly parked: number
  /** … and messages that wait behind one of those. */
  readonly queued: number
}

/** How large the store was when this process looked last, at most a minute and some seconds ago. */
export interface SizeReading extends StoreSize {
  /** When it looked, Unix milliseconds. */
  readonly time: number
}

/** What a process has noticed of the store by looking now and then. */
export interface Seen {
  readonly lags: readonly Lag[]
  readonly sizes: SizeReading | null
}

/** What a process has measured: a copy, which can be written as JSON. */
export interface Metrics {
  /** When it was read, Unix milliseconds. */
  readonly time: number
  /** Since the start of the app. */
  readonly total: Figures
  /** Of the last one to two minutes, or since the start of the app. */
  readonly recent: Figures
  /** Of every subscription of the app, wherever it runs; empty in the first second. */
  readonly lags: readonly Lag[]
  /**
   * By category of the log, and rows beside it, of which at most 10,000 are counted in each table. It is looked at once a
   * minute, not when this is called; null in the first second, and where the process tells nothing of itself.
   */
  readonly sizes: SizeReading | null
}

/** Measures what the signals of an app tell, from when it is made. */
export class Meter {
  readonly #board = new Board()
  readonly #runtime: Runtime
  readonly #started: number
  /** When the recent figures began, and when the newer half of them did, by `elapsed`. */
  #since: number
  #rotated: number

  constructor(signals: Signals, runtime: Runtime) {
    this.#runtime = runtime
    this.#started = runtime.elapsed()
    this.#since = this.#started
    this.#rotated = this.#started
    for (const [name, listener] of Object.entries(earsOf(this.#board)))
      signals.listenTo([name as SignalName], listener as Listener<SignalName>)
  }

  /** Something held the event loop: a timer was so many milliseconds late. */
  delayed(milliseconds: number): void {
    this.#board.process.of().record('delay', milliseconds)
  }

  read({ lags, sizes }: Seen): Metrics {
    const total = { covers: this.#covered(this.#started), groups: this.#board.read('total') }
    return {
      time: this.#runtime.now(),
      total: figuresOf(total),
      recent: figuresOf(this.recent()),
      lags,
      sizes,
    }
  }

  /** The recent figures, in a form that can be stored and added up. */
  recent(): Reading {
    this.rotate()
    return { covers: this.#covered(this.#since), groups: this.#board.read('recent') }
  }

  /** Leaves behind what is no longer recent; to be called now and then. */
  rotate(): void {
    if (this.#covered(this.#rotated) < rotateEvery) return
    this.#board.rotate()
    this.#since = this.#rotated
    this.#rotated = this.#runtime.elapsed()
  }

  #covered(since: number): number {
    return this.#runtime.elapsed() - since
  }
}
