/**
 * `thence replay`: gives messages to a handler again that it has done before, by a job that the running app does.
 */
import type { Command } from 'commander'
import type { ReplayPlan } from '../admin/replay.ts'
import { planReplay, startReplay } from '../admin/replay.ts'
import type { ReplayRequest } from '../app/replay-plan.ts'
import { confirm } from './ask.ts'
import { tellJob, watchJob } from './job-text.ts'
import { rate, whenPickedUp } from './redrive.ts'
import type { Session, Verb } from './session.ts'
import { collected, given, onStore, whole } from './session.ts'
import { count, counted, line } from './text.ts'
import { positionOrTime } from './time.ts'

interface ReplayOptions {
  readonly from?: number | Date
  readonly to?: number | Date
  readonly stream?: string
  readonly type?: readonly string[]
  readonly key?: string
  readonly rate?: number
  readonly inFlight?: number
  readonly stopAfter?: number
  readonly truncated?: boolean
  readonly dryRun?: boolean
  readonly watch?: boolean
  readonly yes?: boolean
  readonly reason?: string
}

const bound = ({ total, exact, handler }: ReplayPlan): string =>
  `${exact ? '' : 'at most '}${counted(total, 'message')} to ${line(handler)} again`

const tellPlan = ({ terminal }: Session, plan: ReplayPlan): void => {
  if (terminal.json) return terminal.document(plan)
  terminal.print(`This would give ${bound(plan)}, up to position ${count(plan.through)}.`)
  if (!plan.exact) terminal.note('Only the app knows the keys of its messages.')
}

const requestOf = (options: ReplayOptions): ReplayRequest => {
  const { from, to, stream, type: types, key, rate: pace } = options
  const { inFlight, stopAfter, truncated, reason } = options
  const which = { from, to, stream, types, key }
  return given({ ...which, rate: pace, inFlight, stopAfter, truncated, reason })
}

const replay: Verb<ReplayOptions> = async (session, { args: [handler = ''], options }) => {
  const { on, terminal, suggest } = session
  const { dryRun = false, watch = false, yes = false } = options
  const request = requestOf(options)
  const plan = await planReplay(on, handler, request)
  if (plan.waits !== null && !terminal.json) terminal.note(`It would wait: ${line(plan.waits)}.`)
  if (dryRun) return tellPlan(session, plan)
  if (!yes && plan.total > 1) await confirm(`gives ${bound(plan)}`)
  const job = await startReplay(on, handler, request)
  if (watch) return watchJob(session, job)
  if (terminal.json) return terminal.document(job)
  tellJob(session, job)
  terminal.note(whenPickedUp)
  terminal.hint(`Watch it: ${suggest(`jobs watch ${job.id}`)}`)
}

export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('give messages to a handler again that it has done before')
    .argument('<handler>', 'its name; it must say that it may be replayed to')
    .option(
      '--from <position|time>',
      'the first: a position, a time, or so long ago',
      positionOrTime,
    )
    .option('--to <position|time>', 'the last (default: what the handler has done)', positionOrTime)
    .option('--stream <name>', 'only of this stream')
    .option('--type <type>', 'only of this type; may be repeated', collected)
    .option('--key <key>', 'only of this key of the handler')
    .option('--rate <rate>', 'at most so many, such as 50/s', rate)
    .option('--in-flight <number>', 'at most so many at once (default: 100)', whole(1))
    .option('--stop-after <number>', 'stop when so many failed for good (default: 10)', whole(1))
    .option('--truncated', 'also where what it said may have been removed by retention')
    .option('--dry-run', 'tell how many, and do nothing')
    .option('--watch', 'stay until it is done')
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', replay))
}
