/**
 * Watches a rebuild by what the app commits: nothing is known here of whether an app runs, only whether something moves.
 */
import { projections } from '../admin/subscriptions.ts'
import type { RebuildAsked } from '../admin/views.ts'
import { view } from '../admin/views.ts'
import { ThenceError } from '../errors.ts'
import type { BuildStatus, ViewStatus } from '../project/progress.ts'
import { pause } from './pause.ts'
import { Progress } from './progress.ts'
import type { Session } from './session.ts'
import { quoted } from './text.ts'

/** `asked`: no app has begun it yet. `ready`: built, and waits for the switch. `serving`: it answers. */
export interface RebuildOutcome {
  readonly state: 'asked' | 'ready' | 'serving'
  readonly position: number
  /** Where it ends. */
  readonly through: number
}

/** What is to be watched. */
export interface Watched {
  readonly projection: string
  /** null: the view is rebuilt in place. */
  readonly version: number | null
  readonly until: 'ready' | 'serving'
  /** As it was asked for. */
  readonly asked: Pick<RebuildAsked, 'generation' | 'head'>
}

/** How often to look, how long an app may take to begin, and how long it may stand still, in milliseconds. */
const lookEvery = 100
const beginsWithin = 4000
const stallsAfter = 30_000

/** How it stands. */
interface Seen {
  readonly state: 'asked' | 'building' | 'ready' | 'serving'
  readonly position: number
  readonly through: number
  /** Why it waits for a person, if it does. */
  readonly waits: ThenceError | undefined
}

const halted = (
  projection: string,
  { subscription, position }: { readonly subscription: string; readonly position: number },
): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    `The rebuild of ${projection} halted after position ${position}: a message failed. See: thence ` +
      `dead-letters list --subscription ${quoted(subscription)}`,
  )

/** A person has paused the building, or has to look at what failed. */
const whyWaits = (projection: string, building: BuildStatus): ThenceError | undefined => {
  const { paused, state, due, subscription } = building
  if (paused !== null)
    return new ThenceError(
      'STATE_INVALID',
      `${subscription} is paused by ${paused.actor}${paused.reason === null ? '' : `: ${paused.reason}`}. What was asked ` +
        `for is kept; it goes on with: thence subscriptions resume ${quoted(subscription)}`,
      { details: { subscription } },
    )
  return state === 'halted' && due === 0 ? halted(projection, building) : undefined
}

const lookBeside = ({ serving, building }: ViewStatus, { projection, version }: Watched): Seen => {
  if (serving === version) return { state: 'serving', position: 0, through: 0, waits: undefined }
  if (building?.version !== version)
    throw new ThenceError(
      'STATE_INVALID',
      `Version ${version ?? 0} of ${projection} was dropped before it could serve.`,
    )
  const { position, head: through, from } = building
  const begun = position > from || through === from
  const state = building.state === 'ready' ? 'ready' : begun ? 'building' : 'asked'
  return { state, position, through, waits: whyWaits(projection, building) }
}

const lookInPlace = async (
  { database }: Session,
  { projection, asked }: Watched,
): Promise<Seen> => {
  const one = (await projections({ database })).find(({ name }) => name === projection)
  const { position = 0, generation = 0, rebuildTo = null, haltedAt = null } = one ?? {}
  if (generation <= asked.generation)
    return { state: 'asked', position, through: asked.head, waits: undefined }
  const through = rebuildTo ?? position
  const state = rebuildTo === null ? 'serving' : 'building'
  const waits =
    haltedAt === null ? undefined : halted(projection, { subscription: projection, position })
  return { state, position, through, waits }
}

class Watch {
  readonly #watched: Watched
  readonly #progress: Progress
  #moved = Date.now()
  #position = -1
  #through: number

  constructor(watched: Watched, progress: Progress) {
    this.#watched = watched
    this.#progress = progress
    this.#through = watched.asked.head
  }

  /** Gives the outcome, or nothing as long as it goes on. */
  take({ state, position, through, waits }: Seen): RebuildOutcome | undefined {
    const still = Date.now() - this.#moved
    if (state === 'serving' || state === this.#watched.until)
      return { state, position: this.#through, through: this.#through }
    this.#through = through
    if (waits !== undefined) throw waits
    if (state === 'asked') return still < beginsWithin ? undefined : { state, position, through }
    this.#progress.update(position, through)
    if (position !== this.#position) {
      this.#position = position
      this.#moved = Date.now()
    } else if (still > stallsAfter) throw this.#stalled(position)
    return undefined
  }

  #stalled(position: number): ThenceError {
    return new ThenceError(
      'TIMEOUT',
      `The rebuild of ${this.#watched.projection} stands still at position ${position}. It goes on when the app runs.`,
    )
  }
}

/** Resolves when it is done, or when no app has begun it. @throws STATE_INVALID (halted, paused), TIMEOUT, ABORTED */
export async function watchRebuild(session: Session, watched: Watched): Promise<RebuildOutcome> {
  const { database, terminal, interruptible } = session
  const signal = interruptible()
  const progress = new Progress(terminal, `rebuilding ${watched.projection}`)
  const watch = new Watch(watched, progress)
  try {
    while (!signal.aborted) {
      const seen =
        watched.version === null
          ? await lookInPlace(session, watched)
          : lookBeside(await view({ database }, watched.projection), watched)
      const outcome = watch.take(seen)
      if (outcome !== undefined) return outcome
      await pause(lookEvery, signal)
    }
  } finally {
    progress.end()
  }
  throw new ThenceError('ABORTED', 'Not watched any more; the rebuild goes on in the app.')
}
