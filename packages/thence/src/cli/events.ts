/**
 * `thence events tail` and `thence events show`.
 */
import type { Command } from 'commander'
import type { EventsOptions } from '../admin/messages.ts'
import { events, message } from '../admin/messages.ts'
import type { MessageView } from '../message/view.ts'
import { messageLine, messageText } from './message.ts'
import { pause } from './pause.ts'
import type { Session, Verb } from './session.ts'
import { collected, given, onStore, whole } from './session.ts'
import { json, quoted } from './text.ts'

interface TailOptions {
  readonly limit?: number
  readonly follow?: boolean
  readonly type?: readonly string[]
  readonly tag?: readonly string[]
  readonly stream?: string
  readonly after?: number
}

const defaultLimit = 20
const pageSize = 500
/** How often `--follow` looks for more, in milliseconds. */
const lookEvery = 200

const print = async ({ terminal }: Session, messages: readonly MessageView[]): Promise<void> => {
  terminal.print(...messages.map((one) => (terminal.json ? json(one) : messageLine(terminal, one))))
  await terminal.drained()
}

type Filter = Pick<EventsOptions, 'types' | 'tags' | 'stream'>

/** The last messages that match; gives the position after which to go on. */
const printLast = async (session: Session, filter: Filter, limit: number): Promise<number> => {
  const { database } = session
  const found: MessageView[] = []
  while (found.length < limit) {
    const bound = given({ before: found.at(-1)?.position })
    const options = { ...filter, ...bound, backwards: true, limit: limit - found.length }
    const page = await events({ database }, options)
    found.push(...page.messages)
    if (!page.more) break
  }
  await print(session, found.reverse())
  return found.at(-1)?.position ?? 0
}

/** Everything after a position up to the end of the log, at most `limit`; gives the position after which to go on. */
const printAfter = async (
  session: Session,
  filter: Filter,
  from: { readonly after: number; readonly limit: number },
): Promise<number> => {
  let { after, limit } = from
  while (limit > 0) {
    const size = Math.min(limit, pageSize)
    const page = await events({ database: session.database }, { ...filter, after, limit: size })
    await print(session, page.messages)
    after = page.through
    limit -= page.messages.length
    if (!page.more) break
  }
  return after
}

const follow = async (session: Session, filter: Filter, from: number): Promise<void> => {
  const signal = session.interruptible()
  let after = from
  while (!signal.aborted) {
    after = await printAfter(session, filter, { after, limit: Infinity })
    // Ctrl-C is how one ends it.
    await pause(lookEvery, signal)
  }
}

const tail: Verb<TailOptions> = async (session, { options }) => {
  const { type: types, tag: tags, stream, after, limit } = options
  const filter = given({ types, tags, stream })
  const through =
    after === undefined
      ? await printLast(session, filter, limit ?? defaultLimit)
      : await printAfter(session, filter, { after, limit: limit ?? Infinity })
  if (options.follow === true) return follow(session, filter, through)
  if (through === (after ?? 0)) session.terminal.note('There is no such message.')
  else session.terminal.hint('See new ones as they come: --follow')
}

const show: Verb<object> = async ({ database, terminal, suggest }, { args: [which = ''] }) => {
  const found = await message({ database }, which)
  if (terminal.json) return terminal.document(found)
  terminal.print(...messageText(terminal, found, Date.now()))
  terminal.hint(`Why is it there? ${suggest(`why ${quoted(found.id)}`)}`)
}

export function addEvents(program: Command): void {
  const noun = program.command('events').description('the messages of the log')
  noun
    .command('tail')
    .description('the last messages; with --json one document per line')
    .option('-n, --limit <number>', `at most so many (default: ${defaultLimit})`, whole(1))
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--type <name>', 'only this type; may be repeated', collected)
    .option('--tag <name>', 'only with this tag; may be repeated', collected)
    .option('--stream <name>', 'only of this stream')
    .option(
      '--after <position>',
      'everything after this position instead of the last ones',
      whole(0),
    )
    .action(onStore('read', tail))
  noun
    .command('show')
    .description('one message with everything')
    .argument('<id>', 'its id, or its position')
    .action(onStore('read', show))
}
