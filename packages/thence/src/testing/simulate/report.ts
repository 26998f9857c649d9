/** What a simulation tells people: a calm table of what happened, and the story of a seed that failed. */
import type { LastingHazard } from './hazards.ts'
import type { Line } from './history.ts'
import type { Verdict } from './scenario.ts'
import type { Strike } from './schedule.ts'

/** What came of all seeds together. */
export interface Tally {
  readonly seeds: number
  /** Seeds that were run twice, to see that they repeat. */
  readonly repeated: number
  /** Virtual milliseconds. */
  readonly age: number
  /** How often each thing happened. */
  readonly counts: ReadonlyMap<string, number>
  /** In how many seeds each thing happened. */
  readonly seedsWith: ReadonlyMap<string, number>
  /** In how many seeds nothing came to a part. */
  readonly idle: ReadonlyMap<string, number>
}

export const emptyTally = (): Tally => ({
  seeds: 0,
  repeated: 0,
  age: 0,
  counts: new Map(),
  seedsWith: new Map(),
  idle: new Map(),
})

const added = (
  one: ReadonlyMap<string, number>,
  other: Iterable<readonly [string, number]>,
): ReadonlyMap<string, number> => {
  const sum = new Map(one)
  for (const [name, count] of other) sum.set(name, (sum.get(name) ?? 0) + count)
  return sum
}

const once = (names: Iterable<string>): readonly (readonly [string, number])[] =>
  [...names].map((name) => [name, 1] as const)

export const addVerdict = (tally: Tally, { age, counts, idle }: Verdict): Tally => ({
  ...tally,
  seeds: tally.seeds + 1,
  age: tally.age + age,
  counts: added(tally.counts, counts),
  seedsWith: added(tally.seedsWith, once(counts.keys())),
  idle: added(tally.idle, once(idle)),
})

export const addTally = (one: Tally, other: Tally): Tally => ({
  seeds: one.seeds + other.seeds,
  repeated: one.repeated + other.repeated,
  age: one.age + other.age,
  counts: added(one.counts, other.counts),
  seedsWith: added(one.seedsWith, other.seedsWith),
  idle: added(one.idle, other.idle),
})

const grouped = (value: number): string => value.toLocaleString('en-GB')

/** What nothing came to in any seed. */
const tellIdle = ({ seeds, idle }: Tally): readonly string[] => {
  const never = [...idle].filter(([, count]) => count === seeds).map(([name]) => name)
  return never.length === 0 ? [] : [`Never did anything: ${never.toSorted().join(', ')}.`]
}

/** A table of what happened, most frequent first, and what never did anything. */
export function tableOf(tally: Tally): string {
  const { seeds, repeated, age, counts, seedsWith } = tally
  const rows = [...counts]
    .toSorted(([one, left], [other, right]) => right - left || one.localeCompare(other))
    .map(([name, count]) => [name, grouped(count), grouped(seedsWith.get(name) ?? 0)] as const)
  const header = ['what happened', 'times', 'in seeds'] as const
  const widths = [0, 1, 2].map((column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] as string).length)),
  ) as [number, number, number]
  const line = ([name, count, inSeeds]: readonly [string, string, string]): string =>
    `${name.padEnd(widths[0])}  ${count.padStart(widths[1])}  ${inSeeds.padStart(widths[2])}`
  const hours = (age / 3_600_000).toFixed(1)
  return [
    line(header),
    ...rows.map(line),
    '',
    `${grouped(seeds)} seeds, ${hours} virtual hours; ${grouped(repeated)} were run twice and were the same.`,
    ...tellIdle(tally),
  ].join('\n')
}

const clock = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(3)} s`.padStart(9)

const mostLines = 120

const storyOf = (timeline: readonly Line[]): string => {
  const lines = timeline.map(({ time, who, what }) => `${clock(time)}  ${who.padEnd(5)} ${what}`)
  const left = lines.length - mostLines
  if (left <= 0) return lines.join('\n')
  return [`(${left} lines before)`, ...lines.slice(-mostLines)].join('\n')
}

const tellStrike = (strike: Strike): string =>
  strike.at === 'call'
    ? `p${strike.process + 1}, call ${strike.call}: ${strike.fault}`
    : `p${strike.process + 1}, after ${strike.time} ms: ${strike.fault}`

const mostProblemLines = 15

const shortened = (problem: string): string =>
  problem.split('\n').slice(0, mostProblemLines).join('\n')

/** Hazards that are no single strikes, as a story tells them. */
const lastingWords: Readonly<Record<LastingHazard, string>> = {
  passingError: 'handlers fail, and then work',
  slowHandler: 'handlers take long',
  viewError: 'projections fail, and then work',
  poison: 'handlers fail at a message whenever it is tried',
  duplicate: 'clients send the same message twice',
  clock: 'clocks are wrong',
}

/** Which hazards are enough: single strikes, and what lasts. */
const enoughOf = (failed: Verdict, { strikes, lasting }: Verdict): readonly string[] => {
  const struck = [
    `${strikes.length} of ${failed.strikes.length} strikes are enough:`,
    ...strikes.map((strike) => `  ${tellStrike(strike)}`),
  ]
  if (lasting.length === 0)
    return strikes.length > 0
      ? struck
      : ['It fails without any strike: processes that run beside each other are enough.']
  return [
    ...(strikes.length > 0
      ? [...struck, 'together with these hazards, which are no single strikes:']
      : ['It fails without any strike; these hazards, which are no single strikes, are enough:']),
    ...lasting.map((name) => `  ${name}: ${lastingWords[name]}`),
    `To run it without them: hazards: { ${lasting.map((name) => `${name}: 0`).join(', ')} }`,
  ]
}

/** The story of a seed that failed, after it was shrunk. */
export function failureOf(failed: Verdict, shrunk: Verdict): string {
  const problems = shrunk.problems.slice(0, 10).map((problem) => `  ${shortened(problem)}`)
  return [
    `Seed ${failed.seed} failed:`,
    ...problems,
    '',
    ...enoughOf(failed, shrunk),
    '',
    storyOf(shrunk.timeline),
  ].join('\n')
}
