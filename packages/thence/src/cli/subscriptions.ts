/**
 * `thence subscriptions`: how far every reader of the log has come; pause one, let it go on, say what becomes of what
 * fails.
 */
import type { Command } from 'commander'
import { Argument } from 'commander'
import type { SettingsView } from '../admin/settings.ts'
import { pause, resume, setPolicy } from '../admin/settings.ts'
import type { SubscriptionCondition, SubscriptionStatus } from '../admin/subscriptions.ts'
import { subscription, subscriptions } from '../admin/subscriptions.ts'
import { mostParked } from '../app/reporter.ts'
import { dropTypes } from '../admin/types.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import { failurePolicies } from '../handle/failure-policy.ts'
import { given, onStore } from './session.ts'
import type { Session, Verb } from './session.ts'
import type { Cell } from './table.ts'
import { columns, fields, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { count, line, processName, relative, span } from './text.ts'

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

/** `10,000+`: no more than so many are counted. */
const parkedCount = (value: number): string => `${count(value)}${value < mostParked ? '' : '+'}`

/** `1 · shop-1:4242`, `16 · 2 processes`, `16 · 2 processes, 3 with nobody`, `16 · nobody`; `-`: nobody has to. */
const heldBy = ({ state, partitions }: SubscriptionStatus): string => {
  const all = partitions.length
  if (all === 0 || state === 'inline') return '-'
  const held = partitions.map(({ process }) => process).filter((one) => one !== null)
  const owners = [...new Set(held)]
  const [only] = owners
  if (only === undefined) return `${all} · nobody`
  const who = owners.length === 1 ? processName(only) : `${owners.length} processes`
  return held.length === all
    ? `${all} · ${who}`
    : `${all} · ${who}, ${all - held.length} with nobody`
}

interface Shown {
  readonly now: number
  readonly policies: boolean
  readonly partitions: boolean
}

const rowOf = (one: SubscriptionStatus, { now, policies, partitions }: Shown): readonly Cell[] => [
  one.name,
  one.kind,
  stateCell(one),
  count(one.position),
  some(one.behind),
  one.behind === 0 ? '-' : span(one.behindMs),
  one.due === 0 || one.nextAttempt === null
    ? some(one.due)
    : `${count(one.due)} (${relative(one.nextAttempt, now)})`,
  one.parked === 0 ? '-' : { text: parkedCount(one.parked), style: 'red' },
  some(one.queued),
  ...(partitions ? [heldBy(one)] : []),
  ...(policies ? [one.policy ?? '-'] : []),
]

/** All of `list` as a table; `partitions`: with how many each has and who runs them. */
export function subscriptionTable(
  terminal: Terminal,
  list: readonly SubscriptionStatus[],
  { now, partitions = false }: Pick<Shown, 'now'> & Partial<Shown>,
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
    ...(partitions ? ['PARTITIONS'] : []),
    ...(policies ? ['POLICY'] : []),
  )
  return table(
    terminal,
    shape,
    list.map((one) => rowOf(one, { now, policies, partitions })),
  )
}

const list: Verb<object> = async ({ database, terminal }) => {
  const found = await subscriptions({ database })
  if (terminal.json) return terminal.document({ subscriptions: found })
  terminal.print(...subscriptionTable(terminal, found, { now: Date.now(), partitions: true }))
}

const pausedText = ({ paused }: SubscriptionStatus, now: number): string | undefined => {
  if (paused === null) return undefined
  const why = paused.reason === null ? '' : `: ${paused.reason}`
  return `${relative(paused.time, now)} by ${paused.actor}${why}`
}

const lacksText = ({ lacks }: SubscriptionStatus): string | undefined =>
  lacks.length === 0
    ? undefined
    : lacks.map(({ type, position }) => `${type} up to position ${count(position)}`).join(', ')

const waitingText = (
  { due, parked, queued, nextAttempt }: SubscriptionStatus,
  now: number,
): string => {
  const next = nextAttempt === null ? '' : ` (next ${relative(nextAttempt, now)})`
  return `${count(due)} due${next}, ${parkedCount(parked)} parked, ${count(queued)} queued`
}

const show: Verb<object> = async ({ database, terminal, suggest }, { args: [name = ''] }) => {
  const one = await subscription({ database }, name)
  if (terminal.json) return terminal.document(one)
  const now = Date.now()
  const { kind, position, behind, behindMs, moved, policy, partitions, types, keyVersion } = one
  const state = stateCell(one)
  const oldest = behind === 0 ? '' : `, the oldest of them ${span(behindMs)} old`
  terminal.print(
    ...fields(terminal, [
      ['subscription', one.name],
      ['kind', kind],
      ['state', typeof state === 'string' ? state : state.text],
      ['paused', pausedText(one, now)],
      ['policy', policy ?? undefined],
      ['types', types?.join(', ')],
      ['lacks', lacksText(one)],
      ['key version', keyVersion === null ? undefined : String(keyVersion)],
      ['position', `${count(position)}, ${count(behind)} behind it${oldest}`],
      ['moved', moved === null ? 'never' : relative(moved, now)],
      ['retries', waitingText(one, now)],
    ]),
  )
  if (partitions.length > 0)
    terminal.print(
      '',
      ...table(
        terminal,
        columns('>PARTITION', '>POSITION', 'PROCESS'),
        partitions.map(({ partition, position: at, process }) => [
          String(partition),
          count(at),
          process === null ? '-' : processName(process),
        ]),
      ),
    )
  if (one.parked > 0)
    terminal.hint(
      `${parkedCount(one.parked)} parked; see: ${suggest(`dead-letters list --subscription ${name}`)}`,
    )
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
  const { paused } = await subscription(session.on, name)
  const set = await resume(session.on, name, given({ reason: options.reason }))
  if (paused === null && !session.terminal.json)
    return session.terminal.print(`${line(name)} is not paused.`)
  tell(session, set, `${line(name)} goes on.`)
}

const policyVerb: Verb<SettingOptions> = async (session, { args: [name = '', word], options }) => {
  const policy = word === 'default' ? null : (word as FailurePolicy)
  const set = await setPolicy(session.on, name, { policy, ...given({ reason: options.reason }) })
  const text = set.policy ?? 'what its part says'
  tell(session, set, `A message of ${line(name)} that fails for good: ${text}.`)
}

const dropVerb: Verb<SettingOptions> = async (
  session,
  { args: [name = '', ...types], options },
) => {
  const { terminal, on } = session
  const result = await dropTypes(on, name, { types, ...given({ reason: options.reason }) })
  if (terminal.json) return terminal.document(result)
  terminal.print(
    `${line(name)} may go on without ${result.dropped.map((type) => line(type)).join(', ')}.`,
  )
  terminal.note(whenNoticed)
}

export function addSubscriptions(program: Command): void {
  const noun = program.command('subscriptions').description('the readers of the log')
  noun
    .command('list')
    .description('how far each has come; a running app may be ahead of this by a second')
    .action(onStore('read', list))
  noun
    .command('show')
    .description('one of them, with its partitions and the processes that run them')
    .argument('<name>', 'name of the subscription')
    .action(onStore('read', show))
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
  noun
    .command('drop-type')
    .description('let processes run one that do without these types: they pass them over')
    .argument('<name>', 'name of the subscription')
    .argument('<type...>', 'types of messages that it took and is to take no more')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', dropVerb))
}
