/**
 * `thence subscriptions list`: how far every reader of the log has come.
 */
import type { Command } from 'commander'
import type { SubscriptionCondition, SubscriptionStatus } from '../admin/subscriptions.ts'
import { subscriptions } from '../admin/subscriptions.ts'
import { onStore } from './session.ts'
import type { Verb } from './session.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { count, relative, span } from './text.ts'

const styles: Readonly<Partial<Record<SubscriptionCondition, Style>>> = {
  halted: 'red',
  behind: 'yellow',
  rebuilding: 'yellow',
  'rebuild-asked': 'yellow',
}

const stateCell = (one: SubscriptionStatus): Cell => {
  const text =
    one.state === 'halted' ? `halted at ${count(one.haltedAt ?? 0)}` : one.state.replace('-', ' ')
  const style = styles[one.state]
  return style === undefined ? text : { text, style }
}

/** A number, or nothing where zero says nothing. */
const some = (value: number): string => (value === 0 ? '-' : count(value))

const rowOf = (one: SubscriptionStatus, now: number): readonly Cell[] => [
  one.name,
  one.kind,
  stateCell(one),
  count(one.position),
  some(one.behind),
  one.behind === 0 ? '-' : span(one.behindMs),
  one.due === 0 || one.nextAttempt === null
    ? some(one.due)
    : `${count(one.due)} (${relative(one.nextAttempt, now)})`,
  one.parked === 0 ? '-' : { text: count(one.parked), style: 'red' },
  some(one.queued),
]

/** All of `list` as a table. */
export function subscriptionTable(
  terminal: Terminal,
  list: readonly SubscriptionStatus[],
  now: number,
): readonly string[] {
  if (list.length === 0) return ['No app has run on this store yet.']
  const shape = columns(
    'SUBSCRIPTION',
    'KIND',
    'STATE',
    '>POSITION',
    '>BEHIND',
    '>OLDEST',
    '>DUE',
    '>PARKED',
    '>QUEUED',
  )
  return table(
    terminal,
    shape,
    list.map((one) => rowOf(one, now)),
  )
}

const list: Verb<object> = async ({ database, terminal }) => {
  const found = await subscriptions({ database })
  if (terminal.json) return terminal.document({ subscriptions: found })
  terminal.print(...subscriptionTable(terminal, found, Date.now()))
}

export function addSubscriptions(program: Command): void {
  const noun = program.command('subscriptions').description('the readers of the log')
  noun
    .command('list')
    .description('how far each has come; a running app may be ahead of this by a second')
    .action(onStore('read', list))
}
