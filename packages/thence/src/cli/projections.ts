/**
 * `thence projections list`.
 */
import type { Command } from 'commander'
import { projections } from '../admin/subscriptions.ts'
import type { Verb } from './session.ts'
import { onStore } from './session.ts'
import { subscriptionTable } from './subscriptions.ts'

const list: Verb<object> = async ({ database, terminal }) => {
  const found = await projections({ database })
  if (terminal.json) return terminal.document({ projections: found })
  if (found.length === 0)
    return terminal.note('No app with a projection has run on this store yet.')
  terminal.print(...subscriptionTable(terminal, found, { now: Date.now() }))
}

export function addProjections(program: Command): void {
  const noun = program.command('projections').description('read models made from events')
  noun.command('list').description('how far each has come').action(onStore('read', list))
}
