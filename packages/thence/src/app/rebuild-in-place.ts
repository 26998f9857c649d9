/**
 * Rebuilding a view that can't stand beside another one, because its tables have fixed names: it is emptied and filled
 * again, and nobody is shown it before it is whole.
 */
import { ThenceError } from '../errors.ts'
import type { Projection } from '../project/projection.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import type { Engine } from './engine.ts'
import type { Watching } from './rebuilt.ts'
import { haltedRebuild } from './rebuilt.ts'
import { rebuildInline } from './views.ts'

interface On {
  readonly store: Store
  readonly engine: Engine
  readonly projection: Projection
}

const paceFrom = (store: Store): ((position: number, through: number) => Pace) => {
  const began = store.tools.runtime.now()
  return (position, through) => {
    const seconds = (store.tools.runtime.now() - began) / 1000
    const rate = position > 0 && seconds > 0 ? position / seconds : 0
    if (position >= through) return { rate, left: 0 }
    return { rate, left: rate === 0 ? null : ((through - position) / rate) * 1000 }
  }
}

interface Pace {
  readonly rate: number
  readonly left: number | null
}

/** Resolves when the view is whole. @throws STATE_INVALID (a message failed), APP_STOPPED, ABORTED */
export async function rebuildInPlace(
  { store, engine, projection }: On,
  watching: Watching,
): Promise<void> {
  const subscription = engine.subscription(projection.name)
  if (subscription === undefined) return void (await rebuildInline(store, projection))
  const through = await subscription.rebuild()
  await whole(store, subscription, { ...watching, through })
}

const whole = async (
  store: Store,
  subscription: Subscription,
  { onProgress, signal, through }: Watching & { readonly through: number },
): Promise<void> => {
  const { name } = subscription
  const pace = paceFrom(store)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const check = (): void => {
    const { state, position } = subscription
    const stuck = subscription.halted && !subscription.retrying
    const done = Math.min(position, through)
    onProgress?.({ position: done, through, ...pace(done, through) })
    if (position >= through) resolve()
    else if (stuck) void haltedRebuild(store, name, subscription).then(reject, reject)
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
