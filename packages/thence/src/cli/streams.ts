/**
 * `thence streams list` and `thence streams show`.
 */
import type { Command } from 'commander'
import { stream, streams } from '../admin/messages.ts'
import { streamTable } from './message.ts'
import type { StreamInfo } from '../ports/events.ts'
import type { Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import { columns, table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { count, quoted, relative } from './text.ts'

interface ListOptions {
  readonly limit: number
  readonly after?: string
}

const stateOf = ({ trimmed, tombstone }: Pick<StreamInfo, 'trimmed' | 'tombstone'>): string => {
  if (tombstone) return 'ended for good'
  return trimmed === 0 ? '-' : `removed up to ${count(trimmed)}`
}

const tellState = (terminal: Terminal, found: Parameters<typeof stateOf>[0]): void => {
  const state = stateOf(found)
  if (state !== '-') terminal.note(`Of its history: ${state}.`)
}

const list: Verb<ListOptions> = async (session, { args: [prefix], options }) => {
  const { database, terminal, suggest } = session
  const { limit, after } = options
  const found = await streams({ database }, { limit, ...given({ prefix, after }) })
  const next = found.length === limit ? (found.at(-1)?.stream ?? null) : null
  if (terminal.json) return terminal.document({ streams: found, next })
  if (found.length === 0) return terminal.note('No stream has such a name.')
  const now = Date.now()
  // A column of its own only where there is anything to say.
  const told = found.some((one) => stateOf(one) !== '-') ? ['STATE'] : []
  terminal.print(
    ...table(
      terminal,
      columns('STREAM', '>VERSION', '>POSITION', 'LAST', ...told),
      found.map((one) => [
        one.stream,
        count(one.version),
        count(one.position),
        relative(one.time, now),
        stateOf(one),
      ]),
    ),
  )
  const words = prefix === undefined ? '' : ` ${quoted(prefix)}`
  if (next !== null)
    terminal.note(`There may be more: ${suggest(`streams list${words} --after ${quoted(next)}`)}`)
  else if (found[0] !== undefined)
    terminal.hint(`Look into one: ${suggest(`streams show ${quoted(found[0].stream)}`)}`)
}

interface ShowOptions {
  readonly limit: number
  readonly from?: number
  readonly backwards?: boolean
}

const show: Verb<ShowOptions> = async (session, { args: [name = ''], options }) => {
  const { database, terminal, suggest } = session
  const { limit, from, backwards } = options
  const found = await stream({ database }, name, { limit, ...given({ from, backwards }) })
  if (terminal.json) return terminal.document(found)
  if (found.messages.length === 0)
    terminal.note(
      `There is nothing of it from there on: its last version is ${count(found.version)}.`,
    )
  else terminal.print(...streamTable(terminal, found.messages))
  tellState(terminal, found)
  const last = found.messages.at(-1)
  const next = (last?.version ?? 0) + (backwards === true ? -1 : 1)
  if (last !== undefined && next >= 1 && next <= found.version)
    terminal.note(
      `${count(found.version)} messages in all; go on with --from ${next}${backwards === true ? ' --backwards' : ''}`,
    )
  if (last !== undefined) terminal.hint(`Why is it there? ${suggest(`why ${quoted(last.id)}`)}`)
}

export function addStreams(program: Command): void {
  const noun = program.command('streams').description('the streams of the log')
  noun
    .command('list')
    .description('streams by name')
    .argument('[prefix]', 'only streams whose name starts with it')
    .option('--after <name>', 'only streams after this name')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', list))
  noun
    .command('show')
    .description('the messages of one stream')
    .argument('<name>', 'name of the stream')
    .option('--from <version>', 'begin at this version', whole(1))
    .option('--backwards', 'the latest first')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', show))
}
