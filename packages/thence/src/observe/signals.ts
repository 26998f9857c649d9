/**
 * What can be observed, as typed data: rooms tell what happened, and whoever listens makes logs or metrics of it.
 * A listener that throws never disturbs the work.
 */
import type { AppendSignal } from './append-signals.ts'
import type { NotableJobSignal } from './job-signals.ts'
import type { FrequentMessageSignal, NotableMessageSignal } from './message-signals.ts'
import type { RetentionSignal } from './retention-signals.ts'
import type { SagaSignal } from './saga-signals.ts'
import type { FrequentSnapshotSignal, NotableSnapshotSignal } from './snapshot-signals.ts'
import type {
  FrequentSubscriptionSignal,
  NotableSubscriptionSignal,
} from './subscription-signals.ts'
import type { NotableTimerSignal, TimerSignal } from './timer-signals.ts'
import type { Runtime } from '../ports/runtime.ts'
import { Outage } from './outage.ts'
import type { StoreSignal } from './store-signals.ts'
import type { StopSignal } from './stop-signals.ts'
import type { UpkeepSignal } from './upkeep-signals.ts'

/** Those that come with every message, page or commit. Only who names them hears them; else they cost nothing. */
export type FrequentSignal =
  | AppendSignal
  | FrequentMessageSignal
  | FrequentSnapshotSignal
  | FrequentSubscriptionSignal
  | SagaSignal
  | TimerSignal

/** What a person may want to know of: failures, and what changes how the app runs. */
export type NotableSignal =
  | NotableJobSignal
  | NotableMessageSignal
  | NotableSnapshotSignal
  | NotableSubscriptionSignal
  | NotableTimerSignal
  | RetentionSignal
  | StopSignal
  | StoreSignal
  | UpkeepSignal

export type Signal = FrequentSignal | NotableSignal
export type SignalName = Signal['name']
export type SignalNamed<N extends SignalName> = Extract<Signal, { readonly name: N }>

export type Listener<N extends SignalName = NotableSignal['name']> = (
  signal: SignalNamed<N>,
) => void

type AnyListener = (signal: Signal) => void

export class Signals {
  /** Of the store, whoever meets it. */
  readonly outage: Outage
  readonly #named = new Map<SignalName, readonly AnyListener[]>()
  #notable: readonly AnyListener[] = []

  constructor(runtime: Pick<Runtime, 'elapsed'>) {
    this.outage = new Outage(runtime, (signal) => this.emit(signal))
  }

  /** Hears all notable signals. Returns how to stop listening. */
  listen(listener: Listener): () => void {
    // Its own function, so that one that listens twice is told twice and can stop one of them.
    const own: AnyListener = (signal) => listener(signal as NotableSignal)
    this.#notable = [...this.#notable, own]
    return () => {
      this.#notable = this.#notable.filter((one) => one !== own)
    }
  }

  /** Hears the signals of these names, frequent ones too. Returns how to stop listening. */
  listenTo<N extends SignalName>(names: readonly N[], listener: Listener<N>): () => void {
    const own: AnyListener = (signal) => listener(signal as SignalNamed<N>)
    for (const name of names) this.#named.set(name, [...this.#heard(name), own])
    return () => {
      for (const name of names) {
        const left = this.#heard(name).filter((one) => one !== own)
        if (left.length > 0) this.#named.set(name, left)
        else this.#named.delete(name)
      }
    }
  }

  /** Whether anyone listens: ask before anything is measured, or made, for a frequent signal. */
  wants(name: FrequentSignal['name']): boolean {
    return this.#named.has(name)
  }

  emit(signal: NotableSignal): void {
    tell(this.#heard(signal.name), signal)
    tell(this.#notable, signal)
  }

  emitFrequent(signal: FrequentSignal): void {
    tell(this.#heard(signal.name), signal)
  }

  #heard(name: SignalName): readonly AnyListener[] {
    return this.#named.get(name) ?? nobody
  }
}

const nobody: readonly AnyListener[] = []

const ignore = (): void => undefined

const tell = (listeners: readonly AnyListener[], signal: Signal): void => {
  for (const listener of listeners)
    try {
      const told: unknown = listener(signal)
      // One that is asynchronous may fail later, and that must not end the process either.
      if (told instanceof Promise) told.catch(ignore)
    } catch {
      // Observation must not change what is observed.
    }
}
