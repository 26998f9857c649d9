/**
 * What becomes of the instances of sagas. Each is told when it is committed.
 */

interface InstanceSignal {
  readonly saga: string
  readonly key: string
}

export type SagaSignal =
  | ({ readonly name: 'saga-started' } & InstanceSignal)
  /** A step has come further: its command was sent, or that which takes it back; or it was told how that went. */
  | ({
      readonly name: 'saga-stepped'
      readonly step: string
      readonly status: 'doing' | 'done' | 'failed' | 'timed-out' | 'undoing' | 'undone'
    } & InstanceSignal)
  | ({
      readonly name: 'saga-ended'
      readonly outcome: 'completed' | 'compensated'
      /** Milliseconds since it was started. */
      readonly lasted: number
    } & InstanceSignal)
