/**
 * `thence subscriptions`: how far every reader of the log has come; pause one, let it go on, say what becomes of what
 * fails.
 */
import type { Command } from 'commander'
import { Argument } from 'commander'
import type { SettingsView } from '../admin/settings.ts'
import { pause, resume, setPolicy } from '../admin/settings.ts'
import type { SubscriptionCondition, SubscriptionStatus } from '../admin/subscriptions.ts'
import { subscriptions } from '../admin/subscriptions.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import { failurePolicies } from '../handle/failure-policy.ts'
import { given, onStore } from './session.ts'
import type { Session, Verb } from './session.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { count, line, relative, span } from './text.ts'

const styles: Readonly<Partial<Record<SubscriptionCondition, Style>>> = {
  paused: 'yellow',
  halted: 'red',
  behind: 'yellow',
  rebuilding: 'yellow',
  building: 'yellow',
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

const rowOf = (
  one: SubscriptionStatus,
  { now, policies }: { readonly now: number; readonly policies: boolean },
): readonly Cell[] => [
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
  ...(policies ? [one.policy ?? '-'] : []),
]

/** All of `list` as a table. */
export function subscriptionTable(
  terminal: Terminal,
  list: readonly SubscriptionStatus[],
  now: number,
): readonly string[] {
  if (list.length === 0) return ['No app has run on this store yet.']
  // Rarely one is set.
  const policies = list.some(({ policy }) => policy !== null)
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
    ...(policies ? ['POLICY'] : []),
  )
  return table(
    terminal,
    shape,
    list.map((one) => rowOf(one, { now, policies })),
  )
}

const list: Verb<object> = async ({ database, terminal }) => {
  const found = await subscriptions({ database })
  if (terminal.json) return terminal.document({ subscriptions: found })
  terminal.print(...subscriptionTable(terminal, found, Date.now()))
}

const whenNoticed = 'Running apps notice within a second.'

const tell = ({ terminal }: Session, set: SettingsView, text: string): void => {
  const { subscription, paused = null, policy = null } = set
  if (terminal.json) return terminal.document({ subscription, paused, policy })
  terminal.print(text)
  terminal.note(whenNoticed)
}

interface SettingOptions {
  readonly reason?: string
}

const pauseVerb: Verb<SettingOptions> = async (session, { args: [name = ''], options }) => {
  const set = await pause(session.on, name, given({ reason: options.reason }))
  const by = set.paused === undefined ? '' : ` by ${line(set.paused.actor)}`
  tell(session, set, `${line(name)} is paused${by}.`)
  session.terminal.hint(`Let it go on: ${session.suggest(`subscriptions resume ${name}`)}`)
}

const resumeVerb: Verb<SettingOptions> = async (session, { args: [name = ''], options }) => {
  const set = await resume(session.on, name, given({ reason: options.reason }))
  tell(session, set, `${line(name)} goes on.`)
}

const policyVerb: Verb<SettingOptions> = async (session, { args: [name = '', word], options }) => {
  const policy = word === 'default' ? null : (word as FailurePolicy)
  const set = await setPolicy(session.on, name, { policy, ...given({ reason: options.reason }) })
  const text = set.policy ?? 'what its part says'
  tell(session, set, `A message of ${line(name)} that fails for good: ${text}.`)
}

export function addSubscriptions(program: Command): void {
  const noun = program.command('subscriptions').description('the readers of the log')
  noun
    .command('list')
    .description('how far each has come; a running app may be ahead of this by a second')
    .action(onStore('read', list))
  noun
    .command('pause')
    .description('have one begin nothing new; what is in hand is finished')
    .argument('<name>', 'name of the subscription')
    .option('--reason <text>', 'why; status shows it')
    .action(onStore('write', pauseVerb))
  noun
    .command('resume')
    .description('let a paused one go on')
    .argument('<name>', 'name of the subscription')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', resumeVerb))
  noun
    .command('policy')
    .description('what becomes of a message that fails for good')
    .argument('<name>', 'name of the subscription')
    .addArgument(
      new Argument('<policy>', 'what to do; `default` is what its part says').choices([
        ...failurePolicies,
        'default',
      ]),
    )
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', policyVerb))
}
