/**
 * `thence dead-letters discard`: one letter, or many after a look at how many.
 */
import type { Command } from 'commander'
import { discardMany, planDiscard } from '../admin/discard-many.ts'
import { discard } from '../admin/operate.ts'
import { confirm } from './ask.ts'
import { usage } from './exit-code.ts'
import type { FilterOptions } from './redrive.ts'
import { filterOf, placeText, tellPlan, withFilter } from './redrive.ts'
import type { Session, Verb } from './session.ts'
import { onStore } from './session.ts'
import { counted } from './text.ts'

interface DiscardOptions extends FilterOptions {
  readonly reason?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const reasonOf = ({ reason = '' }: DiscardOptions): string => {
  if (reason.trim() === '') throw usage('--reason must say something.')
  return reason
}

const discardAll = async (session: Session, options: DiscardOptions): Promise<void> => {
  const { on, terminal } = session
  const filter = filterOf(options)
  if (Object.keys(filter).length === 0)
    throw usage('Say which: the id of one dead letter, --subscription, --group, --kind, ….')
  if (options.dryRun === true)
    return tellPlan(session, await planDiscard(on, filter), 'would be discarded')
  const reason = reasonOf(options)
  if (options.yes !== true) {
    const { total } = await planDiscard(on, filter)
    if (total > 0) await confirm(`gives ${counted(total, 'parked message')} up`)
  }
  const discarded = await discardMany(on, { ...filter, reason })
  if (terminal.json) return terminal.document({ discarded })
  terminal.print(`Discarded: ${counted(discarded, 'message')}.`)
  terminal.note('What waited behind them goes on.')
}

const discardVerb: Verb<DiscardOptions> = async (session, { args: [id], options }) => {
  if (id === undefined) return discardAll(session, options)
  const { on, terminal } = session
  if (Object.keys(filterOf(options)).length > 0 || options.dryRun === true)
    throw usage('Give the id of one dead letter, or say which by options, not both.')
  const acted = await discard(on, id, reasonOf(options))
  if (terminal.json) return terminal.document({ discarded: 1, ...acted })
  terminal.print(`Discarded: ${placeText(acted)}.`)
  terminal.note('What waited behind it goes on.')
}

export function addDiscard(noun: Command): void {
  const verb = noun
    .command('discard')
    .description('give messages up; what waits behind them goes on')
    .argument('[id]', 'id of one dead letter')
  withFilter(verb)
    .option('--reason <text>', 'why; it is kept with the letter')
    .option('--dry-run', 'tell how many, and do nothing')
    .option('-y, --yes', 'do not ask')
    .action(onStore('write', discardVerb))
}
