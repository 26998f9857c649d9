/**
 * What players and subscribers know of the stage that they stand on.
 */
import type { Ledger, TortureProblemKind } from './judge.ts'

export interface TortureLimits {
  /**
   * Milliseconds after which a call without an answer counts as one that waits for another, where the server cannot be asked.
   * Default 250.
   */
  readonly patience: number
  /** Milliseconds in which a subscriber must have been given what is in the log. Default 3000. */
  readonly delivery: number
  /** Milliseconds after which a call counts as hung. Default 30000. */
  readonly hang: number
  /** Milliseconds after which a trap is given up and counts as hung, whatever it waits for. Default 300000. */
  readonly longest: number
}

export interface Scene {
  readonly ledger: Ledger
  readonly limits: TortureLimits
  /** Waits for this call too before it is calm. Everybody does one thing after the other. */
  watch(who: object, work: Promise<unknown>): void
  blame(kind: TortureProblemKind, text: string): void
}
