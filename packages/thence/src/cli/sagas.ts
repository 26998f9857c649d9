/**
 * `thence sagas list` and `thence sagas show`.
 */
import type { Command } from 'commander'
import type { SagaStatus, SagaSummary, SagaView } from '../admin/sagas.ts'
import { saga, sagas } from '../admin/sagas.ts'
import { streamTable } from './message.ts'
import type { Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import { columns, fields, table } from './table.ts'
import type { Style, Terminal } from './terminal.ts'
import { count, iso, json, quoted, relative } from './text.ts'

interface ListOptions {
  readonly all?: boolean
  readonly after?: string
  readonly limit: number
}

const styles: Readonly<Partial<Record<SagaStatus, Style>>> = { compensating: 'yellow' }

const cellOf = (status: SagaStatus): string | { text: string; style: Style } => {
  const style = styles[status]
  return style === undefined ? status : { text: status, style }
}

/** The step at which it stands. */
const at = ({ steps, status, reason }: SagaSummary): string => {
  if (status === 'completed') return ''
  if (status === 'compensated') return reason ?? ''
  const step = steps.findLast((one) => one.status !== 'undone')
  if (step === undefined) return reason ?? ''
  return `${step.step} ${step.status}${step.attempt > 1 ? `, attempt ${step.attempt}` : ''}`
}

const list: Verb<ListOptions> = async (session, { args: [name], options }) => {
  const { database, terminal, suggest } = session
  const { all, after, limit } = options
  const found = await sagas({ database }, { limit, ...given({ saga: name, all, after }) })
  const next = found.length === limit ? (found.at(-1)?.instance ?? null) : null
  if (terminal.json) return terminal.document({ sagas: found, next })
  if (found.length === 0 && after !== undefined) return terminal.note('There are no more.')
  if (found.length === 0)
    return terminal.note(
      all === true ? 'No saga has run on this store.' : 'No saga is open. See ended ones: --all',
    )
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      columns('INSTANCE', 'STATUS', 'AT', 'BEGAN', 'LAST'),
      found.map((one) => [
        one.instance,
        cellOf(one.status),
        at(one),
        relative(one.since, now),
        relative(one.updated, now),
      ]),
    ),
  )
  if (next !== null) terminal.note(`There may be more: --after ${quoted(next)}`)
  terminal.hint(`Look into one: ${suggest(`sagas show ${quoted(found[0]?.instance ?? '')}`)}`)
}

const sagaText = (terminal: Terminal, view: SagaView, now: number): readonly string[] => [
  `${terminal.paint('bold', view.instance)}  ${view.status}`,
  ...fields(terminal, [
    ['began', `${iso(view.since)} (${relative(view.since, now)})`],
    ['last', `${iso(view.updated)} (${relative(view.updated, now)})`],
    ['reason', view.reason ?? undefined],
    ['state', view.state === null ? undefined : json(view.state)],
  ]),
  '',
  ...section(view.steps.length, [
    ...table(
      terminal,
      columns('STEP', 'STATUS', '>ATTEMPT'),
      view.steps.map(({ step, status, attempt }) => [step, status, count(attempt)]),
    ),
  ]),
  ...section(view.timers.length, [
    ...table(
      terminal,
      columns('TIMER', 'KIND', 'DUE'),
      view.timers.map(({ name, kind, due }) => [name, kind, relative(due, now)]),
    ),
  ]),
  ...streamTable(terminal, view.messages),
]

const section = (size: number, lines: readonly string[]): readonly string[] =>
  size === 0 ? [] : [...lines, '']

const show: Verb<{ readonly limit: number }> = async (session, given_) => {
  const { database, terminal, suggest } = session
  const {
    args: [instance = ''],
    options: { limit },
  } = given_
  const view = await saga({ database }, instance, { limit })
  if (terminal.json) return terminal.document(view)
  terminal.print(...sagaText(terminal, view, Date.now()))
  if (view.version > view.messages.length)
    terminal.note(
      `The last ${count(view.messages.length)} of ${count(view.version)} messages; all of them: ` +
        suggest(`streams show ${quoted(instance)}`),
    )
  const last = view.messages.at(-1)
  if (last !== undefined)
    terminal.hint(`What led to the last one: ${suggest(`why ${quoted(last.id)}`)}`)
}

export function addSagas(program: Command): void {
  const noun = program
    .command('sagas')
    .description('what remembers across messages: its instances and their steps')
  noun
    .command('list')
    .description('open instances, by saga and key')
    .argument('[saga]', 'only of this saga')
    .option('--all', 'ended ones too')
    .option('--after <instance>', 'only instances after this one')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', list))
  noun
    .command('show')
    .description('one instance: steps, state, timers, facts')
    .argument('<instance>', 'saga-key, as list gives it')
    .option('-n, --limit <number>', 'at most so many messages, the latest', whole(1), 100)
    .action(onStore('read', show))
}
