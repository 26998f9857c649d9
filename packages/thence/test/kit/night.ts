// A schedule with what takes its commands, and what came of them.
import type { AppBuilder, ScheduleOptions } from 'thence'
import { command, handler, plain, schedule } from 'thence'
import { audit } from 'thence/admin'
import type { TestApp, TestAppOptions } from 'thence/testing'
import type { Around, Place } from './places.ts'
import { all, run } from './places.ts'

export const Make = command('Make', plain<{ readonly of: string; readonly manual: boolean }>())

/** A schedule named `nightly`, unless told otherwise, whose command says for which slot it is. */
export const nightly = (change: Partial<ScheduleOptions> = {}, name = 'nightly') =>
  schedule(name, {
    cron: '0 2 * * *',
    send: ({ local, manual }) => Make({ of: local.slice(0, 19), manual }),
    ...change,
  })

export const maker = handler('maker', Make, () => undefined)

export interface Night extends TestApp<'Make', never> {
  /** For which slots a command was recorded, in the order of the log. */
  made(): Promise<readonly string[]>
}

/** Starts an app with these schedules. */
export const night = async (
  place: Place,
  schedules: readonly ReturnType<typeof nightly>[],
  options: Omit<TestAppOptions, 'database'> & {
    readonly around?: Around
  } = {},
): Promise<Night> => {
  const build = (app: AppBuilder) => app.use(maker, ...schedules)
  const test = await run(place, build, options)
  return { ...test, made: async () => (await madeIn(test.app)).map(({ of }) => of) }
}

/** The nights of the beginning of 2026. */
export const nights = (from: number, to: number): readonly string[] =>
  Array.from(
    { length: to - from + 1 },
    (_, n) => `2026-01-${String(from + n).padStart(2, '0')}T02:00:00`,
  )

export interface Made {
  readonly id: string
  readonly of: string
  readonly manual: boolean
  readonly time: number
}

export const madeIn = async (
  app: Pick<TestApp<never, never>['app'], 'stream'>,
): Promise<readonly Made[]> =>
  (await all(app.stream('commands-Make'))).map(({ id, time, data }) => ({
    id,
    time,
    ...(data as { of: string; manual: boolean }),
  }))

/** What the audit log tells. */
export const actions = async (test: Pick<TestApp<never, never>, 'app'>) =>
  (await audit({ database: test.app.database })).map(({ action, target, details, actor }) => ({
    action,
    target,
    actor,
    ...details,
  }))
