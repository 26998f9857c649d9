/**
 * Processes as a table: who runs on the store, and what each has measured of late.
 */
import type { ProcessSummary } from '../admin/processes.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, duration, processName, rate, relative } from './text.ts'

/** A number, or nothing where zero says nothing. */
const some = (value: number): string => (value === 0 ? '-' : count(value))

const stateCell = ({ state, inHand }: ProcessSummary): Cell => {
  if (state === 'gone') return { text: state, style: 'red' }
  if (state === 'running') return state
  return { text: `stopping, ${count(inHand ?? 0)} in hand`, style: 'yellow' }
}

const rowOf = (one: ProcessSummary, now: number): readonly Cell[] => {
  const { name, started, partitions, covers, appended, handled } = one
  const known = handled > 0
  return [
    processName(name),
    stateCell(one),
    started === null ? '-' : relative(started, now),
    some(partitions),
    rate(appended, covers),
    rate(handled, covers),
    some(one.failed),
    one.parked === 0 ? '-' : { text: count(one.parked), style: 'red' },
    known ? duration(one.latency.p50) : '-',
    known ? duration(one.latency.p99) : '-',
    one.delay.count === 0 ? '-' : duration(one.delay.p99),
  ]
}

export function processTable(
  terminal: Terminal,
  list: readonly ProcessSummary[],
  now: number,
): readonly string[] {
  if (list.length === 0) return ['No process runs.']
  const shape = columns(
    'PROCESS',
    'STATE',
    'STARTED',
    '>PARTITIONS',
    '>APPENDED/S',
    '>HANDLED/S',
    '>FAILED',
    '>PARKED',
    '>LATENCY P50',
    '>P99',
    '>DELAY P99',
  )
  return table(
    terminal,
    shape,
    list.map((one) => rowOf(one, now)),
  )
}
