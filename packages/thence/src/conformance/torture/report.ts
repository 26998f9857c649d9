/**
 * What came of the torture, as data and as text for people.
 */
import type { TortureProblem } from './judge.ts'

export interface TortureResult {
  /** What happened to the store. */
  readonly name: string
  /**
   * `held`: nothing was wrong. `stalled`: nothing was lost, but the feed waited for what has nothing to do with it. `not driven`: the
   * store could not be put through it; `why` says why not.
   */
  readonly outcome: 'held' | 'stalled' | 'broken' | 'not driven'
  readonly problems: readonly TortureProblem[]
  readonly why?: string
  /** The least steps that were found to break it, of an interleaving. */
  readonly steps?: readonly string[]
  /** Of an interleaving that broke it: the same again. */
  readonly seed?: number
  /** Milliseconds. */
  readonly took: number
}

export interface TortureReport {
  readonly results: readonly TortureResult[]
  /** Nothing broke or stalled it. What was not driven is not counted. False if `only` is in no name. */
  readonly held: boolean
  /** The first seed of the interleavings. */
  readonly seed: number
}

/** So many problems of one trap are told. */
const shown = 4

const inset = ' '.repeat(12)

/** One result as lines: what happened, and what was wrong or why it was not driven. */
export function resultLines({
  name,
  outcome,
  problems,
  why,
  steps,
  seed,
}: TortureResult): readonly string[] {
  const lines = [`${outcome.padEnd(10)}  ${name}${why === undefined ? '' : ` (${why})`}`]
  for (const { kind, text } of problems.slice(0, shown)) lines.push(`${inset}${kind}: ${text}`)
  const more = problems.length - shown
  if (more > 0) lines.push(`${inset}and ${more} more`)
  if (steps === undefined) return lines
  return [...lines, `${inset}seed ${seed}; enough:`, ...steps.map((step) => `${inset}  ${step}`)]
}

/** The last line: how many held, and from which seed the interleavings were drawn. */
export function summaryLine({ results, seed }: TortureReport): string {
  const count = (outcome: TortureResult['outcome']): string =>
    `${results.filter((result) => result.outcome === outcome).length} ${outcome}`
  const counts = [count('held'), count('broken'), count('stalled'), count('not driven')]
  return `${counts.join(', ')}; interleavings from seed ${seed}`
}

/** The report as lines. */
export const tortureLines = (report: TortureReport): readonly string[] => [
  ...report.results.flatMap(resultLines),
  summaryLine(report),
]
