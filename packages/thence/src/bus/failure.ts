/**
 * What becomes of a handler's error: it goes to `onError` with the handler's name, and nothing that `onError` does
 * reaches the emitter, another handler or the process.
 */
import { cleanText } from '../internal/text.ts'
import type { EventMessage } from '../message/message.ts'

/** Where an error comes from. */
export interface FailureContext {
  /** The handler's name, as given with `on`, else that of its function. */
  readonly handler: string
  /** The event, as the handler got it. */
  readonly event: EventMessage
}

/** Takes the errors of handlers. A promise that it returns is waited for by `emit` and `drain`. */
export type OnError = (error: unknown, context: FailureContext) => unknown

/** Tells a failure; gives `undefined`, or a promise that never rejects. */
export type Report = (error: unknown, context: FailureContext) => Promise<void> | undefined

/** Whether `value` may be a thenable; whatever else a handler returns needs no waiting. */
export const mayWait = (value: unknown): value is object =>
  value !== undefined &&
  value !== null &&
  (typeof value === 'object' || typeof value === 'function')

export function reporter(onError: OnError = logFailure): Report {
  return (error, context) => {
    const lost = (second: unknown): void =>
      log(
        `onError failed (${told(second)}) when told that ${failed(context)}. That error was ${told(error)}`,
      )
    try {
      const answer = onError(error, context)
      if (mayWait(answer)) return Promise.resolve(answer).then(() => undefined, lost)
    } catch (second) {
      lost(second)
    }
    return undefined
  }
}

function logFailure(error: unknown, context: FailureContext): void {
  log(`${failed(context)}. ${told(error)}`)
}

const failed = ({ handler, event }: FailureContext): string => `${handler} failed on ${event.type}`

/** Never throws, whatever was thrown. */
function told(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'a thrown value that cannot be printed'
  }
}

function log(text: string): void {
  // oxlint-disable-next-line no-console -- an error that nobody asked for must still be seen
  console.error(`thence: bus: ${cleanText(text, 1000)}`)
}
