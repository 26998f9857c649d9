/**
 * `thence dead-letters`: messages that wait for a person; send them through again, or give them up.
 */
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { DeadLetterView } from '../admin/dead-letters.ts'
import { deadLetter, deadLetters } from '../admin/dead-letters.ts'
import { discard, redrive, redriveAll } from '../admin/operate.ts'
import { subscriptions } from '../admin/subscriptions.ts'
import { ThenceError } from '../errors.ts'
import type { DeadLetterState } from '../ports/dead-letters.ts'
import { usage } from './exit-code.ts'
import { messageText } from './message.ts'
import { Progress } from './progress.ts'
import type { Session, Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import { columns, fields, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, counted, iso, line, lines, relative } from './text.ts'

interface ListOptions {
  readonly state: DeadLetterState | 'all'
  readonly subscription?: string
  readonly after?: string
  readonly limit: number
}

const list: Verb<ListOptions> = async (session, { options }) => {
  const { database, terminal, suggest } = session
  const { limit, subscription, after } = options
  const state = options.state === 'all' ? undefined : options.state
  const found = await deadLetters({ database }, { limit, ...given({ state, subscription, after }) })
  const next = found.length === limit ? (found.at(-1)?.id ?? null) : null
  if (terminal.json) return terminal.document({ deadLetters: found, next })
  if (found.length === 0) return terminal.note(`There is no dead letter that is ${options.state}.`)
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      columns('ID', 'STATE', 'SUBSCRIPTION', 'KEY', 'MESSAGE', '>POSITION', 'PARKED', 'ERROR…'),
      found.map((one) => [
        one.id,
        one.state,
        one.subscription,
        one.key,
        one.type,
        count(one.position),
        relative(one.time, now),
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
    ['parked', `${iso(letter.time)} (${relative(letter.time, now)})`],
    ['discarded', letter.state === 'discarded' ? (letter.reason ?? '') : undefined],
  ]),
  '',
  terminal.paint('bold', 'message'),
  ...messageText(terminal, letter.message, now),
  '',
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
  terminal.hint(`Give it up: ${suggest(`dead-letters discard ${letter.id} --reason '…'`)}`)
}

interface RedriveOptions {
  readonly all?: boolean
  readonly subscription?: string
  readonly limit?: number
  readonly yes?: boolean
}

const whenPickedUp = 'A running app takes it within a second, else the next one at its start.'

const redriveOne = async ({ on, terminal, suggest }: Session, id: string): Promise<void> => {
  const acted = await redrive(on, id)
  if (terminal.json) return terminal.document({ redriven: 1, ...acted })
  terminal.print(
    `Redriven: ${line(acted.subscription)}, key ${line(acted.key)}, position ${count(acted.position)}.`,
  )
  terminal.note(whenPickedUp)
  terminal.hint(`See what became of it: ${suggest(`dead-letters show ${acted.id}`)}`)
}

const ask = async (question: string): Promise<string> => {
  const questions = createInterface({ input: process.stdin, output: process.stderr })
  const { promise, resolve } = Promise.withResolvers<string>()
  questions.question(question, resolve)
  questions.once('close', () => resolve(''))
  const answer = await promise
  questions.close()
  return answer
}

/** Says how many; asks a person who did not say --yes. */
const confirm = async (
  { database }: Session,
  subscription: string,
  { yes = false, limit = Infinity }: RedriveOptions,
): Promise<number> => {
  const all = await subscriptions({ database })
  const parked = Math.min(limit, all.find(({ name }) => name === subscription)?.parked ?? 0)
  if (yes || parked === 0) return parked
  const what = `${counted(parked, 'parked message')} of ${line(subscription)}`
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw usage(`This sends ${what} through again. Say so with --yes.`)
  const answer = await ask(`Send ${what} through again? [y/N] `)
  if (/^y(es)?$/i.test(answer.trim())) return parked
  throw new ThenceError('ABORTED', 'Nothing was redriven.')
}

const redriveMany = async (session: Session, options: RedriveOptions): Promise<void> => {
  const { on, terminal, interruptible } = session
  const { subscription, limit } = options
  if (subscription === undefined) throw usage('--all needs --subscription NAME.')
  const total = await confirm(session, subscription, options)
  const signal = interruptible()
  const progress = new Progress(terminal, 'redriving')
  const done = await redriveAll(on, {
    subscription,
    signal,
    onProgress: (redriven) => progress.update(redriven, total),
    ...given({ limit }),
  })
  progress.end()
  if (terminal.json) terminal.document(done)
  else {
    const skipped = done.skipped === 0 ? '' : `; ${count(done.skipped)} do not wait any more`
    terminal.print(
      `Redriven: ${counted(done.redriven, 'message')} of ${line(subscription)}${skipped}.`,
    )
    if (done.redriven > 0) terminal.note(whenPickedUp)
  }
  if (signal.aborted)
    throw new ThenceError('ABORTED', 'Stopped before the end; run it again for the rest.')
}

const redriveVerb: Verb<RedriveOptions> = async (session, { args: [id], options }) => {
  const all = options.all === true
  if (all === (id !== undefined))
    throw usage('Give the id of one dead letter, or --all --subscription NAME.')
  await (id === undefined ? redriveMany(session, options) : redriveOne(session, id))
}

const discardVerb: Verb<{ readonly reason: string }> = async (
  { on, terminal },
  { args: [id = ''], options },
) => {
  if (options.reason.trim() === '') throw usage('--reason must say something.')
  const acted = await discard(on, id, options.reason)
  if (terminal.json) return terminal.document({ discarded: 1, ...acted })
  terminal.print(
    `Discarded: ${line(acted.subscription)}, key ${line(acted.key)}, position ${count(acted.position)}.`,
  )
  terminal.note('What waited behind it goes on.')
}

export function addDeadLetters(program: Command): void {
  const noun = program.command('dead-letters').description('messages that wait for a person')
  const states = new Option('--state <state>', 'only letters in this state')
    .choices(['parked', 'redriven', 'resolved', 'discarded', 'all'])
    .default('parked')
  noun
    .command('list')
    .description('dead letters, the oldest first')
    .addOption(states)
    .option('--subscription <name>', 'only of this subscription')
    .option('--after <id>', 'only letters after this one')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', list))
  noun
    .command('show')
    .description('one dead letter with its message, attempts and stack')
    .argument('<id>', 'its id')
    .action(onStore('read', show))
  noun
    .command('redrive')
    .description('send messages through again, with all their attempts anew')
    .argument('[id]', 'id of one dead letter')
    .option('--all', 'all that are parked')
    .option('--subscription <name>', 'of this subscription')
    .option('-n, --limit <number>', 'at most so many', whole(1))
    .option('-y, --yes', 'do not ask')
    .action(onStore('write', redriveVerb))
  noun
    .command('discard')
    .description('give a message up; what waits behind it goes on')
    .argument('<id>', 'id of the dead letter')
    .requiredOption('--reason <text>', 'why; it is kept with the letter')
    .action(onStore('write', discardVerb))
}
