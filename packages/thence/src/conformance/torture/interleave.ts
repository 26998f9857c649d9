/**
 * Random interleavings of real sessions: a seed gives a list of steps, the steps are taken one after the other, each as soon as
 * those before it are answered or wait. The list is data, so that fewer of them can be taken to see which are needed.
 */
import { Chance } from '../../internal/chance.ts'
import type { Player } from './player.ts'
import type { Stage } from './stage.ts'
import type { TortureSession } from './subject.ts'
import type { Abilities } from './trap.ts'

const actions = [
  'begin',
  'touch',
  'append',
  'append two',
  'savepoint',
  'keep',
  'undo',
  'commit',
  'roll back',
] as const

/** What one of the players or subscribers does; its number names its events. */
export type Step =
  | {
      readonly number: number
      readonly player: number
      readonly action: (typeof actions)[number]
      readonly stream: string
    }
  | { readonly number: number; readonly subscriber: number; readonly limit: number }
  | { readonly number: number; readonly foreign: 'begin' | 'end' }

const players = 4
const subscribers = 3
const streams = 3

/** Weights of actions: most append, and transactions end a little more often than they begin. */
const weights: Readonly<Record<(typeof actions)[number], number>> = {
  begin: 4,
  touch: 1,
  append: 7,
  'append two': 2,
  savepoint: 2,
  keep: 1,
  undo: 2,
  commit: 4,
  'roll back': 1,
}

const deck = actions.flatMap((action) => Array.from({ length: weights[action] }, () => action))

/** The steps of a seed. */
export function stepsOf(seed: number, length: number): readonly Step[] {
  const chance = new Chance(seed)
  return Array.from({ length }, (_, index): Step => {
    const number = index + 1
    if (chance.is(0.25))
      return { number, subscriber: chance.whole(subscribers), limit: 1 + chance.whole(5) }
    if (chance.is(0.05)) return { number, foreign: chance.is(0.5) ? 'begin' : 'end' }
    const stream = `s${chance.whole(streams)}`
    return { number, player: chance.whole(players), action: chance.pick(deck), stream }
  })
}

/** A line of a story. */
export function told(step: Step): string {
  if ('subscriber' in step)
    return `${step.number}. subscriber ${step.subscriber + 1} reads ${step.limit}`
  if ('foreign' in step)
    return `${step.number}. a foreign write transaction ${step.foreign === 'begin' ? 'begins' : 'ends'}`
  const to = step.action.startsWith('append') ? ` to ${step.stream}` : ''
  return `${step.number}. player ${step.player + 1}: ${step.action}${to}`
}

const act = (
  player: Player,
  { number, action, stream }: Extract<Step, { player: number }>,
): void => {
  const id = `e${number}`
  const works: Readonly<Record<(typeof actions)[number], () => Promise<void>>> = {
    begin: () => player.begin(),
    touch: () => player.touch(),
    append: () => player.append(stream, id),
    'append two': () => player.append(stream, `${id}.1`, `${id}.2`),
    savepoint: () => player.savepoint(),
    keep: () => player.release(true),
    undo: () => player.release(false),
    commit: () => player.commit(),
    'roll back': () => player.rollback(),
  }
  void works[action]()
}

/** Somebody else's write transaction on the same server, if there are sessions. */
class Foreign {
  readonly #session: TortureSession | undefined
  #open = false

  constructor(session: TortureSession | undefined) {
    this.#session = session
  }

  async do(what: 'begin' | 'end'): Promise<void> {
    if (this.#session === undefined || this.#open === (what === 'begin')) return
    this.#open = what === 'begin'
    await this.#session.query(this.#open ? 'BEGIN; SELECT pg_current_xact_id()' : 'ROLLBACK')
  }
}

/** Plays the steps; whatever is left out, the others can be taken. */
export async function interleave(
  stage: Stage,
  steps: readonly Step[],
  abilities: Abilities,
): Promise<void> {
  const cast = await Promise.all(Array.from({ length: players }, () => stage.player()))
  const audience = await Promise.all(Array.from({ length: subscribers }, () => stage.subscriber()))
  const foreign = new Foreign(abilities.sessions ? await stage.session() : undefined)
  for (const step of steps) {
    if ('subscriber' in step) void audience[step.subscriber]?.poll(step.limit)
    else if ('foreign' in step) await foreign.do(step.foreign)
    else act(cast[step.player] as Player, step)
    await stage.calm()
  }
  await foreign.do('end')
  for (const player of cast) void player.commit()
}
