/**
 * Jobs as a person reads them, and staying with one until it ends.
 */
import type { JobView } from '../admin/jobs.ts'
import { job as readJob } from '../admin/jobs.ts'
import { noApp } from '../admin/waiting.ts'
import { replayKind } from '../app/replay-job.ts'
import { ThenceError } from '../errors.ts'
import { pause } from './pause.ts'
import { Progress } from './progress.ts'
import type { Session } from './session.ts'
import type { Cell } from './table.ts'
import { columns, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { count, line, relative, span } from './text.ts'

const jobStyles: Readonly<Partial<Record<JobView['state'], Style>>> = {
  running: 'green',
  waiting: 'yellow',
  paused: 'yellow',
  stopped: 'red',
}

export const stateCell = ({ state }: JobView): Cell => {
  const style = jobStyles[state]
  return style === undefined ? state : { text: state, style }
}

const of = ({ progress }: JobView, name: string): number => {
  const value = progress[name]
  return typeof value === 'number' ? value : 0
}

const onTheirWay: Readonly<Partial<Record<JobView['state'], string>>> = {
  cancelled: 'were on their way then',
  done: 'wait behind messages that are parked',
}

const skippedOf = ({ kind }: JobView): readonly [string, string] => [
  'skipped',
  kind === replayKind ? 'were passed over' : 'cannot be redriven',
]

/** `990 of 1,000 went through, 5 failed again, 2 left, 3 on their way`. */
export function outcome(job: JobView): string {
  const total = job.total === null ? '' : ` of ${count(job.total)}`
  const parts = [`${count(of(job, 'resolved'))}${total} went through`]
  const also: readonly (readonly [string, string])[] = [
    ['failed', 'failed again'],
    ['waiting', 'wait behind those'],
    skippedOf(job),
    ['inFlight', onTheirWay[job.state] ?? 'on their way'],
  ]
  for (const [name, text] of also)
    if (of(job, name) > 0) parts.push(`${count(of(job, name))} ${text}`)
  if (job.left !== null && job.left > 0) parts.push(`about ${span(job.left)} left`)
  return parts.join(', ')
}

/** What went through: `990 of 1,000`; and what did not: `0 of 3, 2 failed again`. */
const done = (job: JobView): string => {
  const through = count(of(job, 'resolved'))
  const parts = [job.total === null ? through : `${through} of ${count(job.total)}`]
  const also = [['failed', 'failed again'], skippedOf(job)] as const
  for (const [name, text] of also)
    if (of(job, name) > 0) parts.push(`${count(of(job, name))} ${text}`)
  return parts.join(', ')
}

/** Jobs that have not come to their end, and how to see more of each. */
export const openJobTable = (
  terminal: Terminal,
  list: readonly JobView[],
  now: number,
): readonly string[] =>
  table(
    terminal,
    columns('JOB', 'STATE', '>DONE', '>LEFT', 'MOVED', 'NEXT'),
    list.map((one) => [
      one.kind,
      stateCell(one),
      done(one),
      one.left === null ? '-' : span(one.left),
      relative(one.updated, now),
      `thence jobs show ${one.id}`,
    ]),
  )

/** Why it does not go on, if it doesn't. */
export const whyOf = ({ error, waits }: JobView): string | null =>
  error ?? (waits === null ? null : `It waits: ${waits}.`)

/** One or two lines about a job. */
export function tellJob({ terminal }: Session, job: JobView): void {
  terminal.print(`${line(job.kind)} job ${job.id} is ${job.state}: ${outcome(job)}.`)
  const why = whyOf(job)
  if (why !== null) terminal.print(line(why))
}

/** How often to look, and how long an app may take to begin, in milliseconds. */
const lookEvery = 200
const beginsWithin = 4000

/** How a watch ends. */
const conclude = (session: Session, job: JobView): void => {
  const { terminal, suggest } = session
  if (terminal.json) terminal.document(job)
  else tellJob(session, job)
  if (job.state === 'paused') terminal.hint(`Have it go on: ${suggest(`jobs resume ${job.id}`)}`)
  if (job.state === 'stopped')
    throw new ThenceError(
      'STATE_INVALID',
      `The job stopped by itself. When the cause is mended: thence jobs resume ${job.id}`,
      { details: { job: job.id, error: job.error } },
    )
}

/** Whether no app has taken it up, or none can do it, in the time that one needs to start. */
const isUntaken = ({ updated, created, waits }: JobView, began: number): boolean =>
  (updated === created || waits !== null) && Date.now() - began > beginsWithin

const isOpen = ({ state }: JobView): boolean => state === 'running' || state === 'waiting'

/** Looks until the job runs no longer, or no app takes it up. @throws ABORTED, NOT_FOUND */
const follow = async (
  { on, terminal, interruptible, suggest }: Session,
  id: string,
): Promise<JobView> => {
  const signal = interruptible()
  const { kind } = await readJob(on, id)
  const progress = new Progress(terminal, kind === replayKind ? 'replaying' : 'redriving')
  const began = Date.now()
  try {
    while (!signal.aborted) {
      const job = await readJob(on, id)
      if (!isOpen(job) || isUntaken(job, began)) return job
      progress.update(job.ended, job.total ?? job.ended)
      await pause(lookEvery, signal)
    }
  } finally {
    progress.end()
  }
  terminal.hint(`Watch it again: ${suggest(`jobs watch ${id}`)}`)
  throw new ThenceError('ABORTED', `Not watched any more; the job ${id} goes on in the app.`)
}

/** Stays until the job runs no longer. @throws STATE_INVALID (it stopped by itself), ABORTED, NOT_FOUND */
export async function watchJob(session: Session, { id }: Pick<JobView, 'id'>): Promise<void> {
  const job = await follow(session, id)
  conclude(session, job)
  if (!isOpen(job)) return
  const { terminal, suggest } = session
  if (job.waits === null || job.waits === noApp)
    terminal.note('No running app has taken it up: it begins when an app starts.')
  else
    terminal.note(
      `It goes on when an app starts that has it. To give it up: ${suggest(`jobs cancel ${job.id}`)}`,
    )
}
