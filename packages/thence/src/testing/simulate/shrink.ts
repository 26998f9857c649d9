/**
 * Fewer strikes that still fail: first none, then halves, quarters and single ones are left out, as long as what remains
 * fails in the same way.
 */
import { runSeed } from './run.ts'
import type { Scenario, Verdict } from './scenario.ts'
import type { Strike } from './schedule.ts'

/** At most so many runs; each takes as long as the seed itself. */
const mostRuns = 200

/** In which way a run failed: the words before the first colon. */
const kindOf = ({ problems }: Verdict): string => problems[0]?.split(':', 1)[0] ?? ''

/** Gives the verdict on the fewest strikes that were found to fail, with its timeline. */
export async function shrink<C extends string, Q extends string>(
  scenario: Scenario<C, Q>,
  failed: Verdict,
): Promise<Verdict> {
  const kind = kindOf(failed)
  let runs = 0
  const fails = async (strikes: readonly Strike[]): Promise<boolean> => {
    runs += 1
    return kindOf(await runSeed(scenario, failed.seed, { strikes })) === kind
  }
  let left = failed.strikes
  if (left.length > 0 && (await fails([]))) left = []
  let size = Math.ceil(left.length / 2)
  while (left.length > 0 && runs < mostRuns) {
    const smaller = await leaveOut(left, size, (some) => fails(some))
    if (smaller.length === left.length && size === 1) break
    if (smaller.length === left.length) size = Math.ceil(size / 2)
    left = smaller
    size = Math.min(size, Math.max(1, left.length))
  }
  const shrunk = await runSeed(scenario, failed.seed, { strikes: left, detailed: true })
  return kindOf(shrunk) === kind
    ? shrunk
    : runSeed(scenario, failed.seed, { strikes: failed.strikes, detailed: true })
}

/** Leaves out each group of `size` that is not needed. */
async function leaveOut(
  strikes: readonly Strike[],
  size: number,
  fails: (strikes: readonly Strike[]) => Promise<boolean>,
): Promise<readonly Strike[]> {
  let left = strikes
  for (let from = 0; from < left.length;) {
    const fewer = [...left.slice(0, from), ...left.slice(from + size)]
    if (await fails(fewer)) left = fewer
    else from += size
  }
  return left
}
