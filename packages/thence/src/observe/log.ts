/**
 * Signals as log lines: one line each, without control characters, so that message data cannot forge a log.
 */
import { cleanText } from '../internal/text.ts'
import type { Listener, NotableSignal } from './signals.ts'

/** What a logger must be able to do; `console` and most loggers fit. */
export interface Logger {
  warn(message: string): void
  error(message: string): void
  info(message: string): void
}

const reason = (error: unknown): string =>
  cleanText(error instanceof Error ? `${error.name}: ${error.message}` : String(error), 500)

type Said = Exclude<NotableSignal, { readonly name: Unsaid }>

/** Each start and stop would fill a screen with these. */
type Unsaid = 'lease-taken' | 'lease-released'

const isSaid = (signal: NotableSignal): signal is Said =>
  signal.name !== 'lease-taken' && signal.name !== 'lease-released'

const line = (signal: Said): string => {
  switch (signal.name) {
    case 'message-failed':
      return `${signal.subscription}: ${signal.type} at position ${signal.position} failed (attempt ${signal.attempts}), again in ${signal.retryIn} ms. ${reason(signal.error)}`
    case 'message-parked':
      return `${signal.subscription}: ${signal.type} at position ${signal.position} parked after ${signal.attempts} attempts; key ${JSON.stringify(signal.key)} waits. ${reason(signal.error)}`
    case 'subscription-failed':
      return `${signal.subscription}: the store failed, again in ${signal.retryIn} ms. ${reason(signal.error)}`
    case 'lease-lost':
      return `${signal.subscription}: another process took over partition ${signal.partition}; nothing in hand was committed`
    case 'rebuild-started':
      return `${signal.subscription}: rebuilding up to position ${signal.through}`
    case 'rebuild-finished':
      return `${signal.subscription}: rebuilt up to position ${signal.through}`
    case 'snapshot-failed':
      return `snapshot of ${signal.stream} not written. ${reason(signal.error)}`
  }
}

/** A listener that writes to `logger`: what was given up as errors, what will be tried again as warnings. */
export function logTo(logger: Logger): Listener {
  return (signal) => {
    if (!isSaid(signal)) return
    const text = `thence: ${cleanText(line(signal), 1000)}`
    if (signal.name === 'message-parked') logger.error(text)
    else if (signal.name.endsWith('failed')) logger.warn(text)
    else logger.info(text)
  }
}
