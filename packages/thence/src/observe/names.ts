/**
 * The names of all signals, for who listens by name: one that is misspelt would never be heard.
 */
import { expectFunction, expectList, expectOneOf } from '../message/expect.ts'
import type { SignalName } from './signals.ts'

/** A new signal does not compile until it is here. */
const known: Readonly<Record<SignalName, true>> = {
  'append-refused': true,
  'append-repeated': true,
  'breaker-closed': true,
  'breaker-half-opened': true,
  'breaker-opened': true,
  'checkpoint-moved': true,
  'command-decided': true,
  'command-refused': true,
  'history-truncated': true,
  'job-ended': true,
  'job-failed': true,
  'key-replaced': true,
  'lease-lost': true,
  'lease-released': true,
  'lease-taken': true,
  'message-begun': true,
  'message-failed': true,
  'message-handled': true,
  'message-parked': true,
  'message-queued': true,
  'message-resolved': true,
  'message-returned': true,
  'message-set-aside': true,
  'message-skipped': true,
  'messages-appended': true,
  'rebuild-finished': true,
  'rebuild-started': true,
  'retention-failed': true,
  'retention-run': true,
  'saga-ended': true,
  'saga-started': true,
  'saga-stepped': true,
  'schedule-skipped': true,
  'snapshot-failed': true,
  'snapshot-taken': true,
  'stop-unfinished': true,
  'store-failing': true,
  'store-recovered': true,
  'subscription-failed': true,
  'subscription-paused': true,
  'subscription-recovered': true,
  'subscription-resumed': true,
  'timer-failed': true,
  'timer-fired': true,
  'timer-parked': true,
  'upkeep-failed': true,
  'types-gained': true,
  'types-missing': true,
  'view-switched': true,
}

const signalNames = Object.keys(known)

/** @throws CONFIG_INVALID, with what is near, unless all are names of signals and `listener` hears them. */
export function expectListening(names: readonly unknown[], listener: unknown): void {
  expectList('What listen takes first, if it is no function,', names)
  for (const name of names) expectOneOf('A signal to listen to', name, signalNames)
  expectFunction('The listener', listener)
}
