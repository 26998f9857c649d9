/**
 * What every verb works with: the open store, where to write, and whether the user has had enough.
 */
import { hostname, userInfo } from 'node:os'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { On } from '../admin/on.ts'
import { isThenceError, ThenceError } from '../errors.ts'
import type { Database } from '../ports/database.ts'
import type { Mode } from './open.ts'
import { openStore } from './open.ts'
import type { Place, PlaceOptions } from './place.ts'
import { chosenPlace, placeWords } from './place.ts'
import { cannotWatch } from './still.ts'
import type { TerminalOptions } from './terminal.ts'
import { Terminal } from './terminal.ts'

/** Options of every verb. */
export interface GlobalOptions extends TerminalOptions, PlaceOptions {
  /** Who acts. */
  readonly as?: string
}

export interface Session {
  readonly database: Database
  /** The store and who acts, as `thence/admin` takes them. */
  readonly on: On
  readonly place: Place
  readonly terminal: Terminal
  /** From this call on the first Ctrl-C aborts the signal instead of the process; the second ends it at once. */
  readonly interruptible: () => AbortSignal
  /** A command to suggest, for the same store. */
  readonly suggest: (words: string) => string
}

export interface Given<Options> {
  readonly args: readonly string[]
  readonly options: Options
}

export type Verb<Options> = (session: Session, given: Given<Options>) => Promise<void>

/** From this call on the first Ctrl-C aborts the signal instead of the process. */
export const untilInterrupted = (): AbortSignal => {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  return controller.signal
}

const me = (): string => {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // A user without an entry in the system's list, as in some containers.
    return `${process.getuid?.() ?? 'someone'}@${hostname()}`
  }
}

/** Errors that say of which store they are. */
const named = new WeakSet<object>()

/** Names the store in what the adapter says, which knows only a connection. */
const withName = (error: unknown, name: string): unknown => {
  if (!isThenceError(error) || !error.code.startsWith('STORE_') || named.has(error)) return error
  const { code, message, details } = error
  if (message.includes(name)) return error
  const told = new ThenceError(code, `${name}: ${message}`, { cause: error, details })
  named.add(told)
  return told
}

/** Opens a store beside that of the verb; its errors name it. */
export async function openBeside(place: Place, mode: Mode): Promise<Database> {
  try {
    return (await openStore(place, mode)).database
  } catch (error) {
    throw withName(error, place.name)
  }
}

/** A verb as an action of commander: opens the store, does it, closes the store. */
export function onStore<Options = object>(
  mode: Mode,
  verb: Verb<Options>,
): (this: Command) => Promise<void> {
  return async function (this: Command): Promise<void> {
    const options = this.optsWithGlobals<Options & GlobalOptions>()
    const place = chosenPlace(options)
    const terminal = new Terminal(options)
    const suggest = (words: string): string => `thence ${words}${placeWords(options)}`
    try {
      const { database, still } = await openStore(place, mode)
      const interruptible = (): AbortSignal => {
        if (still !== undefined) throw cannotWatch(place.name)
        return untilInterrupted()
      }
      try {
        const on = { database, actor: options.as ?? me() }
        const session = { database, on, place, terminal, interruptible, suggest }
        await verb(session, { args: this.args, options })
        still?.check()
      } finally {
        await database.close()
      }
    } catch (error) {
      throw withName(error, place.name)
    }
  }
}

/** Who acts, as an option's value. */
export const actorName = (text: string): string => {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('It must say who acts, such as ann.')
}

/** A whole number from `least`, as an option's value. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least}.`)
  }

/** An option that may be given several times. */
export const collected = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

/** Picks the options that were given, without those that are undefined. */
export const given = <T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
