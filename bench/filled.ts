/**
 * Files that already hold events: made once per run, copied for every case and round.
 */
import { copyFileSync, existsSync } from 'node:fs'
import type { Setting } from './bench.ts'
import { payload, streamOf, versionBefore } from './load.ts'
import { fileOf, ItemAdded, startApp } from './ours.ts'

/** A file of this case, made by `fill` the first time that one of this name is asked for. */
export async function prepared(
  setting: Setting,
  name: string,
  fill: (path: string) => Promise<void>,
): Promise<string> {
  const template = `${setting.shared}/${name}.db`
  if (!existsSync(template)) await fill(template)
  copyFileSync(template, fileOf(setting))
  return fileOf(setting)
}

const atOnce = 500

/** Appends the first `count` events of the load to a store of ours. */
export async function fillOurs(path: string, count: number): Promise<void> {
  await using running = await startApp(path)
  const one = (n: number) => ({
    stream: streamOf(n),
    expected: versionBefore(n),
    events: ItemAdded(payload(n)),
  })
  for (let n = 0; n < count; n += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - n) }, (_, index) => one(n + index))
    await Promise.all(batch.map((append) => running.append(append)))
  }
}

/** A store of ours that holds the first `count` events of the load. */
export const filledOurs = (setting: Setting, count: number): Promise<string> =>
  prepared(setting, `ours-${count}`, (path) => fillOurs(path, count))
