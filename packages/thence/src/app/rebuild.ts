/**
 * Rebuilding a projection's view from the log, with progress.
 */
import { ThenceError } from '../errors.ts'
import type { Engine } from './engine.ts'
import type { Parts } from './parts.ts'

export interface RebuildProgress {
  /** Read up to this position … */
  readonly position: number
  /** … of so many. */
  readonly through: number
}

export interface RebuildOptions {
  readonly onProgress?: (progress: RebuildProgress) => void
  readonly signal?: AbortSignal
}

/** See `App.rebuild`. */
export async function rebuildProjection(
  name: string,
  { engine, parts }: { readonly engine: Engine; readonly parts: Parts },
  { onProgress, signal }: RebuildOptions,
): Promise<void> {
  const projection = parts.projections.find((one) => one.name === name)
  if (projection === undefined)
    throw new ThenceError('NOT_FOUND', `There is no projection ${name} in this app.`)
  const subscription = engine.subscription(name)
  if (subscription === undefined) return void (await engine.rebuildInline(projection))
  const through = await subscription.rebuild()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const check = (): void => {
    const { position, state } = subscription
    onProgress?.({ position: Math.min(position, through), through })
    if (position >= through) resolve()
    else if (state === 'stopped')
      reject(
        new ThenceError(
          'APP_STOPPED',
          `The app stopped while ${name} was being rebuilt; it goes on at the next start.`,
        ),
      )
  }
  const unlisten = subscription.onProgress(check)
  const abort = (): void =>
    reject(new ThenceError('ABORTED', 'The caller gave up; the rebuild goes on.'))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    check()
    await promise
  } finally {
    unlisten()
    signal?.removeEventListener('abort', abort)
  }
}
