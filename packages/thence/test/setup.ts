// The leak guard of every test: an app that a test starts is stopped when the test is over, a store that an app or a
// test opens on SQLite is closed, and no timer is left. A test that failed is not blamed twice.
import { afterAll, beforeEach, onTestFinished } from 'vitest'
import { App } from '../src/app/app.ts'
import { Connection } from '../src/testing/simulate/connection.ts'
import { SqliteStore } from '../src/adapters/sqlite/database.ts'

const apps = new Set<App>()
const stores = new Set<object>()

const app = { begin: Reflect.get(App.prototype, 'begin'), stop: Reflect.get(App.prototype, 'stop') }
App.prototype.begin = async function (this: App) {
  await app.begin.call(this)
  // In a simulated process that crashes, an app never ends.
  if (!(this.database instanceof Connection)) apps.add(this)
}
App.prototype.stop = async function (this: App, options) {
  await app.stop.call(this, options)
  apps.delete(this)
}

const store = {
  open: Reflect.get(SqliteStore.prototype, 'open'),
  close: Reflect.get(SqliteStore.prototype, 'close'),
}
SqliteStore.prototype.open = function (this: SqliteStore, runtime) {
  stores.add(this)
  return store.open.call(this, runtime)
}
SqliteStore.prototype.close = async function (this: SqliteStore) {
  await store.close.call(this)
  stores.delete(this)
}

/** Timers that the library has planned, with who asked for them; those of the test runner are not ours. */
const timers = new Map<unknown, string>()
// oxlint-disable-next-line no-restricted-globals -- this file watches it, and waits only when something leaks
const plan = globalThis.setTimeout
const clear = globalThis.clearTimeout
const planner = /system-runtime\.ts.*\n\s*at (.*)/
const tracked = (callback: (...values: unknown[]) => void, ...rest: unknown[]): unknown => {
  const asker = planner.exec(new Error('who asks').stack ?? '')?.[1]
  if (asker === undefined) return Reflect.apply(plan, globalThis, [callback, ...rest])
  const timer: unknown = Reflect.apply(plan, globalThis, [
    (...values: unknown[]) => {
      timers.delete(timer)
      callback(...values)
    },
    ...rest,
  ])
  timers.set(timer, asker)
  return timer
}
// oxlint-disable-next-line no-restricted-globals
globalThis.setTimeout = Object.assign(tracked, plan)
globalThis.clearTimeout = (timer) => {
  timers.delete(timer)
  clear(timer)
}

const turn = (): Promise<void> => new Promise((resolve) => void plan(resolve, 10))

/** What is about to end gets time to go: only what stays is a leak. */
const timersLeft = async (before: ReadonlySet<unknown>): Promise<readonly string[]> => {
  const own = (): string[] => [...timers].filter(([one]) => !before.has(one)).map(([, by]) => by)
  for (let look = 0; own().length > 0 && look < 50; look += 1) await turn()
  return own()
}

const left = (before: { apps: Set<App>; stores: Set<object> }): readonly string[] => {
  const running = [...apps].filter((one) => !before.apps.has(one)).length
  const open = [...stores].filter((one) => !before.stores.has(one)).length
  return [
    ...(running > 0 ? [`${running} running app(s); stop them, or use await using`] : []),
    ...(open > 0 ? [`${open} open SQLite store(s); close them`] : []),
  ]
}

/** For each file: what stays open between its tests, by beforeAll, is looked at when the file is done. */
beforeEach(({ task }) => {
  const before = { apps: new Set(apps), stores: new Set(stores) }
  const planned = new Set(timers.keys())
  // The first to be registered is the last to run, so whatever the test itself cleans up is gone by now.
  onTestFinished(async () => {
    const leaks = left(before)
    for (const one of apps) if (!before.apps.has(one)) await one.stop()
    for (const one of stores) if (!before.stores.has(one)) stores.delete(one)
    if (task.result?.state === 'fail') return
    if (leaks.length > 0) throw new Error(`This test left behind: ${leaks.join('; ')}.`)
    const more = await timersLeft(planned)
    for (const one of timers.keys()) if (!planned.has(one)) timers.delete(one)
    if (more.length > 0)
      throw new Error(`This test left timers behind, planned by ${more.join('; ')}.`)
  })
})

afterAll(() => {
  const leaks = left({ apps: new Set(), stores: new Set() })
  if (leaks.length > 0) throw new Error(`This file left behind: ${leaks.join('; ')}.`)
})
