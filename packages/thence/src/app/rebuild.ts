/**
 * Rebuilding a projection's view from the log: beside the one that serves, where the view can be that; else in place.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOneOf, expectOptions } from '../message/expect.ts'
import { beginBeside } from '../project/acts.ts'
import { requireHistory } from '../project/history.ts'
import type { Projection } from '../project/projection.ts'
import { loadVersions } from '../project/versions.ts'
import type { Store } from '../store/store.ts'
import type { RebuildProgress } from './rebuilt.ts'
import { Rebuilt } from './rebuilt.ts'
import { rebuildInPlace } from './rebuild-in-place.ts'
import type { Engine } from './engine.ts'
import type { Parts } from './parts.ts'
import type { SettingOptions } from './settings.ts'
import { settingNames } from './settings.ts'

export interface RebuildOptions extends SettingOptions {
  /**
   * `auto` (default): the new view serves as soon as it has caught up. `manual`: it follows beside the one that serves
   * until `switch()` is called.
   */
  readonly switch?: 'auto' | 'manual'
  /** How long the view that served before is kept as the way back; default a day, `Infinity` until the next rebuild. */
  readonly keep?: Duration
  /** Begins anew if a rebuild is running already. Default: that is refused. */
  readonly restart?: boolean
  /** Builds it from what is left of the log, even if retention has removed events. Default: that is refused. */
  readonly truncated?: boolean
  readonly onProgress?: (progress: RebuildProgress) => void
  /** Stops waiting; the rebuild goes on. */
  readonly signal?: AbortSignal
}

const optionNames: OptionNames<RebuildOptions> = {
  ...settingNames,
  switch: true,
  keep: true,
  restart: true,
  truncated: true,
  onProgress: true,
  signal: true,
}

export interface Rebuilding {
  readonly store: Store
  readonly engine: Engine
  readonly parts: Parts
}

const keepOf = (keep: Duration): number | null =>
  keep === Infinity ? null : milliseconds('keep of rebuild', keep)

const find = (name: string, { projections }: Parts): Projection => {
  const projection = projections.find((one) => one.name === name)
  if (projection !== undefined) return projection
  throw new ThenceError('NOT_FOUND', `There is no projection ${name} in this app.`)
}

/** See `App.rebuild`. */
export async function rebuildProjection(
  name: string,
  { store, engine, parts }: Rebuilding,
  given: RebuildOptions,
): Promise<Rebuilt> {
  expectOptions(`rebuild of ${name}`, given, optionNames)
  if (given.switch !== undefined)
    expectOneOf(`switch of the rebuild of ${name}`, given.switch, ['auto', 'manual'])
  const { restart = false, keep, signal, onProgress, ...options } = given
  const projection = find(name, parts)
  const on = { store, engine, projection }
  const watching = { signal, onProgress }
  if (!projection.view.beside) {
    const types = [...projection.on.keys()]
    if (options.truncated !== true)
      await store.read((transaction) => requireHistory(transaction, { projection: name, types }))
    await rebuildInPlace(on, watching)
    return new Rebuilt(on, { version: 1, previous: null })
  }
  const { actor, reason, truncated = false, switch: mode = 'auto' } = options
  const doing = { runtime: store.tools.runtime, projection: name, actor, reason }
  const types = [...projection.on.keys()]
  const { version, previous } = await store.transact(async ({ transaction }) => {
    const building = {
      switch: mode,
      restart,
      truncated,
      ...(keep === undefined ? {} : { keep: keepOf(keep) }),
    }
    const { serving } = await loadVersions(transaction, name)
    const { version: built } = await beginBeside(transaction, { ...doing, types }, building)
    return { version: built, previous: serving }
  })
  engine.lookAtViews()
  const rebuilt = new Rebuilt(on, { version, previous })
  await rebuilt.reached(mode === 'auto' ? 'serving' : 'ready', watching)
  return rebuilt
}
