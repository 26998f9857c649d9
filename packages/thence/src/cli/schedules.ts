/**
 * `thence schedules`: what waits for its time, why it does not go on, and acts upon it.
 */
import type { Command } from 'commander'
import type { ScheduleActOptions, TimerDetails } from '../admin/schedules.ts'
import {
  cancelSchedule,
  fireSchedule,
  resumeSchedule,
  schedule,
  schedules,
} from '../admin/schedules.ts'
import { localTime } from '../schedule/local-time.ts'
import type { ActedOn } from '../schedule/operate.ts'
import type { ScheduleState, TimerState, TimerView } from '../schedule/view.ts'
import { confirm } from './ask.ts'
import type { Session, Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import type { Cell } from './table.ts'
import { columns, fields, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { count, counted, duration, iso, json, line, quoted, relative } from './text.ts'

const styles: Readonly<Partial<Record<TimerState, Style>>> = {
  failed: 'yellow',
  parked: 'red',
  cancelled: 'yellow',
  absent: 'yellow',
}

const stateCell = ({ state }: TimerView): Cell => {
  const style = styles[state]
  return style === undefined ? state : { text: state, style }
}

/** How late the last slot was sent; or, of one that is due, since when. */
const lateOf = ({ late, schedule: known }: TimerView): string => {
  if (late > 0) return `${duration(late)}, due`
  if (known === null || known.last === null) return '-'
  return duration(Math.max(0, known.last.sent - known.last.slot))
}

/** A moment on two clocks: in text without the milliseconds that no slot has. */
const utc = (time: number): string => iso(time).replace('.000Z', 'Z')

const isSchedule = (one: TimerView): one is TimerView & { readonly schedule: ScheduleState } =>
  one.schedule !== null

const scheduleTable = (
  terminal: Terminal,
  list: readonly (TimerView & { readonly schedule: ScheduleState })[],
  now: number,
): readonly string[] =>
  table(
    terminal,
    columns(
      'SCHEDULE',
      'STATE',
      'CRON',
      'ZONE',
      'NEXT SLOT',
      'IN UTC',
      'WHEN',
      'LAST',
      'LATE',
      'ERROR…',
    ),
    list.map((one) => [
      one.id === `schedule:${one.name}` ? one.name : one.id,
      stateCell(one),
      one.schedule.cron,
      one.schedule.zone,
      one.due === null ? '-' : localTime(one.due, one.schedule.zone),
      one.due === null ? '-' : utc(one.due),
      one.due === null ? '-' : relative(one.due, now),
      one.schedule.last === null ? '-' : relative(one.schedule.last.slot, now),
      lateOf(one),
      one.error ?? '',
    ]),
  )

const otherTable = (
  terminal: Terminal,
  list: readonly TimerView[],
  now: number,
): readonly string[] =>
  table(
    terminal,
    columns('ID', 'KIND', 'NAME', 'STATE', 'DUE', 'WHEN', 'LATE', 'ERROR…'),
    list.map((one) => [
      one.id,
      one.kind,
      one.name,
      stateCell(one),
      one.due === null ? '-' : utc(one.due),
      one.due === null ? '-' : relative(one.due, now),
      lateOf(one),
      one.error ?? '',
    ]),
  )

interface ListOptions {
  readonly all?: boolean
  readonly after?: string
  readonly limit: number
}

const listVerb: Verb<ListOptions> = async ({ database, terminal, suggest }, { options }) => {
  const { all, after, limit } = options
  const found = await schedules({ database }, { limit, ...given({ all, after }) })
  if (terminal.json) return terminal.document(found)
  const { timers, next } = found
  if (timers.length === 0) return terminal.note('Nothing waits for its time.')
  const now = Date.now()
  const cron = timers.filter(isSchedule)
  const others = timers.filter((one) => !isSchedule(one))
  terminal.print(
    ...(cron.length === 0 ? [] : scheduleTable(terminal, cron, now)),
    ...(cron.length === 0 || others.length === 0 ? [] : ['']),
    ...(others.length === 0 ? [] : otherTable(terminal, others, now)),
  )
  if (next !== null) terminal.note(`There may be more: --after ${quoted(next)}`)
  const stuck = timers.find(({ state }) => state === 'parked')
  if (stuck !== undefined)
    terminal.hint(`Try it again: ${suggest(`schedules fire ${nameOf(stuck)}`)}`)
}

/** What one would type to name it. */
const nameOf = ({ id, name }: Pick<TimerView, 'id' | 'name'>): string =>
  quoted(id === `schedule:${name}` ? name : id)

const skippedText = ({ skipped }: ScheduleState, now: number): string | undefined =>
  skipped === null
    ? undefined
    : `${skipped.slots === null ? 'more than a thousand slots' : counted(skipped.slots, 'slot')} from ${utc(skipped.from)} ` +
      `to ${utc(skipped.to)} (${relative(skipped.time, now)})`

const scheduleFields = (
  { schedule: known, state }: TimerDetails,
  now: number,
): Parameters<typeof fields>[1] => {
  if (known === null) return []
  const { cron, zone, catchUp, last, cancelled, confirmed } = known
  return [
    ['cron', cron],
    ['zone', zone],
    ['catch-up', catchUp],
    [
      'last slot',
      last === null ? '-' : `${localTime(last.slot, zone)} (${relative(last.slot, now)})`,
    ],
    ['sent', last === null ? undefined : `${duration(Math.max(0, last.sent - last.slot))} late`],
    ['skipped', skippedText(known, now)],
    [
      'cancelled',
      cancelled === null ? undefined : `${iso(cancelled)} (${relative(cancelled, now)})`,
    ],
    ['last had', state === 'absent' ? `by a running app ${relative(confirmed, now)}` : undefined],
  ]
}

const detailText = (terminal: Terminal, one: TimerDetails, now: number): readonly string[] => [
  `${terminal.paint('bold', line(one.id))}  ${one.state}`,
  ...fields(terminal, [
    ['kind', one.kind],
    ['name', one.name],
    ['due', one.due === null ? undefined : `${utc(one.due)} (${relative(one.due, now)})`],
    ['attempts', one.attempts === 0 ? undefined : count(one.attempts)],
    ['error', one.error ?? undefined],
    ['tried again', one.attempts === 0 || one.next === null ? undefined : relative(one.next, now)],
    ...scheduleFields(one, now),
    ['message', one.message === null ? undefined : one.message.id],
    ['data', one.message === null ? undefined : json(one.message.data)],
  ]),
  ...(one.upcoming.length === 0
    ? []
    : [
        '',
        ...table(
          terminal,
          columns('SLOT', 'IN UTC', 'WHEN'),
          one.upcoming.map(({ time, local }) => [local, utc(time), relative(time, now)]),
        ),
      ]),
]

const showVerb: Verb<object> = async ({ database, terminal, suggest }, { args: [id = ''] }) => {
  const found = await schedule({ database }, id)
  if (terminal.json) return terminal.document(found)
  terminal.print(...detailText(terminal, found, Date.now()))
  const name = nameOf(found)
  if (found.state === 'cancelled')
    return terminal.hint(`Let it go on: ${suggest(`schedules resume ${name}`)}`)
  if (found.state === 'parked' || found.state === 'failed')
    terminal.hint(`Try it again: ${suggest(`schedules fire ${name}`)}`)
  if (found.state === 'parked' && found.kind === 'schedule')
    terminal.hint(
      `Pass over the slot: ${suggest(`schedules cancel ${name}`)}, then ${suggest(`schedules resume ${name}`)}`,
    )
}

interface ActOptions extends ScheduleActOptions {
  readonly yes?: boolean
}

const tell = ({ terminal }: Session, acted: ActedOn, text: string): void => {
  if (terminal.json) return terminal.document(acted)
  terminal.print(text)
}

const nounOf = ({ kind, id, name }: Pick<TimerView, 'kind' | 'id' | 'name'>): string => {
  if (id === `schedule:${name}`) return `the schedule ${line(name)}`
  return kind === 'send' ? `${line(name)} (${line(id)})` : line(id)
}

const cancelVerb: Verb<ActOptions> = async (session, { args: [id = ''], options }) => {
  const { on, terminal, suggest } = session
  const found = await schedule(on, id)
  if (options.yes !== true) await confirm(`cancels ${nounOf(found)}`)
  const acted = await cancelSchedule(on, id, given({ reason: options.reason }))
  tell(session, acted, `Cancelled: ${nounOf(acted)}.`)
  if (acted.id === `schedule:${acted.name}`)
    terminal.hint(`Let it go on: ${suggest(`schedules resume ${nameOf(acted)}`)}`)
}

const fireVerb: Verb<ActOptions> = async (session, { args: [id = ''], options }) => {
  const { on, terminal } = session
  const found = await schedule(on, id)
  if (options.yes !== true) await confirm(`sends the command of ${nounOf(found)} now`)
  const acted = await fireSchedule(on, id, given({ reason: options.reason }))
  tell(session, acted, `Fired: ${nounOf(acted)}.`)
  if (!terminal.json)
    terminal.note('An app that has it sends the command within a second, or when it starts.')
}

/** To resume what goes on changes nothing, as with a subscription. */
const tellRuns = (session: Session, { id, kind, name, due }: TimerDetails): void => {
  const next = due === null ? '' : `; its next slot is ${utc(due)}`
  tell(session, { id, kind, name, due }, `${nounOf({ id, kind, name })} runs already${next}.`)
}

const resumeVerb: Verb<ScheduleActOptions> = async (session, { args: [id = ''], options }) => {
  const found = await schedule(session.on, id)
  if (found.schedule?.cancelled === null && found.id === `schedule:${found.name}`)
    return tellRuns(session, found)
  const acted = await resumeSchedule(session.on, id, given({ reason: options.reason }))
  const next = acted.due === null ? '' : `; its next slot is ${utc(acted.due)}`
  tell(session, acted, `${nounOf(acted)} goes on${next}.`)
}

export function addSchedules(program: Command): void {
  const noun = program
    .command('schedules')
    .description('what waits for its time: schedules, commands for later')
  noun
    .command('list')
    .description('schedules, then commands for later by when they are due')
    .option('--all', 'every timer, those of sagas too, what was given up first')
    .option('--after <place>', 'only what comes after this place')
    .option('-n, --limit <number>', 'at most so many, beside the schedules', whole(1), 50)
    .action(onStore('read', listVerb))
  noun
    .command('show')
    .description('one of them, with the slots that come')
    .argument('<name>', 'name of a schedule, or an id')
    .action(onStore('read', showVerb))
  noun
    .command('cancel')
    .description('take back what waits; a schedule stays cancelled until it is resumed')
    .argument('<name>', 'name of a schedule, or an id')
    .option('--reason <text>', 'why, for the audit log')
    .option('-y, --yes', 'do not ask')
    .action(onStore('write', cancelVerb))
  noun
    .command('fire')
    .description('send the command now; what has failed is tried again')
    .argument('<name>', 'name of a schedule, or an id')
    .option('--reason <text>', 'why, for the audit log')
    .option('-y, --yes', 'do not ask')
    .action(onStore('write', fireVerb))
  noun
    .command('resume')
    .description('let a cancelled schedule go on with its next slot')
    .argument('<name>', 'name of the schedule')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', resumeVerb))
}
