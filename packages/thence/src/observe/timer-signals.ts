/**
 * What becomes of timers: of sagas, of delayed commands, of schedules.
 */

/** The message of a timer was appended. */
export interface TimerSignal {
  readonly name: 'timer-fired'
  readonly id: string
  readonly owner: string
  /** Of the message. */
  readonly type: string
  /** Milliseconds between the time that was asked for and the firing, by the database's clock. */
  readonly late: number
}

interface FailedTimer {
  readonly id: string
  readonly owner: string
  /** Failed attempts so far. */
  readonly attempts: number
  readonly error: unknown
}

export type NotableTimerSignal =
  /** A timer could not be fired and will be tried again. */
  | ({ readonly name: 'timer-failed'; readonly retryIn: number } & FailedTimer)
  /** It was given up and is kept with its error, for a person. */
  | ({ readonly name: 'timer-parked' } & FailedTimer)
  /** Slots of a schedule were missed and not sent, as its `catchUp` says. */
  | {
      readonly name: 'schedule-skipped'
      readonly schedule: string
      /** The first and the last of them, Unix milliseconds. */
      readonly from: number
      readonly to: number
      /** How many; null if they were too many to count. */
      readonly slots: number | null
    }
