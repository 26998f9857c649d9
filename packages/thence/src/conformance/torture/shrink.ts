/**
 * Fewer steps that still break a store: halves, quarters and single steps are left out as long as it stays broken.
 */

/** At most about so many runs. */
const mostRuns = 60

/** `breaks` says whether the store breaks with these steps. Gives the least that was found. */
export async function fewest<T>(
  all: readonly T[],
  breaks: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let steps = all
  let runs = 0
  for (let size = Math.ceil(all.length / 2); runs < mostRuns; size = Math.ceil(size / 2)) {
    const before = steps.length
    for (let from = 0; from < steps.length && runs < mostRuns; runs += 1) {
      const fewer = [...steps.slice(0, from), ...steps.slice(from + size)]
      if (await breaks(fewer)) steps = fewer
      else from += size
    }
    if (size === 1 && steps.length === before) break
  }
  return steps
}
