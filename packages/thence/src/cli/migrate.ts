/**
 * `thence migrate`: brings the tables of a store up to date, or shows what that would run.
 */
import type { Command } from 'commander'
import { grants } from 'thence/postgres'
import { ThenceError } from '../errors.ts'
import { usage } from './exit-code.ts'
import type { Mode } from './open.ts'
import { onStore } from './session.ts'
import type { Verb } from './session.ts'
import { counted } from './text.ts'

interface MigrateOptions {
  readonly dryRun?: boolean
  /** The role of the app, to be told what it needs. */
  readonly roles?: string
  /** The role of those who look. */
  readonly reader?: string
}

/** Prints only: who owns the schema runs it. */
const roles: Verb<MigrateOptions> = async ({ database, place, terminal }, { options }) => {
  if (place.kind === 'file')
    throw usage('--roles is for a store on PostgreSQL: a file has no roles.')
  const { roles: app, reader } = options
  const schema = place.schema ?? 'thence'
  const { views } = (await database.copying?.().names?.()) ?? {}
  const sql = grants({
    schema,
    ...(views !== undefined && { views }),
    ...(app !== undefined && { app }),
    ...(reader !== undefined && { reader }),
  })
  if (terminal.json) return terminal.document({ schema, sql })
  terminal.print(sql)
  terminal.note('Nothing was run. Let the owner of the schema run this, after each migration.')
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
    .option('--roles <app>', 'only print the SQL that gives this role what an app needs')
    .option('--reader <role>', 'and this one what it needs to look')
    .action(function (this: Command): Promise<void> {
      const given = this.opts<MigrateOptions>()
      const { dryRun = false } = given
      if (given.roles !== undefined || given.reader !== undefined)
        return onStore('plan', roles).call(this)
      const mode: Mode = dryRun ? 'plan' : 'migrate'
      return onStore(mode, dryRun ? plan : apply).call(this)
    })
}
