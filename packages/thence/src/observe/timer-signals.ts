/**
 * What becomes of timers.
 */

/** The message of a timer was appended. */
export interface TimerSignal {
  readonly name: 'timer-fired'
  readonly id: string
  readonly owner: string
  /** Of the message. */
  readonly type: string
  /** Milliseconds between the time that was asked for and the firing. */
  readonly late: number
}
