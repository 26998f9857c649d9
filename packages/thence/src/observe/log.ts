/**
 * Signals as log lines: one line each, without control characters, so that message data cannot forge a log. Only notable
 * signals are written, so that a log grows with trouble and not with traffic.
 */
import { isStoreFailure, ThenceError } from '../errors.ts'
import { cleanText } from '../internal/text.ts'
import type { Outage } from './outage.ts'
import type { Listener, NotableSignal, SignalNamed } from './signals.ts'
import { listening } from './upkeep.ts'

/** What a logger must be able to do; `console` and most loggers fit. */
export interface Logger {
  error(message: string): void
  warn(message: string): void
  info(message: string): void
  /** Without it, what is told at this level is not told. */
  debug?(message: string): void
}

/**
 * What is told: at `error` what was given up, at `warn` what will be tried again and what keeps messages from being
 * handled, at `info` what changes otherwise, at `debug` what this process runs.
 */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

export const logLevels: readonly LogLevel[] = ['error', 'warn', 'info', 'debug']

type Levels = { readonly [N in NotableSignal['name']]: LogLevel }

/** A new notable signal does not compile until it has a level and a line. */
const levelOf: Levels = {
  'message-parked': 'error',
  'message-skipped': 'error',
  'timer-parked': 'error',
  'message-failed': 'warn',
  'timer-failed': 'warn',
  'store-failing': 'warn',
  'subscription-paused': 'warn',
  'breaker-opened': 'warn',
  'snapshot-failed': 'warn',
  'retention-failed': 'warn',
  'history-truncated': 'warn',
  'types-missing': 'warn',
  'types-gained': 'warn',
  'key-replaced': 'warn',
  'lease-lost': 'warn',
  'job-failed': 'warn',
  'upkeep-failed': 'warn',
  'stop-unfinished': 'warn',
  'schedule-skipped': 'warn',
  'message-resolved': 'info',
  'store-recovered': 'info',
  'subscription-resumed': 'info',
  'breaker-half-opened': 'info',
  'breaker-closed': 'info',
  'job-ended': 'info',
  'rebuild-started': 'info',
  'rebuild-finished': 'info',
  'retention-run': 'info',
  'view-switched': 'info',
  // Each is part of a failure of the store, which is told as a whole.
  'subscription-failed': 'debug',
  'subscription-recovered': 'debug',
  'lease-taken': 'debug',
  'lease-released': 'debug',
}

const reason = (error: unknown): string =>
  cleanText(error instanceof Error ? `${error.name}: ${error.message}` : String(error), 500)

const count = (failures: number): string =>
  failures === 1 ? 'one failure' : `${failures} failures`

type Lines = { readonly [N in NotableSignal['name']]: (signal: SignalNamed<N>) => string }

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
  'store-failing': (one) =>
    one.failures === 1
      ? `the store failed, and is tried again. ${reason(one.error)}`
      : `the store has failed for ${Math.round(one.lasted / 1000)} s, ${one.failures} times, and is tried again. ${reason(one.error)}`,
  'store-recovered': (one) =>
    `the store works again after ${(one.lasted / 1000).toFixed(1)} s and ${count(one.failures)}`,
  'message-resolved': (one) =>
    `${one.subscription}: ${one.type} at position ${one.position} went through after all`,
  'subscription-recovered': (one) => `${one.subscription}: the store works again`,
  'types-missing': (one) =>
    `${one.subscription}: not run here, because this process does without ${one.types.join(', ')}`,
  'types-gained': (one) =>
    `${one.subscription}: takes ${one.types.join(', ')} from position ${one.position} on; what came before was passed over`,
  'key-replaced': (one) =>
    `${one.subscription}: not run here, because its key is of version ${one.keyVersion} in this process and of version ${one.stored} in the store`,
  'lease-taken': (one) => `${one.subscription}: partition ${one.partition} runs here`,
  'lease-released': (one) => `${one.subscription}: partition ${one.partition} was handed over`,
  'lease-lost': (one) =>
    `${one.subscription}: another process took over partition ${one.partition}; nothing in hand was committed`,
  'rebuild-started': (one) => `${one.subscription}: rebuilding up to position ${one.through}`,
  'rebuild-finished': (one) => `${one.subscription}: rebuilt up to position ${one.through}`,
  'retention-run': (one) =>
    `retention: ${one.removed} messages removed${one.held === 0 ? '' : `; of ${one.held} rules some are kept, see: thence retention show`}`,
  'retention-failed': (one) => `retention: not finished. ${reason(one.error)}`,
  'history-truncated': (one) =>
    `${one.subscription}: goes on at position ${one.position}, but messages up to ${one.truncated} were removed`,
  'job-failed': (one) =>
    `${one.kind} job ${one.job}: a batch failed, again in ${one.retryIn} ms. ${reason(one.error)}`,
  'job-ended': (one) =>
    `${one.kind} job ${one.job}: ${one.state}${one.error === null ? '' : `: ${one.error}`}`,
  'upkeep-failed': (one) =>
    `${one.what}: failed (${one.failures} in a row), is tried again. ${reason(one.error)}`,
  'stop-unfinished': (one) =>
    `stop: ${one.what} did not end in ${one.waited} ms, and is not waited for`,
  'view-switched': (one) =>
    `${one.projection}: version ${one.version} of the view serves from position ${one.position} on, no longer version ${one.previous}`,
  'snapshot-failed': (one) => `snapshot of ${one.stream} not written. ${reason(one.error)}`,
  'schedule-skipped': (one) =>
    `schedule ${one.schedule}: ${one.slots ?? 'more than a thousand'} missed slots were skipped, from ${new Date(one.from).toISOString()} to ${new Date(one.to).toISOString()}`,
  'timer-failed': (one) =>
    `timer ${one.id} could not be fired (attempt ${one.attempts}), again in ${one.retryIn} ms. ${reason(one.error)}`,
  'timer-parked': (one) =>
    `timer ${one.id} could not be fired in ${one.attempts} attempts; it is kept until someone fires or cancels it. ${reason(one.error)}`,
}

/** Whether it is part of a failure of the store that is told as a whole. Who listens to others may fail alone. */
const isPart = (signal: NotableSignal, { lasts }: Pick<Outage, 'lasts'>): boolean =>
  lasts &&
  ((signal.name === 'upkeep-failed' && signal.what !== listening) ||
    signal.name === 'retention-failed') &&
  isStoreFailure(signal.error)

const line = (signal: NotableSignal): string =>
  (lines[signal.name] as (one: NotableSignal) => string)(signal)

/**
 * A listener that writes to `logger` what is at least as grave as `level`.
 * @param outage of the store whose signals these are: what is part of it is told at `debug` alone.
 * @throws CONFIG_INVALID
 */
export function logTo(
  logger: Logger,
  level: LogLevel = 'info',
  outage: Pick<Outage, 'lasts'> = { lasts: false },
): Listener {
  if (!logLevels.includes(level))
    throw new ThenceError(
      'CONFIG_INVALID',
      `logLevel is ${String(level)}; give one of ${logLevels.join(', ')}.`,
    )
  const told = new Set(logLevels.slice(0, logLevels.indexOf(level) + 1))
  return (signal) => {
    const own = isPart(signal, outage) ? 'debug' : levelOf[signal.name]
    if (told.has(own)) logger[own]?.(`thence: ${cleanText(line(signal), 1000)}`)
  }
}
