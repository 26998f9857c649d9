/**
 * Rebuilding a projection's view from the log, with progress.
 */
import { ThenceError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import type { Engine } from './engine.ts'
import type { Parts } from './parts.ts'
import { rebuildInline } from './views.ts'

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

interface Rebuilding {
  readonly store: Store
  readonly engine: Engine
  readonly parts: Parts
}

/** Why it stands still: nothing is tried again before a person has decided. */
const halted = async (store: Store, { name, position }: Subscription): Promise<ThenceError> => {
  const [letter] = await store.read(({ deadLetters }) =>
    deadLetters.list({ subscription: name, state: 'parked', limit: 1 }),
  )
  const at = letter?.message.position ?? position + 1
  const advice =
    letter === undefined
      ? 'See: thence status.'
      : `Fix the cause and redrive it, or discard it: thence dead-letters show ${letter.id}`
  return new ThenceError(
    'STATE_INVALID',
    `The rebuild of ${name} halted at position ${at}: a message failed and is parked. ${advice}`,
    { details: { projection: name, position: at, letter: letter?.id } },
  )
}

/** See `App.rebuild`. */
export async function rebuildProjection(
  name: string,
  { store, engine, parts }: Rebuilding,
  { onProgress, signal }: RebuildOptions,
): Promise<void> {
  const projection = parts.projections.find((one) => one.name === name)
  if (projection === undefined)
    throw new ThenceError('NOT_FOUND', `There is no projection ${name} in this app.`)
  const subscription = engine.subscription(name)
  if (subscription === undefined) return void (await rebuildInline(store, projection))
  const through = await subscription.rebuild()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const check = (): void => {
    const { position, state } = subscription
    const stuck = subscription.halted && !subscription.retrying
    onProgress?.({ position: Math.min(position, through), through })
    if (position >= through) resolve()
    else if (stuck) void halted(store, subscription).then(reject, reject)
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
