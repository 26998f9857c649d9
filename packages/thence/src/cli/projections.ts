/**
 * `thence projections list` and `thence projections rebuild`.
 */
import type { Command } from 'commander'
import { askRebuild } from '../admin/operate.ts'
import { projections } from '../admin/subscriptions.ts'
import { watchRebuild } from './rebuild.ts'
import type { Verb } from './session.ts'
import { onStore } from './session.ts'
import { subscriptionTable } from './subscriptions.ts'
import { count, line } from './text.ts'

const list: Verb<object> = async ({ database, terminal }) => {
  const found = await projections({ database })
  if (terminal.json) return terminal.document({ projections: found })
  if (found.length === 0)
    return terminal.note('No app with a projection has run on this store yet.')
  terminal.print(...subscriptionTable(terminal, found, Date.now()))
}

const rebuild: Verb<{ readonly wait: boolean }> = async (
  session,
  { args: [name = ''], options },
) => {
  const { on, terminal } = session
  const asked = await askRebuild(on, name)
  const shown = line(asked.projection)
  const outcome = options.wait
    ? await watchRebuild(session, asked)
    : ({ state: 'asked', position: asked.position, through: asked.head } as const)
  if (terminal.json) return terminal.document({ projection: asked.projection, ...outcome })
  if (outcome.state === 'finished')
    return terminal.print(`${shown} is rebuilt up to position ${count(outcome.through)}.`)
  terminal.print(`A rebuild of ${shown} is asked for.`)
  if (options.wait) terminal.note('No running app has taken it up: it begins when the app starts.')
}

export function addProjections(program: Command): void {
  const noun = program.command('projections').description('read models made from events')
  noun.command('list').description('how far each has come').action(onStore('read', list))
  noun
    .command('rebuild')
    .description('build a view anew from the log; the app does it, this asks and watches')
    .argument('<name>', 'name of the projection')
    .option('--no-wait', 'ask, and do not watch')
    .action(onStore('write', rebuild))
}
