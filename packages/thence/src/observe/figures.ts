/**
 * What is measured, as it is told: plain objects that can be written as JSON. Times are in milliseconds.
 */
import type { Distribution } from './histogram.ts'
import type { Shape } from './instruments.ts'

/** Of appends by this process, those of its subscriptions included. */
export interface AppendFigures {
  /** Messages added to the log. */
  readonly messages: number
  /** Commits that added any. */
  readonly commits: number
  /** Appends that came again with the same ids. */
  readonly repeated: number
  /** Appends that expected another version of their stream. A command is then decided again. */
  readonly conflicts: number
  /** Appends whose condition did not hold, or whose message id is taken by another message. */
  readonly refused: number
  /** Messages per commit. */
  readonly batch: Distribution
  /** From the first append of a commit to its beginning. */
  readonly waited: Distribution
  /** How long commits took; in a subscription, the whole transaction. */
  readonly took: Distribution
}

export interface TypeFigures {
  /** Messages of the type that were added to the log. */
  readonly messages: number
}

/** Of commands that were sent to aggregates. */
export interface CommandFigures {
  readonly decided: number
  /** Rejected, or the decision failed. */
  readonly refused: number
  /** Decisions that a conflict made necessary again. */
  readonly repeated: number
  /** From the call of `send` to its answer. */
  readonly took: Distribution
}

/** Of messages in subscriptions. */
export interface MessageFigures {
  /** Messages that were done, with their effects committed. */
  readonly handled: number
  /** Attempts that failed. */
  readonly failed: number
  /** Messages that were given up: each is a dead letter, and its key waits. */
  readonly parked: number
  /** Messages that were given up and passed over, as the failure policy says. */
  readonly skipped: number
  /** Messages that were given up before, were redriven, and went through; they are handled too. */
  readonly resolved: number
  /** Messages put behind an earlier one of their key. */
  readonly queued: number
  /** Messages whose call took longer than a second, so that they were set aside. */
  readonly setAside: number
  /** From the call that appended a message to the commit of its effects, by the clocks of both processes. */
  readonly latency: Distribution
  /** How long the handler ran; for a projection or a saga, how long it took to apply the message. */
  readonly took: Distribution
}

/** Of a subscription as a whole. */
export interface PageFigures {
  /** Pages of messages that were taken, each in one transaction or several. */
  readonly pages: number
  /** Times that the store failed below it. */
  readonly storeFailures: number
  /** Times that its breaker opened, because what its handler calls was out of order. */
  readonly outages: number
  /** Messages per page. */
  readonly page: Distribution
}

export interface SnapshotFigures {
  readonly taken: number
  readonly failed: number
  readonly took: Distribution
}

export interface SagaFigures {
  readonly started: number
  /** Instances whose steps all came to an end. */
  readonly completed: number
  /** Instances that were taken back. */
  readonly compensated: number
  /** How long instances lived. */
  readonly lasted: Distribution
}

export interface TimerFigures {
  readonly fired: number
  /** Attempts to fire one that failed. */
  readonly failed: number
  /** Those that were given up and are kept for a person. */
  readonly parked: number
  /** Slots of schedules that were missed and not sent; a stretch too long to count is one. */
  readonly skipped: number
  /** By how much they were late. */
  readonly late: Distribution
}

/** Of the right to run partitions. */
export interface LeaseFigures {
  readonly taken: number
  /** Handed over to another process. */
  readonly released: number
  /** Found taken by another process: what was in hand was not committed, and is done there. */
  readonly lost: number
}

/** Of jobs, as far as this process did them. */
export interface JobFigures {
  /** Batches that failed and were rolled back; they are taken again. */
  readonly failed: number
  /** Jobs that it ended, with all done … */
  readonly done: number
  /** … or because it found that they must stop. */
  readonly stopped: number
}

/** Of retention, as far as this process did it. */
export interface RetentionFigures {
  /** Passes in which something was old enough. */
  readonly runs: number
  readonly failed: number
  /** Messages that were removed. */
  readonly removed: number
  /** Rules of which something was kept because somebody needs it. */
  readonly held: number
  readonly took: Distribution
}

