/**
 * Who is told what becomes of appends. It is asked first, so that nothing is measured that nobody wants to know.
 */
import type { AppendRequest, Verdict } from '../ports/events.ts'

/** A commit that has added to the log, and its times in milliseconds. */
export interface CommitTold {
  readonly from: number
  readonly to: number
  readonly types: ReadonlyMap<string, number>
  /** How many appends shared it. */
  readonly appends: number
  /** From the first append to the beginning of the commit; 0 inside of a transaction. */
  readonly waited: number
  readonly took: number
}

export type Refusal = Exclude<Verdict['outcome'], 'appended' | 'duplicate'>

export interface Watch {
  readonly wantsCommits: boolean
  committed(commit: CommitTold): void
  /** The same ids came again. */
  repeated(stream: string, position: number): void
  refused(stream: string, why: Refusal): void
}

/** Tells of an append that added nothing. */
export function tellVerdict(
  watch: Watch | undefined,
  { stream }: AppendRequest,
  verdict: Verdict,
): void {
  if (watch === undefined || verdict.outcome === 'appended') return
  if (verdict.outcome === 'duplicate') watch.repeated(stream, verdict.position)
  else watch.refused(stream, verdict.outcome)
}
