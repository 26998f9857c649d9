/**
 * `thence dead-letters`: messages that wait for a person; look at them, send them through again, correct them, or give them
 * up.
 */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { DeadLetterView } from '../admin/dead-letters.ts'
import { deadLetter, deadLetterGroups, deadLetters } from '../admin/dead-letters.ts'
import { edit, restore } from '../admin/operate.ts'
import type { DeadLetterState } from '../ports/dead-letters.ts'
import { addDiscard } from './discard.ts'
import { usage } from './exit-code.ts'
import { messageText } from './message.ts'
import type { FilterOptions } from './redrive.ts'
import { addRedrive, filterOf, placeText, withFilter } from './redrive.ts'
import type { Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import { columns, fields, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, iso, line, lines, relative } from './text.ts'
import { watchLetter } from './watch-letter.ts'

interface ListOptions extends FilterOptions {
  readonly state: DeadLetterState | 'all'
  readonly after?: string
  readonly limit: number
}

/** What to say where none is found: with a filter there may be others. */
const noneText = (options: FilterOptions & Pick<ListOptions, 'state' | 'after'>): string => {
  if (options.after !== undefined) return 'There are no more.'
  const what = options.state === 'all' ? 'dead letter' : `${options.state} dead letter`
  return Object.keys(filterOf(options)).length > 0
    ? `No ${what} matches; others may be there.`
    : `There is no ${what}.`
}

/** `2 h ago`; `2 h ago, again 3 min ago`. */
const parkedText = (
  { parkedFirst, time }: Pick<DeadLetterView, 'parkedFirst' | 'time'>,
  now: number,
): string => {
  const first = relative(parkedFirst, now)
  return time - parkedFirst < 1000 ? first : `${first}, again ${relative(time, now)}`
}

const listVerb: Verb<ListOptions> = async (session, { options }) => {
  const { database, terminal, suggest } = session
  const { limit, after } = options
  const state = options.state === 'all' ? undefined : options.state
  const wanted = { limit, ...filterOf(options), ...given({ state, after }) }
  const found = await deadLetters({ database }, wanted)
  const next = found.length === limit ? (found.at(-1)?.id ?? null) : null
  if (terminal.json) return terminal.document({ deadLetters: found, next })
  if (found.length === 0) return terminal.note(noneText(options))
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      columns(
        'ID',
        'STATE',
        'SUBSCRIPTION',
        'KEY',
        'MESSAGE',
        '>POSITION',
        'PARKED',
        'KIND',
        'ERROR…',
      ),
      found.map((one) => [
        one.id,
        one.state,
        one.subscription,
        one.key,
        one.type,
        count(one.position),
        parkedText(one, now),
        one.kind,
        `${one.errorName}: ${one.errorMessage}`,
      ]),
    ),
  )
  if (next !== null) terminal.note(`There may be more: --after ${next}`)
  terminal.hint(`See why: ${suggest(`dead-letters show ${found[0]?.id ?? ''}`)}`)
}

/** A stack begins with the error, as a rule. */
const errorText = (terminal: Terminal, letter: DeadLetterView): readonly string[] => {
  const { errorName, errorMessage, errorCode, stack } = letter
  const text = `${errorName}: ${errorMessage}`
  const [first = '', ...rest] = stack.split('\n')
  const below = first.startsWith(text.slice(0, 200)) ? rest : [first, ...rest]
  return [
    terminal.paint('red', line(text)),
    ...(errorCode === null ? [] : [`code ${line(errorCode)}`]),
    ...(below.join('\n').trim() === '' ? [] : [lines(below.join('\n'))]),
  ]
}

const letterText = (terminal: Terminal, letter: DeadLetterView, now: number): readonly string[] => [
  `${terminal.paint('bold', `dead letter ${letter.id}`)}  ${letter.state}`,
  ...fields(terminal, [
    ['subscription', letter.subscription],
    ['key', letter.key],
    ['parked', `${iso(letter.parkedFirst)} (${parkedText(letter, now)})`],
    ['discarded', letter.state === 'discarded' ? (letter.reason ?? '') : undefined],
    ['kind', letter.replay ? `${letter.kind}, in a replay` : letter.kind],
    ['group', letter.fingerprint],
    ['job', letter.job ?? undefined],
  ]),
  '',
  terminal.paint('bold', 'message'),
  ...messageText(terminal, letter.message, now),
  '',
  ...(letter.editedMessage === null
    ? []
    : [
        terminal.paint('bold', 'edited message'),
        ...messageText(terminal, letter.editedMessage, now),
        '',
      ]),
  terminal.paint('bold', 'attempts'),
  ...letter.attempts.map(({ time, error }) => `${iso(time)}  ${line(error)}`),
  '',
  terminal.paint('bold', 'error'),
  ...errorText(terminal, letter),
]

