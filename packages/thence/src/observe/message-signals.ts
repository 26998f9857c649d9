/**
 * One message on its way through one subscription: begun, done or failed, tried again, given up.
 */
import type { ErrorKind } from '../errors.ts'

export interface MessageStep {
  readonly subscription: string
  readonly partition: number
  readonly key: string
  readonly type: string
  readonly id: string
  readonly position: number
}

/** A failure of a message. */
export interface MessageFailure extends MessageStep {
  /** Failed attempts so far that count. */
  readonly attempts: number
  readonly kind: ErrorKind
  readonly error: unknown
}

interface Attempted extends MessageStep {
  /** Which attempt it is, from 1. */
  readonly attempt: number
  /** Milliseconds from the call that appended the message to the beginning of this attempt. */
  readonly waited: number
}

export type FrequentMessageSignal =
  /** A handler is about to run. */
  | ({ readonly name: 'message-begun' } & Attempted)
  /** It is done: its effects and the checkpoint, or the end of its retries, are committed. */
  | ({
      readonly name: 'message-handled'
      /** Milliseconds that the handler ran; in a projection or a saga, that applying it took. */
      readonly took: number
      /** Milliseconds from the call that appended the message to the commit. */
      readonly latency: number
    } & Attempted)
  /** It was put behind an earlier message of its key, which failed or waits itself. */
  | ({ readonly name: 'message-queued' } & MessageStep)
  /** Its call takes longer than a second: it got a row of its own, so that only its key waits for it. The call goes on. */
  | ({ readonly name: 'message-set-aside' } & MessageStep)
  /** A handler did not end before the deadline of a stop: the message will be begun again, and no attempt is counted. */
  | ({ readonly name: 'message-returned' } & MessageStep)

export type NotableMessageSignal =
  /** A handler, projection or saga failed on a message and will try again. */
  | ({ readonly name: 'message-failed'; readonly retryIn: number } & MessageFailure)
  /** It was given up and became a dead letter. */
  | ({
      readonly name: 'message-parked'
      /** Whether the later messages of its key wait behind it. */
      readonly waits: boolean
    } & MessageFailure)
  /** It was given up and passed over, as its failure policy says; its dead letter is discarded. */
  | ({ readonly name: 'message-skipped' } & MessageFailure)
  /** It was given up before, was redriven, and went through. */
  | ({ readonly name: 'message-resolved' } & MessageStep)
