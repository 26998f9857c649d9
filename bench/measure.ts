/**
 * Runs the cases of a row interleaved: in every round each case once, in rotated order, on a fresh file; the ratios are
 * taken round by round.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Case, Figure, Row, Target } from './bench.ts'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface CaseResult {
  readonly name: string
  readonly side: Case['side']
  readonly value: Spread
  readonly beside: Readonly<Record<string, Spread>>
  readonly rounds: readonly number[]
  /** The first case of our side divided by this one, round by round. */
  readonly ratio?: Spread
}

export interface TargetResult extends Target {
  readonly reached: number
  readonly met: boolean
}

export interface RowResult {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly durability: string
  readonly cases: readonly CaseResult[]
  readonly targets: readonly TargetResult[]
  /** Cases that could not run, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[]
}

export interface Plan {
  readonly place: string
  readonly rounds: number
  readonly seconds: number
  readonly scale: number
  readonly only?: readonly string[]
  readonly onCase: (row: Row, name: string, round: number) => void
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'

/** The figures of each case, by round; a rival that is not installed has none. */
type Figures = Map<Case, Figure[]>

const runCase = async (one: Case, plan: Plan, directory: string): Promise<Figure> => {
  const shared = `${plan.place}/shared`
  mkdirSync(directory, { recursive: true })
  mkdirSync(shared, { recursive: true })
  collectGarbage()
  try {
    const { seconds, scale } = plan
    return await one.run({ directory, shared, seconds, scale })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const rotated = <T>(list: readonly T[], by: number): readonly T[] => {
  const from = by % list.length
  return [...list.slice(from), ...list.slice(0, from)]
}

const ratioOf = (ours: readonly Figure[], theirs: readonly Figure[]): Spread =>
  spread(ours.map(({ value }, round) => value / (theirs[round]?.value ?? Number.NaN)))

const toResult = (one: Case, figures: Figures, ours: readonly Figure[] | undefined): CaseResult => {
  const own = figures.get(one) ?? []
  const names = Object.keys(own[0]?.beside ?? {})
  const beside = names.map((name) => [name, spread(own.map((f) => f.beside?.[name] ?? Number.NaN))])
  return {
    name: one.name,
    side: one.side,
    value: spread(own.map(({ value }) => value)),
    beside: Object.fromEntries(beside) as Record<string, Spread>,
    rounds: own.map(({ value }) => value),
    ...(ours === undefined || ours === own ? {} : { ratio: ratioOf(ours, own) }),
  }
}

/** Ours divided by the other, or ours alone. */
const reachedOf = (
  { against, beside }: Target,
  results: readonly CaseResult[],
): number | undefined => {
  const median = (one: CaseResult | undefined): number | undefined =>
    (beside === undefined ? one?.value : one?.beside[beside])?.median
  const ours = median(results.find(({ side }) => side === 'ours'))
  if (against === undefined) return ours
  const other = results.find(({ name }) => name === against)
  if (beside === undefined) return other?.ratio?.median
  const its = median(other)
  return ours && its && ours / its
}

const judge = (target: Target, results: readonly CaseResult[]): TargetResult | undefined => {
  const reached = reachedOf(target, results)
  if (reached === undefined) return undefined
  const { atLeast = -Infinity, atMost = Infinity } = target
  return { ...target, reached, met: reached >= atLeast && reached <= atMost }
}

type Skipped = RowResult['skipped'][number]

/** Measures one row. @throws if a case did not do what it was asked. */
export async function measureRow(row: Row, plan: Plan): Promise<RowResult> {
  const figures: Figures = new Map(row.cases.map((one) => [one, []]))
  const skipped = new Map<Case, Skipped>()
  const rounds = Math.min(row.rounds ?? plan.rounds, plan.rounds)
  for (let round = 0; round < rounds; round += 1)
    for (const one of rotated(row.cases, round)) {
      if (skipped.has(one)) continue
      plan.onCase(row, one.name, round)
      const figure = await runCase(one, plan, `${plan.place}/${row.name}-${round}`).catch(
        (error: unknown) => {
          if (!isMissing(error)) throw new Error(`${row.name}: ${one.name}`, { cause: error })
          skipped.set(one, { name: one.name, why: 'not installed' })
        },
      )
      if (figure !== undefined) figures.get(one)?.push(figure)
    }
  return summary(row, figures, skipped)
}

const summary = (row: Row, figures: Figures, skipped: ReadonlyMap<Case, Skipped>): RowResult => {
  const cases = row.cases.filter((one) => !skipped.has(one))
  const mine = cases.find(({ side }) => side === 'ours')
  const ours = mine && figures.get(mine)
  const results = cases.map((one) => toResult(one, figures, ours))
  const { name, title, unit, durability } = row
  return {
    name,
    title,
    unit,
    durability,
    cases: results,
    targets: row.targets.map((one) => judge(one, results)).filter((one) => one !== undefined),
    skipped: [...skipped.values()],
  }
}
