/**
 * `thence dead-letters redrive`: one letter at once, or many by a job that the running app does.
 */
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { JobView } from '../admin/jobs.ts'
import type { Acted } from '../admin/operate.ts'
import { redrive } from '../admin/operate.ts'
import type { RedrivePlan } from '../admin/redrive.ts'
import { planRedrive, startRedrive } from '../admin/redrive.ts'
import type { ErrorKind } from '../errors.ts'
import { errorKinds } from '../handle/classify.ts'
import type { RedriveFilter } from '../app/redrive-state.ts'
import { confirm } from './ask.ts'
import { usage } from './exit-code.ts'
import { tellJob, watchJob } from './job-text.ts'
import type { Session, Verb } from './session.ts'
import { collected, given, onStore, whole } from './session.ts'
import { columns, table } from './table.ts'
import { count, counted, line } from './text.ts'
import { time } from './time.ts'
import { watchLetter } from './watch-letter.ts'

/** Which letters. */
export interface FilterOptions {
  readonly subscription?: string
  readonly group?: string
  readonly type?: string
  readonly key?: string
  readonly kind?: ErrorKind
  readonly since?: number
  readonly until?: number
}

export const withFilter = (command: Command): Command =>
  command
    .option('--subscription <name>', 'only of this subscription')
    .option('--group <fingerprint>', 'only those that failed in this way')
    .option('--type <type>', 'only messages of this type')
    .option('--key <key>', 'only of this key')
    .addOption(new Option('--kind <kind>', 'only failures of this kind').choices(errorKinds))
    .option('--since <time>', 'only those parked at this time or later; 2h is two hours ago', time)
    .option(
      '--until <time>',
      'only those parked at this time or earlier; it is later than --since',
      time,
    )

export const filterOf = ({
  subscription,
  group: fingerprint,
  type,
  key,
  kind,
  since,
  until,
}: FilterOptions): RedriveFilter =>
  given({ subscription, fingerprint, type, key, kind, since, until })

interface RedriveOptions extends FilterOptions {
  readonly all?: boolean
  readonly id?: readonly string[]
  readonly limit?: number
  readonly rate?: number
  readonly canary: boolean
  readonly stopAfter?: number
  readonly dryRun?: boolean
  readonly watch?: boolean
  readonly yes?: boolean
  readonly reason?: string
}

export const whenPickedUp =
  'A running app takes it within a second, else the next one at its start.'

/** `mail, key order-1, position 7`: where the message of a letter stands. */
export const placeText = ({ subscription, key, position }: Acted): string =>
  [
    line(subscription),
    ...(key === '' ? [] : [`key ${line(key)}`]),
    `position ${count(position)}`,
  ].join(', ')

const redriveOne = async (
  session: Session,
  id: string,
  { reason, watch = false }: RedriveOptions,
): Promise<void> => {
  const { on, terminal, suggest } = session
  const acted = await redrive(on, id, given({ reason }))
  if (terminal.json) terminal.document({ redriven: 1, ...acted })
  else terminal.print(`Redriven: ${placeText(acted)}.`)
  if (watch) return watchLetter(session, acted.id)
  if (terminal.json) return
  terminal.note(acted.waits === null ? whenPickedUp : `It waits: ${acted.waits}.`)
  terminal.note(`See what became of it: ${suggest(`dead-letters show ${acted.id}`)}`)
}

/** How many letters match and the first few of them; `would`: what would be done to them. */
export const tellPlan = ({ terminal }: Session, plan: RedrivePlan, would: string): void => {
  if (terminal.json) return terminal.document(plan)
  terminal.print(`${counted(plan.total, 'parked message')} ${would}.`)
  if (plan.total === 0) return
  const rows = plan.sample.map((one) => [
    one.id,
    one.subscription,
    one.key,
    one.type,
    `${one.errorName}: ${one.errorMessage}`,
  ])
  terminal.print(
    '',
    ...table(terminal, columns('ID', 'SUBSCRIPTION', 'KEY', 'MESSAGE', 'ERROR…'), rows),
  )
  if (plan.total > rows.length) terminal.note(`… and ${count(plan.total - rows.length)} more.`)
}

const begun = (session: Session, job: JobView): void => {
  const { terminal, suggest } = session
  if (terminal.json) return terminal.document(job)
  tellJob(session, job)
  terminal.note(whenPickedUp)
  terminal.hint(`Watch it: ${suggest(`jobs watch ${job.id}`)}`)
}

/** Before it is begun: what of it nobody would take. */
const tellAbsent = ({ terminal }: Session, { absent }: RedrivePlan): void => {
  if (terminal.json) return
  for (const name of absent)
    terminal.note(`No running app has ${line(name)}: its messages wait until one does.`)
}

const redriveMany = async (session: Session, options: RedriveOptions): Promise<void> => {
  const { on } = session
  const { limit, rate, canary, stopAfter, reason, yes = false } = options
  const filter: RedriveFilter = { ...filterOf(options), ...given({ ids: options.id }) }
  if (options.all === true && options.id !== undefined)
    throw usage('--all and --id contradict each other; give one of them.')
  if (options.all !== true && Object.keys(filter).length === 0)
    throw usage('Say which: the id of one dead letter, --subscription, --group, …, or --all.')
  const plan = await planRedrive(on, filter)
  const total = Math.min(plan.total, limit ?? Infinity)
  tellAbsent(session, plan)
  if (options.dryRun === true)
    return tellPlan(session, { ...plan, total }, 'would be sent through again')
  if (!yes && total > 0) await confirm(`sends ${counted(total, 'parked message')} through again`)
  const job = await startRedrive(on, {
    ...filter,
    canary,
    ...given({ limit, rate, stopAfter, reason }),
  })
  if (options.watch === true) await watchJob(session, job)
  else begun(session, job)
}

const redriveVerb: Verb<RedriveOptions> = async (session, { args: [id], options }) => {
  if (id === undefined) return redriveMany(session, options)
  if (options.all === true || Object.keys(filterOf(options)).length > 0)
    throw usage('Give the id of one dead letter, or say which by options, not both.')
  if (options.dryRun === true) return redriveMany(session, { ...options, id: [id] })
  await redriveOne(session, id, options)
}

/** `50/s`, `600/min`, or a number: so many a second. */
export const rate = (text: string): number => {
  const [, number, unit = 's'] = /^(\d+)(?:\/(s|min))?$/.exec(text) ?? []
  const value = unit === 's' ? Number(number) : Number(number) / 60
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('It must be such as 50/s or 600/min, and at least one a second.')
}

export function addRedrive(noun: Command): void {
  const verb = noun
    .command('redrive')
    .description('send messages through again; their attempts begin anew')
    .argument('[id]', 'id of one dead letter')
    .option('--all', 'all that are parked')
  withFilter(verb)
    .option('--id <id>', 'this letter; may be repeated', collected)
    .option('-n, --limit <number>', 'at most so many', whole(1))
    .option('--rate <rate>', 'at most so many, such as 50/s', rate)
    .option('--no-canary', 'do not send one alone before the others')
    .option('--stop-after <number>', 'stop when so many failed again (default: 5)', whole(1))
    .option('--dry-run', 'tell how many, and do nothing')
    .option(
      '--watch',
      'stay until it is done; of one letter: until it went through or failed again',
    )
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', redriveVerb))
}
