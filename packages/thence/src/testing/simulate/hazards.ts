/**
 * What can go wrong in a simulation, and how often: every seed draws its own mixture, because some bugs only show where
 * one hazard is frequent and others are absent.
 */
import { Chance } from '../../internal/chance.ts'

/** What can go wrong. */
export const hazardNames = [
  /** A process dies, before or after any call to the database or between calls. */
  'crash',
  /** A request never reaches the database; its caller is told so late. */
  'lostRequest',
  /** The database did it, and the answer never comes back. */
  'lostReply',
  /** A request reaches the database after its caller has given up. */
  'lateRequest',
  /** The connection breaks in the middle of a transaction. */
  'lostConnection',
  /** A call takes long. */
  'slowCall',
  /** A process stands still for a while, as after SIGSTOP, and then goes on as if nothing had happened. */
  'pause',
  /** The clock of a process is wrong, and jumps. */
  'clock',
  /** A process is stopped in an orderly way and started again. */
  'restart',
  /** A handler takes long. */
  'slowHandler',
  /** A handler fails a few times, and then works. */
  'passingError',
  /** A following projection fails once at an event, and then works. */
  'viewError',
  /** A handler fails at a message whenever it is tried. */
  'poison',
  /** A client sends the same message, with the same id, twice. */
  'duplicate',
] as const

export type Hazard = (typeof hazardNames)[number]

/** How often each hazard comes, relative to what is usual: 0 for never, 1 as usual. */
export type Hazards = Readonly<Record<Hazard, number>>

/** Poison leaves dead letters, and with them work that is not done: only who expects that asks for it. */
export const usualHazards: Hazards = {
  ...(Object.fromEntries(hazardNames.map((name) => [name, 1])) as Record<Hazard, number>),
  poison: 0,
}

/** No hazards at all, but that processes run beside each other. */
export const noHazards: Hazards = Object.fromEntries(
  hazardNames.map((name) => [name, 0]),
) as Record<Hazard, number>

/** What lasts as long as hazards do, and is no single strike: a shrunk run leaves out each kind as a whole. */
export type LastingHazard = Extract<
  Hazard,
  'passingError' | 'slowHandler' | 'viewError' | 'poison' | 'duplicate' | 'clock'
>

const lastingHazards: readonly LastingHazard[] = [
  'passingError',
  'slowHandler',
  'viewError',
  'poison',
  'duplicate',
  'clock',
]

/** Those that a seed has. */
export const lastingOf = ({ hazards }: Mixture): readonly LastingHazard[] =>
  lastingHazards.filter((name) => hazards[name] > 0)

/** The same mixture, but without these. */
export const mixtureWithout = (mixture: Mixture, left: readonly LastingHazard[]): Mixture => ({
  ...mixture,
  hazards: { ...mixture.hazards, ...Object.fromEntries(left.map((name) => [name, 0])) },
})

/** How one seed goes. */
export interface Mixture {
  readonly hazards: Hazards
  /** Probability that a call takes time at all, and the most that it takes, in milliseconds. */
  readonly latency: { readonly probability: number; readonly most: number }
}

const intensities = [0, 0.5, 1, 1, 2]

/** Draws the mixture of a seed. One in sixteen is calm. */
export function drawMixture(seed: number, wanted: Partial<Hazards>): Mixture {
  const chance = new Chance(seed, 1)
  const calm = chance.is(1 / 16)
  const drawn = hazardNames.map((name): [Hazard, number] => {
    const intensity = chance.pick(intensities)
    return [name, calm ? 0 : intensity * (wanted[name] ?? usualHazards[name])]
  })
  const latency = chance.pick([
    { probability: 0, most: 0 },
    { probability: 0.15, most: 2 },
    { probability: 0.4, most: 6 },
  ])
  return { hazards: Object.fromEntries(drawn) as Record<Hazard, number>, latency }
}
