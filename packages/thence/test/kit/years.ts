// A world of several processes on one store in which time passes in jumps and everything goes wrong that can: the clock of
// the database is set back and forward, processes start anew, commits fail, and several look at once.
import type { Database, Runtime, Schedule } from 'thence'
import type { AnyDefinition } from '../../src/message/define.ts'
import { Seeded } from '../../src/internal/seeded.ts'
import type { When } from './faults.ts'
import { faulty } from './faults.ts'
import type { Node } from './nodes.ts'
import { MovableClock, startNode } from './nodes.ts'
import { skewed } from './skew.ts'

const hour = 3_600_000
const day = 24 * hour

export interface WorldOptions {
  readonly seed: number
  readonly schedules: readonly Schedule[]
  readonly takes: readonly AnyDefinition[]
  /** Whether processes look side by side. */
  readonly together: boolean
  readonly connect: (clock: MovableClock) => (process: Runtime) => Promise<Database>
}

/** By how much the clock of each process is wrong. */
const wrongBy = [-hour, 0, 10 * 60_000, hour]
const ways: readonly When[] = ['before the commit', 'after the commit', 'instead of the commit']

export class World {
  readonly clock: MovableClock = new MovableClock()
  /** How often each of them struck. */
  readonly hazards = { back: 0, forward: 0, restarts: 0, failed: 0, races: 0 }
  readonly #options: WorldOptions
  readonly #connect: (process: Runtime) => Promise<Database>
  readonly #chance: Seeded
  readonly #nodes: Node[] = []
  #calm = true
  #repeated = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.#connect = options.connect(this.clock)
    this.#chance = new Seeded(options.seed)
  }

  get database(): Database {
    return (this.#nodes[0] as Node).store.database
  }

  /** Appends that found their message in the log already: the claim below it did not hold. */
  get repeated(): number {
    return this.#nodes.reduce((sum, node) => sum + node.repeated(), this.#repeated)
  }

  async begin(): Promise<void> {
    for (const n of wrongBy.keys()) this.#nodes.push(await this.#start(n))
  }

  async live(until: number): Promise<void> {
    while (this.clock.now() < until) {
      this.#pass()
      if (this.#pick(30) === 0) await this.#restart(this.#pick(wrongBy.length))
      this.#calm = false
      await this.#look()
      this.#calm = true
    }
    for (const node of this.#nodes) await node.look()
  }

  #pick(below: number): number {
    return Math.floor(this.#chance.number() * below)
  }

  #pass(): void {
    const what = this.#pick(20)
    if (what === 0) {
      this.clock.move(-this.#pick(hour))
      this.hazards.back += 1
    } else if (what === 1) {
      this.clock.move(this.#pick(hour))
      this.hazards.forward += 1
    } else this.clock.move(this.#pick(what < 4 ? 3 * day : day))
  }

  async #restart(n: number): Promise<void> {
    this.#repeated += this.#nodes[n]?.repeated() ?? 0
    this.#nodes[n] = await this.#start(n)
    this.hazards.restarts += 1
  }

  async #look(): Promise<void> {
    const looking = this.#nodes.filter(() => this.#pick(2) === 0)
    if (looking.length > 1) this.hazards.races += 1
    // What a failed commit has left is looked at by whoever comes next.
    const looks = looking.map((node) => () => node.look().catch(() => undefined))
    if (this.#options.together) await Promise.all(looks.map((look) => look()))
    else for (const look of looks) await look()
  }

  async #start(n: number): Promise<Node> {
    const { schedules, takes } = this.#options
    const runtime = skewed(this.clock.runtime, () => wrongBy[n] ?? 0)
    const chosen = (): When | undefined => {
      if (this.#calm || this.#pick(40) > 0) return undefined
      this.hazards.failed += 1
      return ways[this.#pick(ways.length)]
    }
    const { database } = faulty(await this.#connect(runtime), chosen)
    return startNode({ database, schedules, takes, runtime })
  }
}