/** Of what the process does again and again beside its messages. */
export interface UpkeepFigures {
  /** How often it was told that it failed: of failures in a row the first, second, fourth, eighth and so on. */
  readonly failed: number
}

/** Of the process itself. */
export interface ProcessFigures {
  /** By how much timers of the process were late because something held the event loop. */
  readonly delay: Distribution
}

/** One row of each group. */
export interface Groups {
  readonly appends: AppendFigures
  readonly appended: TypeFigures
  readonly commands: CommandFigures
  readonly messages: MessageFigures
  readonly subscriptions: PageFigures
  readonly sagas: SagaFigures
  readonly timers: TimerFigures
  readonly leases: LeaseFigures
  readonly snapshots: SnapshotFigures
  readonly jobs: JobFigures
  readonly retention: RetentionFigures
  readonly upkeep: UpkeepFigures
  readonly process: ProcessFigures
}

/** Everything that was measured over a span of time. A row comes into being when there is something to count. */
export interface Figures extends Pick<
  Groups,
  'appends' | 'timers' | 'leases' | 'snapshots' | 'retention' | 'process'
> {
  /** How many milliseconds they cover. */
  readonly covers: number
  readonly appended: readonly ({ readonly type: string } & TypeFigures)[]
  readonly commands: readonly ({
    readonly aggregate: string
    readonly type: string
  } & CommandFigures)[]
  readonly messages: readonly ({
    readonly subscription: string
    readonly type: string
  } & MessageFigures)[]
  readonly subscriptions: readonly ({ readonly subscription: string } & PageFigures)[]
  readonly sagas: readonly ({ readonly saga: string } & SagaFigures)[]
  readonly jobs: readonly ({ readonly kind: string } & JobFigures)[]
  readonly upkeep: readonly ({ readonly what: string } & UpkeepFigures)[]
}

export type GroupName = keyof Groups

export const shapes: { readonly [G in GroupName]: Shape<Groups[G]> } = {
  appends: {
    messages: 'counter',
    commits: 'counter',
    repeated: 'counter',
    conflicts: 'counter',
    refused: 'counter',
    batch: 'histogram',
    waited: 'histogram',
    took: 'histogram',
  },
  appended: { messages: 'counter' },
  commands: { decided: 'counter', refused: 'counter', repeated: 'counter', took: 'histogram' },
  messages: {
    handled: 'counter',
    failed: 'counter',
    parked: 'counter',
    skipped: 'counter',
    resolved: 'counter',
    queued: 'counter',
    setAside: 'counter',
    latency: 'histogram',
    took: 'histogram',
  },
  subscriptions: {
    pages: 'counter',
    storeFailures: 'counter',
    outages: 'counter',
    page: 'histogram',
  },
  sagas: {
    started: 'counter',
    completed: 'counter',
    compensated: 'counter',
    lasted: 'histogram',
  },
  timers: {
    fired: 'counter',
    failed: 'counter',
    parked: 'counter',
    skipped: 'counter',
    late: 'histogram',
  },
  leases: { taken: 'counter', released: 'counter', lost: 'counter' },
  snapshots: { taken: 'counter', failed: 'counter', took: 'histogram' },
  jobs: { failed: 'counter', done: 'counter', stopped: 'counter' },
  retention: {
    runs: 'counter',
    failed: 'counter',
    removed: 'counter',
    held: 'counter',
    took: 'histogram',
  },
  upkeep: { failed: 'counter' },
  process: { delay: 'histogram' },
}

/** By what the rows of a group are told apart; nothing: it has one. */
export const labelsOf: { readonly [G in GroupName]: readonly string[] } = {
  appends: [],
  appended: ['type'],
  commands: ['aggregate', 'type'],
  messages: ['subscription', 'type'],
  subscriptions: ['subscription'],
  sagas: ['saga'],
  timers: [],
  leases: [],
  snapshots: [],
  jobs: ['kind'],
  retention: [],
  upkeep: ['what'],
  process: [],
}
