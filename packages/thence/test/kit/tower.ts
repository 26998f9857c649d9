// A tower whose bells are heard by a handler that may be replayed to: it appends, sends, writes a row, and sends a mail.
import type { Database, HandlerOptions, Replayed } from 'thence'
import { command, event, handler, plain } from 'thence'
import type { Place } from './places.ts'
import { all, run } from './places.ts'

export const Rung = event('Rung', plain<{ bell: string; n: number }>())
export const Tolled = event('Tolled', plain<{ bell: string; n: number }>())
export const Heard = event('Heard', plain<{ n: number }>())
export const Answer = command('Answer', plain<{ n: number }>())

export type Options = Partial<HandlerOptions<typeof Rung | typeof Tolled>>

export interface Log {
  /** Each call, with whether it was a replay. */
  readonly calls: string[]
  /** What was done outside. */
  readonly mails: string[]
}

/** Appends, sends, writes a row, and sends a mail. */
export const ear = ({ calls, mails }: Log, options: Options = {}) =>
  handler('ear', [Rung, Tolled], {
    key: ({ data }) => data.bell,
    replay: 'marked',
    retry: { attempts: 2, base: 10 },
    run: ({ data: { bell, n } }, { append, send, within, replaying, skipOnReplay }) => {
      calls.push(`${bell}${n}${replaying ? ' again' : ''}`)
      skipOnReplay(() => mails.push(`${bell}${n}`))
      append('heard', Heard({ n }))
      send(Answer({ n }))
      within(({ documents: rows }) => rows.put('rows', `${bell}${n}`, '{}'))
    },
    ...options,
  })

interface StartOptions extends Options {
  readonly around?: (database: Database) => Database
}

/** Starts it at a place, with options of the handler. */
export const startEar = (place: Place, log: Log, { around, ...options }: StartOptions = {}) =>
  run(
    place,
    (app) =>
      app
        .use(ear(log, options))
        .messages(Heard)
        .handle('mouth', Answer, () => undefined),
    around === undefined ? {} : { around },
  )

export const empty = (): Log => ({ calls: [], mails: [] })
export const bells = ['a', 'b', 'c', 'd']
export const rung = (count: number) =>
  Array.from({ length: count }, (_, n) => Rung({ bell: String(bells[n % bells.length]), n }))

export type Test = Awaited<ReturnType<typeof startEar>>

export const until = (test: Test, replay: Promise<Replayed>): Promise<Replayed> =>
  test.runtime.until(replay)

export const log = (test: Test) => all(test.app.log())

export const none = { resolved: 0, failed: 0, waiting: 0, skipped: 0, error: null }
