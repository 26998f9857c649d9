/**
 * `thence jobs`: long work on the store; how far it has come, and having it wait, go on or end.
 */
import type { Command } from 'commander'
import { Option } from 'commander'
import { cancelJob, job, jobs, jobStates, pauseJob, resumeJob } from '../admin/jobs.ts'
import { jobKinds } from '../app/jobs.ts'
import type { JobState } from '../ports/jobs.ts'
import { outcome, stateCell, tellJob, watchJob, whyOf } from './job-text.ts'
import type { Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import { columns, fields, table } from './table.ts'
import { iso, json, relative } from './text.ts'

interface ListOptions {
  readonly kind?: string
  readonly state?: JobState
  readonly before?: string
  readonly limit: number
}

const list: Verb<ListOptions> = async ({ on, terminal }, { options }) => {
  const { kind, state, before, limit } = options
  const found = await jobs(on, { limit, ...given({ kind, state, before }) })
  const next = found.length === limit ? (found.at(-1)?.id ?? null) : null
  if (terminal.json) return terminal.document({ jobs: found, next })
  if (found.length === 0 && before !== undefined) return terminal.note('There are no more.')
  if (found.length === 0) return terminal.note('There is no such job.')
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      columns('ID', 'KIND', 'STATE', 'BEGAN', 'BY', 'PROGRESS…'),
      found.map((one) => [
        one.id,
        one.kind,
        stateCell(one),
        relative(one.created, now),
        one.actor,
        [outcome(one), whyOf(one)].filter((text) => text !== null).join('. '),
      ]),
    ),
  )
  if (next !== null) terminal.note(`There may be more: --before ${next}`)
}

const show: Verb<object> = async (session, { args: [id = ''] }) => {
  const { on, terminal, suggest } = session
  const found = await job(on, id)
  if (terminal.json) return terminal.document(found)
  const now = Date.now()
  tellJob(session, found)
  terminal.print(
    ...fields(terminal, [
      ['began', `${iso(found.created)} (${relative(found.created, now)})`],
      ['by', found.actor],
      ['moved', `${iso(found.updated)} (${relative(found.updated, now)})`],
      ['asked', json(found.spec)],
    ]),
  )
  if (found.state === 'running') terminal.hint(`Watch it: ${suggest(`jobs watch ${found.id}`)}`)
}

const watch: Verb<object> = (session, { args: [id = ''] }) => watchJob(session, { id })

const act =
  (work: typeof pauseJob): Verb<{ readonly reason?: string }> =>
  async (session, { args: [id = ''], options }) => {
    const changed = await work(session.on, id, given({ reason: options.reason }))
    if (session.terminal.json) session.terminal.document(changed)
    else tellJob(session, changed)
  }

export function addJobs(program: Command): void {
  const noun = program
    .command('jobs')
    .description('long work on the store, done by the running app')
  const states = new Option(
    '--state <state>',
    'only jobs in this state; running: also those that wait',
  ).choices(jobStates)
  noun
    .command('list')
    .description('jobs, the latest first')
    .option('--kind <kind>', `only of this kind: ${jobKinds.join(', ')}`)
    .addOption(states)
    .option('--before <id>', 'only jobs before this one')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', list))
  const verbs = [
    ['show', 'one job: what was asked, and how far it is', onStore('read', show)],
    ['watch', 'stay with a job until it ends', onStore('read', watch)],
  ] as const
  for (const [name, description, action] of verbs)
    noun.command(name).description(description).argument('<id>', 'its id').action(action)
  const acts = [
    ['pause', 'have a job take no further batch', pauseJob],
    ['resume', 'have a job go on that is paused, or that stopped by itself', resumeJob],
    ['cancel', 'end a job where it is; what it has done stays done', cancelJob],
  ] as const
  for (const [name, description, work] of acts)
    noun
      .command(name)
      .description(description)
      .argument('<id>', 'its id')
      .option('--reason <text>', 'why, for the audit log')
      .action(onStore('write', act(work)))
}
