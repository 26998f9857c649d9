/**
 * How the command ends, told to scripts by its exit code.
 */
import { CommanderError } from 'commander'
import { isThenceError } from '../errors.ts'

/** Exit codes and what they mean; `--help` and docs/operate/cli.md tell the same list. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 5,
  interrupted: 130,
} as const

export const exitCodeHelp = `
Exit codes:
  0    done
  1    failed
  2    wrong usage: no such option, or a value that it cannot have
  3    what was named does not exist
  5    the store is missing, busy, damaged, too new, not migrated, incomplete or no store
  130  interrupted`

const usageCode = 'thence.usage'

/** A mistake in how the command was called. */
export function usage(message: string): CommanderError {
  return new CommanderError(exitCodes.usage, usageCode, message)
}

/** Whether commander has told the error already. */
export function isTold(error: unknown): boolean {
  return error instanceof CommanderError && error.code !== usageCode
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError)
    return error.exitCode === exitCodes.ok && !error.code.includes('missing')
      ? exitCodes.ok
      : exitCodes.usage
  if (!isThenceError(error)) return exitCodes.failed
  if (error.code.startsWith('STORE_')) return exitCodes.unreachable
  if (error.code === 'NOT_FOUND') return exitCodes.notFound
  if (error.code === 'CONFIG_INVALID' || error.code === 'NAME_INVALID') return exitCodes.usage
  return error.code === 'ABORTED' ? exitCodes.interrupted : exitCodes.failed
}
