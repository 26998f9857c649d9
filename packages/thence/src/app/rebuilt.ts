/**
 * A view that was built anew in a running app: compared with the one before, switched to, taken back, or given up.
 */
import { ThenceError } from '../errors.ts'
import { quoted } from '../internal/text.ts'
import { wait } from '../ports/wait.ts'
import type { Doing } from '../project/acts.ts'
import { beginBack, dropVersion, setSwitch } from '../project/acts.ts'
import type { DiffOptions } from '../project/diff.ts'
import type { VersionDiff } from '../project/compare.ts'
import { compareVersions, isAstray } from '../project/compare.ts'
import type { BuildStatus } from '../project/progress.ts'
import { viewStatus } from '../project/progress.ts'
import type { Projection } from '../project/projection.ts'
import { loadVersions } from '../project/versions.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from './engine.ts'
import type { SettingOptions } from './settings.ts'

export interface RebuildProgress {
  /** Read up to this position … */
  readonly position: number
  /** … of so many: the end of the log. */
  readonly through: number
  /** Positions per second so far; 0 until it moves. */
  readonly rate: number
  /** How long the rest will take at that rate, in milliseconds; null while nobody can say. */
  readonly left: number | null
}

export interface Watching {
  readonly onProgress?: ((progress: RebuildProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

interface On {
  readonly store: Store
  readonly engine: Engine
  readonly projection: Projection
}

/** Milliseconds between two looks, if nothing is heard of the work in between. */
const lookEvery = 100
/** So often it is tried to find both versions at the same place, with a pause in milliseconds. */
const alignments = { tries: 20, pause: 20 }

/** Why it stands still: nothing is tried again before a person has decided. */
export async function haltedRebuild(
  store: Store,
  subscription: string,
  { position }: { readonly position: number },
): Promise<ThenceError> {
  const [letter] = await store.read(({ deadLetters }) =>
    deadLetters.list({ subscription, state: 'parked', limit: 1 }),
  )
  const at = letter?.message.position ?? position + 1
  const advice =
    letter === undefined
      ? 'See: thence status.'
      : `Fix the cause and redrive it, or discard it: thence dead-letters show ${letter.id}`
  return new ThenceError(
    'STATE_INVALID',
    `The rebuild of ${subscription} halted at position ${at}: a message failed and is parked. ${advice}`,
    { details: { projection: subscription, position: at, letter: letter?.id } },
  )
}

/** A view that was built anew. */
export class Rebuilt {
  /** The version that was built; that of a view that was rebuilt in place does not change. */
  readonly version: number
  /** The version that served when it was begun; null if the view was rebuilt in place. */
  readonly previous: number | null
  readonly #on: On

  /** @internal */
  constructor(on: On, versions: { readonly version: number; readonly previous: number | null }) {
    this.#on = on
    this.version = versions.version
    this.previous = versions.previous
  }

  get projection(): string {
    return this.#on.projection.name
  }

  /**
   * What differs between the version that serves and the one that is built, or between the one that is kept and the one
   * that serves. Reads both in one transaction, for which other work of this process may have to wait: for a large view
   * use the command line.
   * @throws STATE_INVALID (there is only one version)
   */
  async diff(options: DiffOptions = {}): Promise<VersionDiff> {
    const { store, projection } = this.#on
    const { name, inline, view, on } = projection
    const of = { projection: name, inline, ...view, types: [...on.keys()] }
    for (let left = alignments.tries; ; left -= 1) {
      const diff = await store.read(async (transaction) =>
        left > 0 && (await isAstray(transaction, of))
          ? undefined
          : compareVersions(transaction, of, options),
      )
      if (diff !== undefined) return diff
      await wait(store.tools.runtime, alignments.pause)
    }
  }

  /** Has it serve as soon as it has caught up; resolves when it does. @throws STATE_INVALID (it is not being built) */
  async switch({ signal, ...options }: SettingOptions & Watching = {}): Promise<void> {
    await this.#on.store.transact(async ({ transaction }) => {
      const { serving } = await loadVersions(transaction, this.projection)
      if (serving !== this.version) await setSwitch(transaction, this.#doing(options), 'auto')
    })
    this.#on.engine.lookAtViews()
    await this.reached('serving', { signal })
  }

  /**
   * Has the version that served before catch up and serve again; resolves when it does. The one that serves now is kept.
   * @throws STATE_INVALID (it is not kept any more), HISTORY_TRUNCATED
   */
  async back({ signal, ...options }: SettingOptions & Watching = {}): Promise<void> {
    const { store, engine } = this.#on
    const { version } = await store.transact(({ transaction }) =>
      beginBack(transaction, this.#doing(options)),
    )
    engine.lookAtViews()
    await new Rebuilt(this.#on, { version, previous: this.version }).reached('serving', { signal })
  }

  /** Gives up the version that does not serve: this one as long as it is built, then the one before. */
  async drop(options: SettingOptions = {}): Promise<void> {
    const { store, engine } = this.#on
    await store.transact(({ transaction }) => dropVersion(transaction, this.#doing(options)))
    engine.lookAtViews()
  }

  /** @internal */
  async reached(target: 'ready' | 'serving', { onProgress, signal }: Watching = {}): Promise<void> {
    const { store, engine } = this.#on
    for (;;) {
      if (engine.stopped)
        throw new ThenceError(
          'APP_STOPPED',
          `The app stopped while ${this.projection} was being rebuilt; it goes on at the next start.`,
        )
      const heard = this.#heard()
      const view = await store.read((transaction) => viewStatus(transaction, this.projection))
      if (view.serving === this.version) return heard.end()
      const building = this.#checked(view.building)
      this.#checkBegun()
      const { position, head: through, rate, left } = building
      onProgress?.({ position, through, rate, left })
      if (building.state === 'halted' && building.due === 0)
        throw await haltedRebuild(store, building.subscription, building)
      if (target === 'ready' && building.ready !== undefined) return heard.end()
      await heard.next(signal)
    }
  }

  #checkBegun(): void {
    const cause = this.#on.engine.rebuilds.failure(this.projection, this.version)
    if (cause === undefined) return
    const why = cause instanceof Error ? cause.message : 'it failed without an error.'
    throw new ThenceError(
      'STATE_INVALID',
      `Version ${this.version} of ${this.projection} could not be created: ${why} ` +
        `It is tried again until it works, or is given up: thence rebuild drop ${quoted(this.projection)} ${this.version}`,
      { cause, details: { projection: this.projection, version: this.version } },
    )
  }

  #checked(building: BuildStatus | null): BuildStatus {
    if (building?.version === this.version) return building
    throw new ThenceError(
      'STATE_INVALID',
      `Version ${this.version} of ${this.projection} was dropped before it could serve.`,
      { details: { projection: this.projection, version: this.version } },
    )
  }

  /** Resolves when something was heard of the work since this was called, or after a moment. */
  #heard(): { readonly next: (signal?: AbortSignal) => Promise<void>; readonly end: () => void } {
    const { store, engine } = this.#on
    const { promise, resolve } = Promise.withResolvers<void>()
    const unlisten = engine.rebuilds.onProgress(resolve)
    const cancel = store.tools.runtime.after(lookEvery, resolve)
    const end = (): void => {
      unlisten()
      cancel()
    }
    const next = async (signal?: AbortSignal): Promise<void> => {
      const gaveUp = Promise.withResolvers<never>()
      const abort = (): void =>
        gaveUp.reject(new ThenceError('ABORTED', 'The caller gave up; the rebuild goes on.'))
      if (signal?.aborted === true) abort()
      signal?.addEventListener('abort', abort, { once: true })
      try {
        await Promise.race([promise, gaveUp.promise])
      } finally {
        signal?.removeEventListener('abort', abort)
        end()
      }
    }
    return { next, end }
  }

  #doing({ actor, reason }: SettingOptions): Doing {
    const { store, projection } = this.#on
    return {
      runtime: store.tools.runtime,
      projection: projection.name,
      types: [...projection.on.keys()],
      actor,
      reason,
    }
  }
}
