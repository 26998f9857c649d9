/**
 * Results as an aligned table for people.
 */
import type { CaseResult, RowResult, Spread, TargetResult } from './measure.ts'

/** Three significant digits, thousands separated. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 1000) {
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2)
    return (Math.round(value / unit) * unit).toLocaleString('en-GB', { maximumFractionDigits: 0 })
  }
  return String(Number(value.toPrecision(3)))
}

const range = ({ min, max }: Spread): string => `${figure(min)} – ${figure(max)}`

const columns = ['', 'median', 'min – max', 'ours ÷ it', 'min – max'] as const

/** The other figures of a case: `p99 1.2, …`. */
export const besideText = ({ beside }: CaseResult): string =>
  Object.entries(beside)
    .map(([name, { median }]) => `${name} ${figure(median)}`)
    .join(', ')

const cells = (one: CaseResult): string[] => [
  one.side === 'ours' ? `${one.name} (ours)` : one.name,
  figure(one.value.median),
  range(one.value),
  one.ratio === undefined ? '' : figure(one.ratio.median),
  one.ratio === undefined ? '' : range(one.ratio),
  besideText(one),
]

const aligned = (lines: readonly (readonly string[])[]): string[] => {
  const width = (column: number): number => Math.max(...lines.map((line) => line[column]!.length))
  const widths = columns.map((_, column) => width(column))
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const wide = widths[column] ?? 0
        return column === 0 || column >= columns.length ? cell.padEnd(wide) : cell.padStart(wide)
      })
      .join('  ')
      .trimEnd(),
  )
}

export const targetText = (target: TargetResult, unit: string): string => {
  const { against, beside = '', atLeast, atMost, reached, met } = target
  const bound = atLeast === undefined ? `≤ ${figure(atMost!)}` : `≥ ${figure(atLeast)}`
  const what =
    against === undefined
      ? ` ${beside || unit}`
      : ` × ${beside === '' ? '' : `${beside} of `}${against}`
  return `${met ? '✓' : '✗'} ${bound}${what}: ${figure(reached)}`
}

/** One row of the bench as lines of text. */
export function rowText(row: RowResult): string {
  const header = [...columns, '']
  header[1] = row.unit
  return [
    `${row.name}: ${row.title}`,
    `  ${row.durability}`,
    ...aligned([header, ...row.cases.map(cells)]).map((line) => `  ${line}`),
    ...row.skipped.map(({ name, why }) => `  ${name}: skipped, ${why}`),
    ...row.targets.map((target) => `  ${targetText(target, row.unit)}`),
    '',
  ].join('\n')
}
