/**
 * `thence status`: is anything moving, what is stuck and since when.
 */
import type { Command } from 'commander'
import type { Attention } from '../admin/attention.ts'
import type { Status } from '../admin/inspect.ts'
import { status } from '../admin/inspect.ts'
import { openJobTable } from './job-text.ts'
import { sizeOf } from './open.ts'
import { processTable } from './processes.ts'
import { onStore } from './session.ts'
import type { Verb } from './session.ts'
import { categoryTable, tablesText } from './sizes.ts'
import { subscriptionTable } from './subscriptions.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { bytes, count, counted, line, relative } from './text.ts'

const heading = ({ head, last, now }: Status, name: string, size: number): string => {
  const parts = [name, `position ${count(head)}`, bytes(size)]
  if (last !== null) parts.push(`last ${line(last.type)} ${relative(last.time, now)}`)
  return parts.join(' · ')
}

const attentionTable = (
  terminal: Terminal,
  list: readonly Attention[],
  now: number,
): readonly string[] => {
  if (list.length === 0) return [terminal.paint('green', 'Nothing needs attention.')]
  const rows = list.map((one) => [
    { text: one.name, style: 'red' as const },
    one.what,
    relative(one.since, now),
    one.advice,
  ])
  return table(terminal, columns('NEEDS ATTENTION', 'WHAT', 'SINCE', 'NEXT'), rows)
}

const rest = ({ sagas, deadLetters, retries, nextTimer, now }: Status): readonly string[] => {
  const { parked, redriven, resolved, discarded } = deadLetters
  const open = sagas.map(
    ({ saga, open: number, oldest }) =>
      `${line(saga)} ${count(number)} open${oldest === null ? '' : `, the oldest began ${relative(oldest, now)}`}`,
  )
  return [
    `retries       ${count(retries.due)} due, ${count(retries.queued)} queued`,
    `dead letters  ${count(parked)} parked, ${count(redriven)} redriven, ${count(resolved)} resolved, ` +
      `${count(discarded)} discarded`,
    ...open.map((text, index) => `${index === 0 ? 'sagas' : '     '}         ${text}`),
    `timers        ${nextTimer === null ? 'none' : `next ${relative(nextTimer, now)}`}`,
  ]
}

const show: Verb<object> = async ({ database, place, terminal, suggest }) => {
  const found = await status({ database })
  const size = place.kind === 'file' ? sizeOf(place.file) : found.sizes.bytes
  if (terminal.json) return terminal.document({ file: place.name, bytes: size, ...found })
  terminal.print(
    terminal.paint('bold', heading(found, place.name, size)),
    '',
    ...attentionTable(terminal, found.attention, found.now),
    '',
    ...subscriptionTable(terminal, found.subscriptions, found),
    '',
    ...processTable(terminal, found.processes, found.now),
    '',
    ...(found.jobs.length === 0 ? [] : [...openJobTable(terminal, found.jobs, found.now), '']),
    ...rest(found),
    `rows          ${tablesText(found.sizes.tables)}`,
    '',
    ...categoryTable(terminal, found.sizes.categories),
  )
  if (found.head === 0) terminal.hint('The log is empty: nothing was appended yet.')
  else if (found.deadLetters.parked > 0)
    terminal.hint(
      `${counted(found.deadLetters.parked, 'message')} parked; see: ${suggest('dead-letters list')}`,
    )
}

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('what is moving, what is stuck and since when')
    .action(onStore('read', show))
}
