/**
 * `thence migrate`: brings the tables of a store up to date, or shows what that would run.
 */
import type { Command } from 'commander'
import { ThenceError } from '../errors.ts'
import type { Mode } from './open.ts'
import { onStore } from './session.ts'
import type { Verb } from './session.ts'
import { counted } from './text.ts'

interface MigrateOptions {
  readonly dryRun?: boolean
}

const plan: Verb<MigrateOptions> = async ({ database, terminal, suggest }) => {
  const { current, pending } = await database.plan()
  if (terminal.json) return terminal.document({ current, pending })
  if (pending.length === 0)
    return terminal.note(`Nothing to do: the store is at migration ${current}.`)
  for (const { number, name, script } of pending)
    terminal.print(`-- migration ${number}: ${name}`, script, '')
  terminal.note(`${counted(pending.length, 'migration')} to apply. Apply: ${suggest('migrate')}`)
}

const apply: Verb<MigrateOptions> = async ({ database, terminal, suggest }) => {
  const { current, pending } = await database.migrate()
  const now = pending.at(-1)?.number ?? current
  const applied = pending.map(({ number, name }) => ({ number, name }))
  if (terminal.json) return terminal.document({ before: current, current: now, applied })
  for (const { number, name } of applied) terminal.print(`Applied migration ${number}: ${name}`)
  if (applied.length === 0) terminal.note(`Nothing to do: the store is at migration ${current}.`)
  else terminal.hint(`See it: ${suggest('status')}`)
  const left = (await database.plan()).pending.length
  if (left > 0) throw new ThenceError('STORE_NOT_MIGRATED', `${left} migrations are still missing.`)
}

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the tables of the store up to date')
    .option('--dry-run', 'only print the SQL that it would run')
    .action(function (this: Command): Promise<void> {
      const { dryRun = false } = this.opts<MigrateOptions>()
      const mode: Mode = dryRun ? 'plan' : 'migrate'
      return onStore(mode, dryRun ? plan : apply).call(this)
    })
}
