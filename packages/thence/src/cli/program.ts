/**
 * The grammar of the command, and what becomes of an error: code, what happened, what to do; never a stack unless
 * THENCE_DEBUG asks for it.
 */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { isThenceError } from '../errors.ts'
import { addAudit } from './audit.ts'
import { addDeadLetters } from './dead-letters.ts'
import { addDoctor } from './doctor.ts'
import { addEvents } from './events.ts'
import { exitCodeHelp, exitCodeOf, isTold } from './exit-code.ts'
import { addMetrics } from './metrics.ts'
import { addJobs } from './jobs.ts'
import { addMigrate } from './migrate.ts'
import { addProjections } from './projections.ts'
import { addRebuild } from './rebuild.ts'
import { addRetention } from './retention.ts'
import { addReplay } from './replay.ts'
import { addSagas } from './sagas.ts'
import { addSchedules } from './schedules.ts'
import { actorName } from './session.ts'
import { addStatus } from './status.ts'
import { addStore } from './store.ts'
import { addStreams } from './streams.ts'
import { addSubscriptions } from './subscriptions.ts'
import { lines } from './text.ts'
import { addTorture } from './torture.ts'
import { addWhy } from './why.ts'

const examples = `
Examples:
  thence status --db shop.db
  thence streams show order-7 --db shop.db
  thence events tail --follow --type OrderPlaced
  thence why 01a2073a-b8e3-75ef-bd8f-d20582576d8f
  thence dead-letters redrive --subscription mailer --watch

Environment:
  THENCE_STORE  the store, if neither --db nor --store is given
  THENCE_DB     the same
  NO_COLOR      no colour
  THENCE_DEBUG  print the stack of an error`

const version = (): string => {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

export function program(): Command {
  const root = new Command('thence')
    .description('Looks at a Thence store and acts on it. Reading changes nothing.')
    .version(version(), '-V, --version', 'print the version')
    .option('--db <file>', 'the SQLite file of the store (or THENCE_DB)')
    .option('--store <url>', 'postgres://user@host/database?schema=name (or THENCE_STORE)')
    .option('--as <name>', 'who acts, for the audit log (default: user@host)', actorName)
    .option('--json', 'one JSON document instead of text')
    .option('--no-color', 'no colour')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', `${examples}\n${exitCodeHelp}`)
    .exitOverride()
  addStatus(root)
  addStreams(root)
  addEvents(root)
  addProjections(root)
  addRebuild(root)
  addSubscriptions(root)
  addDeadLetters(root)
  addReplay(root)
  addSagas(root)
  addSchedules(root)
  addJobs(root)
  addAudit(root)
  addMetrics(root)
  addRetention(root)
  addMigrate(root)
  addDoctor(root)
  addStore(root)
  addTorture(root)
  addWhy(root)
  return root
}

const tell = (error: unknown): void => {
  if (isTold(error)) return
  const message = error instanceof Error ? error.message : String(error)
  // The second is how commander tells of an option that it does not know.
  const told = isThenceError(error) ? `${error.code}  ${message}` : `error: ${message}`
  process.stderr.write(`${lines(told)}\n`)
  if (process.env['THENCE_DEBUG'] !== undefined && error instanceof Error)
    process.stderr.write(`${lines(error.stack ?? '')}\n`)
}

/** Runs the command with the arguments of a process; sets its exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  // Whoever reads may have had enough (`| head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
  try {
    await program().parseAsync(argv)
  } catch (error) {
    tell(error)
    process.exitCode = exitCodeOf(error)
  }
}
