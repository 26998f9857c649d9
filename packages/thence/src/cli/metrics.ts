/**
 * `thence metrics`: how much, how fast, how late, and how often it fails, of late and in all processes together.
 */
import type { Command } from 'commander'
import { metrics } from '../admin/processes.ts'
import type { Figures } from '../observe/figures.ts'
import type { Distribution } from '../observe/histogram.ts'
import { processTable } from './processes.ts'
import { onStore } from './session.ts'
import type { Verb } from './session.ts'
import { categoryTable } from './sizes.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { bytes, count, counted, duration, line, rate } from './text.ts'

const some = (value: number): string => (value === 0 ? '-' : count(value))

const spread = ({ count: values, p50, p99 }: Distribution): readonly [string, string] =>
  values === 0 ? ['-', '-'] : [duration(p50), duration(p99)]

const messages = (terminal: Terminal, { messages: rows, covers }: Figures): readonly string[] => {
  if (rows.length === 0) return []
  const shape = columns(
    'SUBSCRIPTION',
    'MESSAGE',
    '>HANDLED/S',
    '>FAILED',
    '>PARKED',
    '>QUEUED',
    '>LATENCY P50',
    '>P99',
    '>TOOK P50',
    '>P99',
  )
  const cells = rows.map((one) => [
    one.subscription,
    one.type,
    rate(one.handled, covers),
    some(one.failed),
    one.parked === 0 ? '-' : ({ text: count(one.parked), style: 'red' } as const),
    some(one.queued),
    ...spread(one.latency),
    ...spread(one.took),
  ])
  return ['', ...table(terminal, shape, cells)]
}

const commands = (terminal: Terminal, { commands: rows, covers }: Figures): readonly string[] => {
  if (rows.length === 0) return []
  const shape = columns(
    'AGGREGATE',
    'COMMAND',
    '>DECIDED/S',
    '>REFUSED',
    '>AGAIN',
    '>TOOK P50',
    '>P99',
  )
  const cells = rows.map((one) => [
    one.aggregate,
    one.type,
    rate(one.decided, covers),
    some(one.refused),
    some(one.repeated),
    ...spread(one.took),
  ])
  return ['', ...table(terminal, shape, cells)]
}

/** `12 ms (p50), 40 ms (p99)`. */
const both = (distribution: Distribution): string => {
  const [p50, p99] = spread(distribution)
  return `${p50} (p50), ${p99} (p99)`
}

/** What a process did for the store as a whole. */
const chores = ({ jobs, retention, timers, upkeep }: Figures): readonly string[] => {
  const lines: string[] = []
  if (timers.fired > 0)
    lines.push(`timers   ${count(timers.fired)} fired, late by ${both(timers.late)}`)
  if (timers.failed + timers.skipped > 0)
    lines.push(
      `         ${count(timers.failed)} failed, ${count(timers.parked)} given up, ${counted(timers.skipped, 'slot')} passed over`,
    )
  for (const { kind, done, stopped, failed } of jobs)
    lines.push(
      `jobs     ${kind}: ${count(done)} done, ${count(stopped)} stopped, ${count(failed)} failed batches`,
    )
  for (const { what, failed } of upkeep)
    lines.push(`upkeep   ${line(what)}: told ${counted(failed, 'time')} that it failed`)
  const { runs, failed, removed, held } = retention
  if (runs + failed > 0)
    lines.push(
      `retention  ${counted(runs, 'run')}, ${count(removed)} removed, ${counted(held, 'rule')} held, ${count(failed)} failed`,
    )
  return lines
}

const rest = (figures: Figures): readonly string[] => {
  const { appends, covers, sagas, leases } = figures
  const lines: string[] = []
  if (appends.commits > 0)
    lines.push(
      `appends  ${rate(appends.messages, covers)} messages/s in ${rate(appends.commits, covers)} commits/s, ` +
        `each ${both(appends.took)}, after waiting ${both(appends.waited)}`,
    )
  const { repeated, conflicts, refused } = appends
  if (repeated + conflicts + refused > 0)
    lines.push(
      `         ${count(repeated)} repeated, ${counted(conflicts, 'conflict')}, ${count(refused)} refused`,
    )
  for (const { saga, started, completed, compensated, lasted } of sagas)
    lines.push(
      `saga     ${saga}: ${count(started)} started, ${count(completed)} completed, ${count(compensated)} compensated, ` +
        `lasted ${both(lasted)}`,
    )
  lines.push(...chores(figures))
  if (leases.lost > 0) lines.push(`leases   ${count(leases.lost)} lost to another process`)
  return lines.length === 0 ? [] : ['', ...lines]
}

const show: Verb<object> = async ({ database, terminal }) => {
  const found = await metrics({ database })
  if (terminal.json) return terminal.document(found)
  const { now, processes, recent, sizes } = found
  terminal.print(...processTable(terminal, processes, now))
  if (recent.covers > 0)
    terminal.print(
      ...messages(terminal, recent),
      ...commands(terminal, recent),
      ...rest(recent),
      '',
      `Of the last ${duration(recent.covers)}.`,
    )
  terminal.print('', `${bytes(sizes.bytes)} in the database, the log by category:`, '')
  terminal.print(...categoryTable(terminal, sizes.categories))
}

export function addMetrics(program: Command): void {
  program
    .command('metrics')
    .description('how much, how fast, how late and how often it fails, in all processes')
    .action(onStore('read', show))
}
