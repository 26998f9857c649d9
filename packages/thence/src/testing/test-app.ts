/**
 * An app for a test in one call: in memory, on a virtual clock, watched by a spy, silent. Everything runs as in
 * production but for time, which passes when the test says so.
 */
import { memory } from '../adapters/memory/database.ts'
import type { App } from '../app/app.ts'
import type { AppBuilder } from '../app/builder.ts'
import type { AppOptions } from '../app/options.ts'
import { app } from '../app/builder.ts'
import type { Duration } from '../internal/duration.ts'
import { expectFunction } from '../message/expect.ts'
import type { Spy } from './spy.ts'
import { spy } from './spy.ts'
import type { VirtualRuntime, VirtualRuntimeOptions } from './virtual-runtime.ts'
import { virtualRuntime } from './virtual-runtime.ts'

export interface TestAppOptions
  extends VirtualRuntimeOptions, Partial<Omit<AppOptions, 'runtime'>> {
  /** A clock of your own, to share it between apps; default: a new one. */
  readonly runtime?: VirtualRuntime
}

export interface TestApp<C extends string, Q extends string> extends AsyncDisposable {
  readonly app: App<C, Q>
  readonly runtime: VirtualRuntime
  readonly spy: Spy
  /** Lets time pass as far as needed until everything has had its consequences; parked messages stay parked. */
  settle(): Promise<void>
  /** Lets so much time pass, and then settles. */
  advance(duration: Duration): Promise<void>
  stop(): Promise<void>
}

/** Resolves when the app is idle, letting virtual time pass as far as its retries need, at most a day. */
export async function settle(app: Pick<App, 'whenIdle'>, runtime: VirtualRuntime): Promise<void> {
  await runtime.until(app.whenIdle(), { what: 'The app was not idle; that' })
}

/**
 * Starts an app for a test.
 * @example await using shop = await testApp((app) => app.use(order, orderStatus))
 */
export async function testApp<C extends string, Q extends string>(
  build: (builder: AppBuilder) => AppBuilder<C, Q>,
  { runtime: own, seed, start, ...options }: TestAppOptions = {},
): Promise<TestApp<C, Q>> {
  expectFunction('What builds the app of testApp', build)
  const virtual = {
    ...(seed === undefined ? {} : { seed }),
    ...(start === undefined ? {} : { start }),
  }
  const runtime = own ?? virtualRuntime(virtual)
  const builder = app({
    database: options.database ?? memory(),
    logger: false,
    ...options,
    runtime,
  })
  const running = await runtime.until(build(builder).start(), { what: 'The start of the app' })
  const watching = spy(running, { runtime })
  const stop = async (): Promise<void> => {
    watching[Symbol.dispose]()
    await runtime.until(running.stop(), { what: 'The end of the app' })
  }
  return {
    app: running,
    runtime,
    spy: watching,
    settle: () => settle(running, runtime),
    async advance(duration) {
      await runtime.advance(duration)
      await settle(running, runtime)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