const show: Verb<object> = async ({ database, terminal, suggest }, { args: [id = ''] }) => {
  const letter = await deadLetter({ database }, id)
  if (terminal.json) return terminal.document(letter)
  terminal.print(...letterText(terminal, letter, Date.now()))
  if (letter.state !== 'parked') return
  terminal.hint(`Send it through again: ${suggest(`dead-letters redrive ${letter.id}`)}`)
  terminal.hint(`Correct it: ${suggest(`dead-letters edit ${letter.id} --data '{…}'`)}`)
  terminal.hint(`Give it up: ${suggest(`dead-letters discard ${letter.id} --reason '…'`)}`)
}

interface GroupsOptions extends FilterOptions {
  readonly state: DeadLetterState
  readonly limit: number
}

const groupsVerb: Verb<GroupsOptions> = async (session, { options }) => {
  const { on, terminal, suggest } = session
  const { state, limit } = options
  const found = await deadLetterGroups(on, { state, limit, ...filterOf(options) })
  if (terminal.json) return terminal.document({ groups: found })
  if (found.length === 0) return terminal.note(noneText(options))
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      columns('GROUP', 'SUBSCRIPTION', '>LETTERS', 'FIRST', 'LAST', 'SAMPLE', 'KIND', 'ERROR…'),
      found.map(({ sample, ...one }) => [
        one.fingerprint,
        one.subscription,
        count(one.count),
        relative(one.first, now),
        relative(one.last, now),
        sample.id,
        sample.kind,
        `${sample.errorName}: ${sample.errorMessage}`,
      ]),
    ),
  )
  const first = found[0]?.fingerprint ?? ''
  terminal.hint(`Try one, then the rest: ${suggest(`dead-letters redrive --group ${first}`)}`)
}

const restoreVerb: Verb<{ readonly reason?: string }> = async (
  { on, terminal, suggest },
  { args: [id = ''], options },
) => {
  const acted = await restore(on, id, given({ reason: options.reason }))
  if (terminal.json) return terminal.document({ restored: 1, ...acted })
  terminal.print(`Restored: ${placeText(acted)}.`)
  terminal.note('It is parked. Its key has gone on meanwhile and does not wait for it.')
  terminal.hint(`Send it through again: ${suggest(`dead-letters redrive ${acted.id}`)}`)
}

interface EditOptions {
  readonly data?: unknown
  readonly file?: string
  readonly watch?: boolean
  readonly reason?: string
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${error instanceof Error ? error.message : ''}`)
  }
}

const fromFile = (file: string): unknown => {
  try {
    return parsed(readFileSync(file === '-' ? 0 : file, 'utf8'))
  } catch (error) {
    throw usage(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const editVerb: Verb<EditOptions> = async (session, { args: [id = ''], options }) => {
  const { on, terminal, suggest } = session
  const { file, reason, watch = false } = options
  if ((options.data === undefined) === (file === undefined))
    throw usage('Give the corrected data, whole, by --data JSON or by --file FILE.')
  const data = file === undefined ? options.data : fromFile(file)
  const acted = await edit(on, id, { data, ...given({ reason }) })
  if (terminal.json) terminal.document({ edited: 1, ...acted })
  else terminal.print(`Edited: ${placeText(acted)}; the new message is ${acted.messageId}.`)
  if (watch) return watchLetter(session, acted.id)
  if (terminal.json) return
  terminal.note('The app checks it by its schema when it takes it: within a second if it runs.')
  terminal.note(`See what became of it: ${suggest(`dead-letters show ${acted.id}`)}`)
}

const states = (...more: readonly string[]): Option =>
  new Option('--state <state>', 'only letters in this state').choices([
    'parked',
    'redriven',
    'resolved',
    'discarded',
    ...more,
  ])

export function addDeadLetters(program: Command): void {
  const noun = program.command('dead-letters').description('messages that wait for a person')
  const list = noun
    .command('list')
    .description('dead letters, those that were parked first come first')
    .addOption(states('all').default('parked'))
  withFilter(list)
    .option('--after <id>', 'only letters after this one')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', listVerb))
  const groups = noun
    .command('groups')
    .description('dead letters by how they failed, the largest group first')
    .addOption(states().default('parked'))
  withFilter(groups)
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', groupsVerb))
  noun
    .command('show')
    .description('one dead letter with its message, attempts and stack')
    .argument('<id>', 'its id')
    .action(onStore('read', show))
  addRedrive(noun)
  noun
    .command('edit')
    .description('correct a message and send it through again, as a new message')
    .argument('<id>', 'id of the dead letter')
    .option('--data <json>', 'the corrected data, whole', parsed)
    .option('--file <file>', 'a file that holds it; - is standard input')
    .option('--watch', 'stay until it went through or failed again')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', editVerb))
  addDiscard(noun)
  noun
    .command('restore')
    .description('take a discard back; its key does not wait for it')
    .argument('<id>', 'id of the dead letter')
    .option('--reason <text>', 'why, for the audit log')
    .action(onStore('write', restoreVerb))
}
