/**
 * Watches a rebuild that was asked for, by what the app commits: nothing is known here of whether an app runs, only
 * whether something moves.
 */
import type { RebuildAsked } from '../admin/operate.ts'
import type { ProjectionStatus } from '../admin/subscriptions.ts'
import { projections } from '../admin/subscriptions.ts'
import { ThenceError } from '../errors.ts'
import { pause } from './pause.ts'
import { Progress } from './progress.ts'
import type { Session } from './session.ts'

/** `asked`: no app has begun it yet. */
export interface RebuildOutcome {
  readonly state: 'asked' | 'finished'
  readonly position: number
  /** Where it ends. */
  readonly through: number
}

/** How often to look, how long an app may take to begin, and how long it may stand still, in milliseconds. */
const lookEvery = 100
const beginsWithin = 4000
const stallsAfter = 30_000

type Look = RebuildOutcome | 'going'

class Watch {
  readonly #asked: RebuildAsked
  readonly #progress: Progress
  #moved = Date.now()
  #position = -1
  /** Where it ends; known once it has begun. */
  #through: number

  constructor(asked: RebuildAsked, progress: Progress) {
    this.#asked = asked
    this.#progress = progress
    this.#through = asked.head
  }

  look({ generation, position, rebuildTo, haltedAt }: ProjectionStatus): Look {
    const begun = generation > this.#asked.generation
    const still = Date.now() - this.#moved
    if (!begun)
      return still < beginsWithin ? 'going' : { state: 'asked', position, through: this.#through }
    this.#through = rebuildTo ?? this.#through
    if (haltedAt !== null) throw this.#halted(haltedAt)
    if (rebuildTo === null) return { state: 'finished', position, through: this.#through }
    this.#progress.update(position, this.#through)
    if (position !== this.#position) {
      this.#position = position
      this.#moved = Date.now()
    } else if (still > stallsAfter) throw this.#stalled(position)
    return 'going'
  }

  #halted(position: number): ThenceError {
    return new ThenceError(
      'STATE_INVALID',
      `${this.#asked.projection} halted at position ${position} while it was rebuilt: a message failed. See: thence ` +
        `dead-letters list --subscription ${this.#asked.projection}`,
    )
  }

  #stalled(position: number): ThenceError {
    return new ThenceError(
      'TIMEOUT',
      `The rebuild of ${this.#asked.projection} stands still at position ${position}. It goes on when the app runs.`,
    )
  }
}

/** Resolves when it is done, or when no app has begun it. @throws STATE_INVALID (halted), TIMEOUT, ABORTED */
export async function watchRebuild(
  { database, terminal, interruptible }: Session,
  asked: RebuildAsked,
): Promise<RebuildOutcome> {
  const signal = interruptible()
  const progress = new Progress(terminal, `rebuilding ${asked.projection}`)
  const watch = new Watch(asked, progress)
  try {
    while (!signal.aborted) {
      const all = await projections({ database })
      const one = all.find(({ name }) => name === asked.projection)
      const seen = one === undefined ? 'going' : watch.look(one)
      if (seen !== 'going') return seen
      await pause(lookEvery, signal)
    }
  } finally {
    progress.end()
  }
  throw new ThenceError('ABORTED', 'Not watched any more; the rebuild goes on in the app.')
}
