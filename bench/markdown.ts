/**
 * Results as Markdown.
 */
import type { Machine } from './machine.ts'
import { machineText } from './machine.ts'
import type { CaseResult, RowResult, Spread } from './measure.ts'
import { besideText, figure, targetText } from './table.ts'

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const range = ({ min, max }: Spread): string => `${figure(min)}–${figure(max)}`

const caseLine = (one: CaseResult): string =>
  line([
    one.side === 'ours' ? `**${one.name}**` : one.name,
    figure(one.value.median),
    range(one.value),
    one.ratio === undefined ? '' : `${figure(one.ratio.median)} (${range(one.ratio)})`,
    besideText(one),
  ])

const rowMarkdown = (row: RowResult): string =>
  [
    `## ${row.name}: ${row.title}`,
    `${row.durability}.`,
    '',
    line(['', row.unit, 'min–max', 'ours ÷ it (min–max)', 'beside']),
    '|---|---:|---:|---:|---|',
    ...row.cases.map(caseLine),
    '',
    ...row.targets.map((target) => `- ${targetText(target, row.unit)}`),
    '',
  ].join('\n')

/** The whole file. */
export function resultsMarkdown(machine: Machine, rows: readonly RowResult[]): string {
  const rounds = Math.max(...rows.flatMap(({ cases }) => cases.map((one) => one.rounds.length)))
  return [
    '# Figures of one run',
    '',
    `Written by \`npm run bench -- --results FILE\`: medians of up to ${rounds} interleaved rounds. ` +
      'README.md says what each row does and how to read it.',
    '',
    machineText(machine).trim().replaceAll('\n', '  \n'),
    '',
    ...rows.map(rowMarkdown),
  ].join('\n')
}
