// Several processes on one store, down to what a schedule needs of them: a connection, a clock of timers, and a clock of
// their own that may be wrong. Time passes in jumps, and each looks when the test says so.
import type { Database, Schedule } from 'thence'
import { virtualRuntime } from 'thence/testing'
import type { VirtualRuntime } from 'thence/testing'
import { Codec } from '../../src/message/codec.ts'
import type { AnyDefinition } from '../../src/message/define.ts'
import { Registry } from '../../src/message/registry.ts'
import { Signals } from '../../src/observe/signals.ts'
import { TimerClock } from '../../src/schedule/clock.ts'
import { Store } from '../../src/store/store.ts'
import { Tokens } from '../../src/store/token.ts'
import { skewed } from './skew.ts'

/** The database's clock: it can be moved, also back. */
export class MovableClock {
  readonly runtime: VirtualRuntime
  readonly #machine: VirtualRuntime = virtualRuntime()
  #shift = 0

  constructor() {
    this.runtime = skewed(this.#machine, () => this.#shift)
  }

  /** Positive or negative milliseconds. */
  move(by: number): void {
    this.#shift += by
  }

  now(): number {
    return this.runtime.now()
  }
}

export interface Node {
  /** Fires whatever is due. */
  look(): Promise<void>
  readonly store: Store
  /** Appends that found their message in the log: the net below the claim. */
  readonly repeated: () => number
}

export interface NodeOptions {
  readonly database: Database
  readonly schedules: readonly Schedule[]
  readonly takes: readonly AnyDefinition[]
  readonly runtime: VirtualRuntime
}

/** A process that has just started. */
export const startNode = async ({
  database,
  schedules,
  takes,
  runtime,
}: NodeOptions): Promise<Node> => {
  const registry = new Registry()
  for (const definition of takes) {
    registry.add(definition)
    registry.take(definition.type)
  }
  let repeated = 0
  const watch = {
    wantsCommits: false,
    committed: () => undefined,
    repeated: () => void (repeated += 1),
    refused: () => undefined,
  }
  const tokens = new Tokens('nodes')
  const tools = { registry, codec: new Codec(registry, false), runtime, watch, tokens }
  const store = new Store(database, tools)
  const clock = new TimerClock(store, new Signals(runtime), schedules)
  await clock.start()
  await clock.stop()
  const look = async (): Promise<void> => {
    while (await clock.fire());
  }
  return { look, store, repeated: () => repeated }
}
