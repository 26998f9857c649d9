/**
 * Signals as log lines: one line each, without control characters, so that message data cannot forge a log.
 */
import { cleanText } from '../internal/text.ts'
import type { Listener, NotableSignal, SignalNamed } from './signals.ts'

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

type Lines = { readonly [N in Said['name']]: (signal: SignalNamed<N>) => string }

const lines: Lines = {
  'message-failed': (one) =>
    `${one.subscription}: ${one.type} at position ${one.position} failed (attempt ${one.attempts}), again in ${one.retryIn} ms. ${reason(one.error)}`,
  'message-parked': (one) =>
    `${one.subscription}: ${one.type} at position ${one.position} parked after ${one.attempts} attempts (${one.kind}); key ${JSON.stringify(one.key)} ${one.waits ? 'waits' : 'goes on'}. ${reason(one.error)}`,
  'message-skipped': (one) =>
    `${one.subscription}: ${one.type} at position ${one.position} passed over after ${one.attempts} attempts (${one.kind}). ${reason(one.error)}`,
  'subscription-paused': (one) =>
    `${one.subscription}: paused by ${one.actor}${one.reason === null ? '' : `: ${one.reason}`}`,
  'subscription-resumed': (one) => `${one.subscription}: resumed`,
  'breaker-opened': (one) =>
    `${one.subscription}: ${one.failures} of ${one.attempts} attempts failed; nothing is begun for ${one.pause} ms`,
  'breaker-half-opened': (one) => `${one.subscription}: one attempt probes whether it goes on`,
  'breaker-closed': (one) => `${one.subscription}: goes on after an outage`,
  'subscription-failed': (one) =>
    `${one.subscription}: the store failed, again in ${one.retryIn} ms. ${reason(one.error)}`,
  'lease-lost': (one) =>
    `${one.subscription}: another process took over partition ${one.partition}; nothing in hand was committed`,
  'rebuild-started': (one) => `${one.subscription}: rebuilding up to position ${one.through}`,
  'rebuild-finished': (one) => `${one.subscription}: rebuilt up to position ${one.through}`,
  'snapshot-failed': (one) => `snapshot of ${one.stream} not written. ${reason(one.error)}`,
  'timer-failed': (one) =>
    `timer ${one.id} could not be fired (attempt ${one.attempts}), again in ${one.retryIn} ms. ${reason(one.error)}`,
  'timer-parked': (one) =>
    `timer ${one.id} could not be fired in ${one.attempts} attempts; it is kept until someone fires or cancels it. ${reason(one.error)}`,
}

const line = (signal: Said): string => (lines[signal.name] as (one: Said) => string)(signal)

/** What keeps messages from being handled, and what was given up. */
const alarming: ReadonlySet<string> = new Set(['message-parked', 'message-skipped', 'timer-parked'])
const worrying: ReadonlySet<string> = new Set(['subscription-paused', 'breaker-opened'])

/** A listener that writes to `logger`: what was given up as errors, what will be tried again as warnings. */
export function logTo(logger: Logger): Listener {
  return (signal) => {
    if (!isSaid(signal)) return
    const text = `thence: ${cleanText(line(signal), 1000)}`
    if (alarming.has(signal.name)) logger.error(text)
    else if (worrying.has(signal.name) || signal.name.endsWith('failed')) logger.warn(text)
    else logger.info(text)
  }
}
