/**
 * Counters and histograms made of signals. Memory is bounded: labels that occur after the first two hundred are counted
 * together, and a histogram is as large however much it holds.
 */
import type { Runtime } from '../ports/runtime.ts'
import type { Reading } from './board.ts'
import { Board, figuresOf } from './board.ts'
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
  /** … that wait for a person, … */
  readonly parked: number
  /** … and messages that wait behind one of those. */
  readonly queued: number
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
}

type Ears = { readonly [N in SignalName]?: Listener<N> }

const appendEars = ({ appends, appended, commands }: Board): Ears => {
  const all = appends.of()
  return {
    'messages-appended': ({ from, to, types, waited, took }) => {
      const messages = to - from + 1
      all.count('messages', messages)
      all.count('commits')
      all.record('batch', messages)
      all.record('took', took)
      all.record('waited', waited)
      for (const [type, count] of types) appended.of(type).count('messages', count)
    },
    'append-repeated': () => all.count('repeated'),
    'append-refused': ({ why }) => all.count(why === 'conflict' ? 'conflicts' : 'refused'),
    'command-decided': ({ aggregate, type, tries, took }) => {
      const own = commands.of(aggregate, type)
      own.count('decided')
      own.count('repeated', tries - 1)
      own.record('took', took)
    },
    'command-refused': ({ aggregate, type, tries, took }) => {
      const own = commands.of(aggregate, type)
      own.count('refused')
      own.count('repeated', tries - 1)
      own.record('took', took)
    },
  }
}

const messageEars = ({ messages }: Board): Ears => ({
  'message-handled': ({ subscription, type, latency, took }) => {
    const own = messages.of(subscription, type)
    own.count('handled')
    own.record('latency', latency)
    own.record('took', took)
  },
  'message-failed': ({ subscription, type }) => messages.of(subscription, type).count('failed'),
  'message-parked': ({ subscription, type }) => {
    const own = messages.of(subscription, type)
    own.count('failed')
    own.count('parked')
  },
  'message-queued': ({ subscription, type }) => messages.of(subscription, type).count('queued'),
})

const subscriptionEars = ({ subscriptions, leases }: Board): Ears => ({
  'checkpoint-moved': ({ subscription, messages }) => {
    const own = subscriptions.of(subscription)
    own.count('pages')
    own.record('page', messages)
  },
  'subscription-failed': ({ subscription }) =>
    subscriptions.of(subscription).count('storeFailures'),
  'lease-taken': () => leases.of().count('taken'),
  'lease-released': () => leases.of().count('released'),
  'lease-lost': () => leases.of().count('lost'),
})

const otherEars = ({ sagas, timers, snapshots }: Board): Ears => ({
  'saga-started': ({ saga }) => sagas.of(saga).count('started'),
  'saga-ended': ({ saga, outcome, lasted }) => {
    sagas.of(saga).count(outcome)
    sagas.of(saga).record('lasted', lasted)
  },
  'timer-fired': ({ late }) => {
    timers.of().count('fired')
    timers.of().record('late', late)
  },
  'snapshot-taken': ({ took }) => {
    snapshots.of().count('taken')
    snapshots.of().record('took', took)
  },
  'snapshot-failed': () => snapshots.of().count('failed'),
})

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
    const board = this.#board
    const ears = {
      ...appendEars(board),
      ...messageEars(board),
      ...subscriptionEars(board),
      ...otherEars(board),
    }
    for (const [name, listener] of Object.entries(ears))
      signals.listenTo([name as SignalName], listener as Listener<SignalName>)
  }

  /** Something held the event loop: a timer was so many milliseconds late. */
  delayed(milliseconds: number): void {
    this.#board.process.of().record('delay', milliseconds)
  }

  read(lags: readonly Lag[]): Metrics {
    const total = { covers: this.#covered(this.#started), groups: this.#board.read('total') }
    return {
      time: this.#runtime.now(),
      total: figuresOf(total),
      recent: figuresOf(this.recent()),
      lags,
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
