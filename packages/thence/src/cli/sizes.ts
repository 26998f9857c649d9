/**
 * How large the store is, as a table.
 */
import type { CategorySize, StoreSize, TableSize } from '../ports/sizes.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { bytes, count } from './text.ts'

/** So many categories are shown; `--json` has all of them. */
const shown = 12

/** The log by category, the largest first. */
export function categoryTable(
  terminal: Terminal,
  categories: readonly CategorySize[],
): readonly string[] {
  const largest = categories.toSorted((left, right) => right.bytes - left.bytes)
  const rows = largest
    .slice(0, shown)
    .map((one) => [
      one.category,
      count(one.messages),
      bytes(one.bytes),
      count(one.streams),
      one.removed === 0 ? '-' : count(one.removed),
      one.truncated === 0 ? '-' : count(one.truncated),
    ])
  const more = categories.length - rows.length
  return [
    ...table(
      terminal,
      columns('CATEGORY', '>MESSAGES', '>SIZE', '>STREAMS', '>REMOVED', '>UP TO'),
      rows,
    ),
    ...(more > 0 ? [`and ${count(more)} smaller ones`] : []),
  ]
}

const names: Readonly<Record<keyof StoreSize['tables'], string>> = {
  inbox: 'inbox',
  documents: 'documents',
  snapshots: 'snapshots',
  deadLetters: 'dead letters',
  retries: 'retries',
  timers: 'timers',
  jobs: 'jobs',
  audit: 'audit',
}

const rowsText = ({ rows, more }: TableSize): string => `${count(rows)}${more ? '+' : ''}`

/** Rows beside the log, in one line. */
export const tablesText = (tables: StoreSize['tables']): string =>
  Object.entries(names)
    .map(([table, name]) => `${name} ${rowsText(tables[table as keyof StoreSize['tables']])}`)
    .join(', ')
