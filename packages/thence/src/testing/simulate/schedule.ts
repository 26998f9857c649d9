/**
 * Which hazards strike where. Drawn from the seed as calls come, and noted, so that the very same ones, or fewer of
 * them, can be made to strike again.
 */
import { Chance } from '../../internal/chance.ts'
import type { Hazard, Hazards } from './hazards.ts'

/** Where a hazard can strike a call: at the beginning of a transaction, inside of it, at a commit. */
export type Site = 'begin' | 'port' | 'commit'

export type CallFault =
  | 'crash-before'
  | 'crash-after'
  | 'lost-request'
  | 'lost-reply'
  | 'late-request'
  | 'lost-connection'
  | 'slow'
  | 'pause'

/** What befalls a process at some time, whatever it does. */
export type Happening = 'kill' | 'stop' | 'freeze' | 'clock-step'

/** A hazard that strikes; `size`, from [0, 1), says how hard. */
export type Strike =
  | {
      readonly at: 'call'
      readonly process: number
      /** Which call of the process, from 1. */
      readonly call: number
      readonly fault: CallFault
      readonly size: number
    }
  | {
      readonly at: 'time'
      readonly process: number
      /** Milliseconds after the beginning. */
      readonly time: number
      readonly fault: Happening
      readonly size: number
    }

export type CallStrike = Extract<Strike, { at: 'call' }>
export type TimeStrike = Extract<Strike, { at: 'time' }>

/** Probability per call where the hazard is as frequent as usual. */
const frequency: Readonly<Record<CallFault, readonly [Hazard, number]>> = {
  'crash-before': ['crash', 0.0008],
  'crash-after': ['crash', 0.0008],
  'lost-request': ['lostRequest', 0.001],
  'lost-reply': ['lostReply', 0.001],
  'late-request': ['lateRequest', 0.001],
  'lost-connection': ['lostConnection', 0.0006],
  slow: ['slowCall', 0.002],
  pause: ['pause', 0.0005],
}

const faultsAt: Readonly<Record<Site, readonly CallFault[]>> = {
  begin: ['crash-before', 'lost-request', 'slow', 'pause'],
  port: ['crash-before', 'crash-after', 'lost-connection', 'slow', 'pause'],
  commit: [
    'crash-before',
    'crash-after',
    'lost-request',
    'lost-reply',
    'late-request',
    'slow',
    'pause',
  ],
}

/** A commit is where most is at stake, so more goes wrong there. */
const emphasis: Readonly<Record<Site, number>> = { begin: 1, port: 0.6, commit: 6 }

interface Odds {
  readonly total: number
  readonly faults: readonly (readonly [CallFault, number])[]
}

const oddsAt = (site: Site, hazards: Hazards): Odds => {
  let total = 0
  const faults = faultsAt[site].map((fault): [CallFault, number] => {
    const [hazard, probability] = frequency[fault]
    total += probability * hazards[hazard] * emphasis[site]
    return [fault, total]
  })
  return { total, faults }
}

/** Gives what strikes each call of each process. */
export class Schedule {
  /** What has struck. */
  readonly struck: CallStrike[] = []
  readonly #seed: number
  readonly #odds: Readonly<Record<Site, Odds>>
  readonly #fixed: ReadonlyMap<string, CallStrike> | undefined
  readonly #chances: Chance[] = []
  readonly #calls: number[] = []
  #over = false

  /** @param fixed strikes to follow instead of drawing them. */
  constructor(seed: number, hazards: Hazards, fixed?: readonly Strike[]) {
    this.#seed = seed
    this.#odds = {
      begin: oddsAt('begin', hazards),
      port: oddsAt('port', hazards),
      commit: oddsAt('commit', hazards),
    }
    this.#fixed =
      fixed &&
      new Map(
        fixed
          .filter((strike) => strike.at === 'call')
          .map((strike) => [`${strike.process} ${strike.call}`, strike]),
      )
  }

  /** Nothing strikes any more. */
  end(): void {
    this.#over = true
  }

  /** What strikes the next call of this process. */
  strike(process: number, site: Site): CallStrike | undefined {
    if (this.#over) return undefined
    const call = (this.#calls[process] ?? 0) + 1
    this.#calls[process] = call
    const strike = this.#fixed?.get(`${process} ${call}`) ?? this.#draw({ process, call, site })
    if (strike === undefined || !faultsAt[site].includes(strike.fault)) return undefined
    this.struck.push(strike)
    return strike
  }

  #draw(at: { process: number; call: number; site: Site }): CallStrike | undefined {
    if (this.#fixed !== undefined) return undefined
    const { process, call, site } = at
    const { total, faults } = this.#odds[site]
    const chance = (this.#chances[process] ??= new Chance(this.#seed, 2, process))
    const drawn = chance.number()
    if (drawn >= total) return undefined
    const [fault] = faults.find(([, bound]) => drawn < bound) ?? faults[0] ?? ['slow']
    return { at: 'call', process, call, fault, size: chance.number() }
  }
}

/** How many of each befall all processes together, where the hazard is as frequent as usual. */
const happenings: readonly (readonly [Happening, Hazard, number])[] = [
  ['kill', 'crash', 1.5],
  ['stop', 'restart', 1.5],
  ['freeze', 'pause', 1],
  ['clock-step', 'clock', 1.5],
]

/** Draws what happens to processes within `duration` milliseconds, in order of time. */
export function drawHappenings(
  seed: number,
  hazards: Hazards,
  { processes, duration }: { readonly processes: number; readonly duration: number },
): readonly TimeStrike[] {
  const chance = new Chance(seed, 3)
  return happenings
    .flatMap(([fault, hazard, usual]) => {
      const mean = usual * hazards[hazard]
      const count = Math.floor(mean) + (chance.is(mean % 1) ? 1 : 0)
      return Array.from({ length: count }, (): TimeStrike => {
        const time = Math.floor(chance.between(0, duration))
        return { at: 'time', process: chance.whole(processes), time, fault, size: chance.number() }
      })
    })
    .toSorted((one, other) => one.time - other.time)
}
