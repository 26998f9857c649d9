/**
 * `thence audit list`: who did what, when and why.
 */
import type { Command } from 'commander'
import type { AuditView } from '../admin/audit.ts'
import { audit } from '../admin/audit.ts'
import type { Verb } from './session.ts'
import { given, onStore, whole } from './session.ts'
import { columns, table } from './table.ts'
import { json, relative } from './text.ts'

interface ListOptions {
  readonly target?: string
  readonly action?: string
  readonly before?: string
  readonly limit: number
}

const more = ({ reason, details }: AuditView): string => {
  const facts = Object.entries(details).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : json(value)}`,
  )
  return [...(reason === null ? [] : [`"${reason}"`]), ...facts].join('  ')
}

const list: Verb<ListOptions> = async ({ on, terminal }, { options }) => {
  const { target, action, before, limit } = options
  const found = await audit(on, { limit, ...given({ target, action, before }) })
  const next = found.length === limit ? (found.at(-1)?.id ?? null) : null
  if (terminal.json) return terminal.document({ entries: found, next })
  if (found.length === 0 && before !== undefined) return terminal.note('There are no more.')
  if (found.length === 0) return terminal.note('The audit log has no such entry.')
  const now = Date.now()
  terminal.print(
    ...table(
      terminal,
      columns('WHEN', 'ACTOR', 'ACTION', 'TARGET', 'WHY AND WHAT…'),
      found.map((one) => [relative(one.time, now), one.actor, one.action, one.target, more(one)]),
    ),
  )
  if (next !== null) terminal.note(`There may be more: --before ${next}`)
}

export function addAudit(program: Command): void {
  const noun = program.command('audit').description('who did what to this store')
  noun
    .command('list')
    .description('acts, the latest first')
    .option('--target <name>', 'only what was done to this')
    .option('--action <action>', 'only this act, for example dead-letter.discard')
    .option('--before <id>', 'only entries before this one')
    .option('-n, --limit <number>', 'at most so many', whole(1), 50)
    .action(onStore('read', list))
}
