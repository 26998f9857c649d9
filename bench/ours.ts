/**
 * Ours as the bench uses it: the public doors `thence` and `thence/sqlite`, with their defaults (WAL, FULL).
 */
import { DatabaseSync } from 'node:sqlite'
import type { App, AppBuilder, AppOptions } from 'thence'
import { app, event, plain } from 'thence'
import { sqlite } from 'thence/sqlite'
import type { Payload } from './load.ts'
import { check, type Setting } from './bench.ts'
import { payload, streamOf, sumOf, versionBefore } from './load.ts'

export const ItemAdded = event('ItemAdded', plain<Payload>())

/** An app on a file. */
export const appOn = (path: string, options: Partial<AppOptions> = {}): AppBuilder =>
  app({ database: sqlite({ database: new DatabaseSync(path) }), ...options }).messages(ItemAdded)

/** Starts an app that has nothing but the load's event. */
export const startApp = (path: string): Promise<App<never, never>> => appOn(path).start()

export const fileOf = ({ directory }: Setting): string => `${directory}/store.db`

/** Appends event `n` of the load to its stream, checked. */
export async function appendOne(running: Pick<App, 'append'>, n: number): Promise<void> {
  await running.append({
    stream: streamOf(n),
    expected: versionBefore(n),
    events: ItemAdded(payload(n)),
  })
}

/** The log must hold exactly events 0 … count − 1, as the public door gives them. */
export async function checkLog(running: Pick<App, 'log'>, count: number): Promise<void> {
  let stored = 0
  let sum = 0
  for await (const { data } of running.log()) {
    stored += 1
    sum += (data as Payload).n
  }
  check('events in the log', stored, count)
  check('their sum', sum, sumOf(count))
}
