/**
 * The user's app with trouble and bookkeeping built in: handlers fail and take long when they are told to, and note what
 * they have done in the transaction of their effects, so that an effect that is lost, doubled or out of order shows.
 */
import { AppBuilder } from '../../app/builder.ts'
import type { Part } from '../../app/parts.ts'
import type { Handler } from '../../handle/handler.ts'
import { handler } from '../../handle/handler.ts'
import { retryPolicy } from '../../handle/retry.ts'
import type { Recorded } from '../../message/message.ts'
import type { Apply, Projection } from '../../project/projection.ts'
import { effectKey, effectsCollection, replaysCollection } from './effects.ts'
import type { History } from './history.ts'
import type { Life } from './life.ts'
import { Planted, type Trouble, type Troubles } from './troubles.ts'
import type { World } from './world.ts'

export const keyOfHandler = ({ key }: Handler, message: Recorded): string =>
  key?.(message) ?? message.stream

export interface Instruments {
  readonly world: World
  readonly history: History
  readonly troubles: Troubles
}

interface Attempt {
  readonly life: Life
  readonly one: Handler
  readonly message: Recorded
}

const failOnPurpose = (
  { history, troubles }: Instruments,
  { life, one, message: { id } }: Attempt,
  trouble: Trouble,
): void => {
  if (!troubles.fails(one.name, id, trouble)) return
  const what = trouble.poison ? 'a poisoned message' : 'a passing error'
  history.struck(life, what, `${one.name}${trouble.late ? ', late' : ''}`)
  throw new Planted(trouble.poison ? 'This message is poison.' : 'This failure passes.')
}

/** More than any run has for one key: it would only go on, and get slower. */
const mostEffects = 1000

/** Takes long where it was decided so. */
const delay = async ({ history, world }: Instruments, life: Life, time: number): Promise<void> => {
  if (time === 0) return
  history.mark('a slow handler')
  await life.deliverAll(world.wait(time))
}

const onHandler = (one: Handler, life: Life, instruments: Instruments): Handler => ({
  ...one,
  async run(message, context) {
    const { troubles, history } = instruments
    history.began(one.name)
    const trouble = troubles.of(one.name, message.id, one.retry.attempts)
    await delay(instruments, life, trouble.delay)
    const attempt = { life, one, message }
    if (!trouble.late) failOnPurpose(instruments, attempt, trouble)
    try {
      await one.run(message, context)
    } catch (error) {
      troubles.noteOwn(one.name, message.id)
      throw error
    }
    const key = effectKey(one.name, keyOfHandler(one, message))
    const done = context.replaying ? replaysCollection : effectsCollection
    context.within(async ({ documents }) => {
      const before = JSON.parse((await documents.get(done, key)) ?? '[]') as number[]
      if (before.length >= mostEffects) instruments.world.circle()
      await documents.put(done, key, JSON.stringify([...before, message.position]))
      if (trouble.late) failOnPurpose(instruments, attempt, trouble)
    })
  },
})

const onProjection = (one: Projection, life: Life, instruments: Instruments): Projection => {
  // A failure inside of an append refuses the append: that is the caller's trouble, not the view's.
  if (one.inline) return one
  const { attempts } = retryPolicy(one.name, one.retry)
  const run =
    (apply: Apply): Apply =>
    (event, view) => {
      if (attempts === 1 || !instruments.troubles.failsView(one.name, event.id))
        return apply(event, view)
      instruments.history.struck(life, 'a failing view', one.name)
      throw new Planted('This failure passes.')
    }
  const on = new Map(
    [...one.on].map(([type, entry]) => [type, { ...entry, run: run(entry.run) }] as const),
  )
  return { ...one, on }
}

const instrument = (part: Part, life: Life, instruments: Instruments): Part => {
  if (part.part === 'handler') return onHandler(part, life, instruments)
  return part.part === 'projection' ? onProjection(part, life, instruments) : part
}

/** A builder that instruments every part it is given, and tells the original to `collect`. */
export function instrumented(
  builder: AppBuilder,
  { life, collect, ...instruments }: Instruments & { life: Life; collect: (part: Part) => void },
): AppBuilder {
  const use = (target: AppBuilder, parts: readonly Part[]): AppBuilder => {
    for (const part of parts) collect(part)
    return wrap(target.use(...parts.map((part) => instrument(part, life, instruments))))
  }
  const wrap = (target: AppBuilder): AppBuilder =>
    new Proxy(target, {
      get(_, name): unknown {
        if (name === 'use') return (...parts: readonly Part[]) => use(target, parts)
        if (name === 'handle')
          return (...parameters: Parameters<typeof handler>) =>
            use(target, [handler(...parameters)])
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...parameters: unknown[]): unknown => {
          const result: unknown = Reflect.apply(member, target, parameters)
          return result instanceof AppBuilder ? wrap(result as AppBuilder) : result
        }
      },
    })
  return wrap(builder)
}
