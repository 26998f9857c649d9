/**
 * One seed from its beginning to its verdict: first with everything that can go wrong, then healed, when all work must
 * come to its end; then what the store holds is checked.
 */
import { memory } from '../../adapters/memory/database.ts'
import { type MemoryStore, memoryStore } from '../../adapters/memory/store.ts'
import { assemble, type Part } from '../../app/parts.ts'
import type { Database } from '../../ports/database.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { Chance } from '../../internal/chance.ts'
import { Calm } from './calm.ts'
import { check } from './checks.ts'
import { makeClient } from './client.ts'
import { drawMixture, lastingOf, type Mixture, mixtureWithout } from './hazards.ts'
import { History } from './history.ts'
import { idleParts } from './idle.ts'
import { Oracle } from './oracle.ts'
import { readOutcome } from './outcome.ts'
import { Process } from './process.ts'
import { realCallProblem, trapped } from './real.ts'
import type { SimulationEnd, RunOptions, Scenario, Verdict } from './scenario.ts'
import { drawHappenings, Schedule, type TimeStrike } from './schedule.ts'
import { Troubles } from './troubles.ts'
import { World } from './world.ts'

/** Milliseconds after which the database rolls back a transaction that is still open. */
const transactionTimeout = 3000

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** What the database itself runs on: the time that really passes. */
const serverRuntime = (world: World, seed: number): Runtime => ({
  now: () => Math.floor(world.now),
  elapsed: () => world.age,
  random: () => 0.5,
  id: () => `database-${seed}`,
  after: (milliseconds, callback) =>
    milliseconds === Infinity ? () => undefined : world.after(milliseconds, callback),
  soon: (callback) => void world.after(0, callback),
})

class Run<C extends string, Q extends string> {
  readonly #scenario: Scenario<C, Q>
  readonly #seed: number
  readonly #world = new World()
  readonly #mixture: Mixture
  readonly #history: History
  readonly #schedule: Schedule
  readonly #happenings: readonly TimeStrike[]
  readonly #troubles: Troubles
  readonly #oracle = new Oracle()
  readonly #processes: readonly Process<C, Q>[]
  readonly #calm: Calm<C, Q>
  readonly #parts = new Map<string, Part>()
  readonly #server: Runtime
  readonly #store: MemoryStore
  readonly #problems: string[] = []
  #idle: readonly string[] = []
  #healed = false

  constructor(scenario: Scenario<C, Q>, seed: number, options: RunOptions) {
    const { strikes, without = [], detailed = false } = options
    this.#scenario = scenario
    this.#seed = seed
    this.#mixture = mixtureWithout(drawMixture(seed, scenario.hazards), without)
    const { hazards } = this.#mixture
    this.#history = new History(this.#world, detailed)
    this.#schedule = new Schedule(seed, hazards, strikes)
    this.#happenings =
      strikes?.filter((strike) => strike.at === 'time') ?? drawHappenings(seed, hazards, scenario)
    this.#troubles = new Troubles(seed, hazards)
    this.#server = serverRuntime(this.#world, seed)
    this.#store = memoryStore({ clock: this.#server })
    this.#processes = this.#makeProcesses()
    this.#calm = new Calm({
      seed,
      world: this.#world,
      history: this.#history,
      troubles: this.#troubles,
      server: this.#server,
      processes: this.#processes,
      patience: scenario.patience,
    })
  }

  /** The verdict; what was asked of the real machine meanwhile is a problem of its own. */
  async verdict(): Promise<Verdict> {
    const asked = new Map<string, string>()
    await trapped(
      (call, from) => {
        if (!this.#scenario.allows.includes(call) && !asked.has(call))
          asked.set(call, realCallProblem(call, from))
      },
      () => this.#run(),
    )
    this.#problems.unshift(...asked.values())
    return this.#tell()
  }

  async #run(): Promise<void> {
    try {
      await this.#strike()
      this.#heal()
      await this.#answer()
      await this.#calm.silence()
      await this.#calm.drain()
      await this.#calm.mend()
      await this.#check()
      await this.#calm.drive('the end of the processes', this.#finish())
    } catch (error) {
      this.#problems.push(textOf(error))
    }
  }

  #tell(): Verdict {
    const world = this.#world
    for (const problem of this.#problems) world.mixText(problem)
    return {
      seed: this.#seed,
      problems: this.#problems,
      hash: world.hash,
      counts: this.#history.counts,
      strikes: [...this.#happenings, ...this.#schedule.struck],
      lasting: lastingOf(this.#mixture),
      idle: this.#idle,
      timeline: this.#history.timeline,
      age: world.age,
      steps: world.steps,
    }
  }

  /** Everything that can go wrong, while clients work. */
  async #strike(): Promise<void> {
    const world = this.#world
    for (const [index, process] of this.#processes.entries())
      world.after(index * 3, () => process.boot())
    for (const strike of this.#happenings) world.after(strike.time, () => this.#happen(strike))
    for (let number = 0; number < this.#scenario.clients; number += 1) this.#startClient(number)
    const last = this.#happenings.at(-1)?.time ?? 0
    const done = (): boolean => this.#working === 0 && world.age > last
    await world.run(done, this.#scenario.duration)
  }

  #working = 0
  /** Clients that let time pass, as their workload says. */
  readonly #waiting = new Set<number>()

  #startClient(number: number): void {
    const client = makeClient<C, Q>({
      number,
      seed: this.#seed,
      world: this.#world,
      history: this.#history,
      oracle: this.#oracle,
      processes: this.#processes,
      duplicates: () => (this.#healed ? 0 : this.#mixture.hazards.duplicate),
      waiting: this.#waiting,
    })
    this.#working += 1
    const work = async (): Promise<void> => this.#scenario.workload(client)
    work().then(
      () => (this.#working -= 1),
      (error: unknown) => {
        this.#working -= 1
        this.#problems.push(`workload: client ${number} failed: ${textOf(error)}`)
      },
    )
  }

  #happen({ process: index, fault, size }: TimeStrike): void {
    const process = this.#processes[index]
    if (process === undefined || this.#healed) return
    if (fault === 'kill') process.kill()
    else if (fault === 'freeze') process.freeze(size)
    else if (fault === 'clock-step') process.stepClock(size)
    else void process.stop(size)
  }

  #heal(): void {
    this.#healed = true
    this.#history.healed()
    this.#schedule.end()
    this.#troubles.heal()
    for (const process of this.#processes) process.heal()
  }

  /** Until every client is done. */
  async #answer(): Promise<void> {
    const { patience } = this.#scenario
    if (await this.#world.run(() => this.#working === 0, patience)) return
    const waits = this.#waiting.size === this.#working
    const what = waits
      ? 'a workload was still in a wait of its own'
      : 'a client never got its answer'
    throw new Error(
      `stuck: ${what} ${patience} ms after the hazards were over, which is the option patience; what a workload waits ` +
        `counts too; ${this.#history.lastFailure}`,
    )
  }

  async #check(): Promise<void> {
    const database = this.#connect()
    await database.open(this.#server)
    const outcome = await this.#calm.drive(
      'reading the store',
      readOutcome({
        parts: assemble([...this.#parts.values()], []),
        books: this.#history.books,
        oracle: this.#oracle,
        troubles: this.#troubles,
        now: this.#server.now(),
        database,
      }),
    )
    for (const { id, position } of outcome.log) {
      this.#world.mixText(id)
      this.#world.mix(position)
    }
    this.#idle = idleParts(outcome)
    this.#problems.push(...(await this.#calm.drive('the checks', check(outcome))))
    const [process] = this.#processes
    const { messages, letters } = outcome
    const { acknowledged, outside } = this.#oracle
    for (const [name, holds] of Object.entries(this.#scenario.invariants)) {
      const app = process?.app as SimulationEnd<C, Q>['app']
      const look = async (): Promise<void> =>
        holds({ app, messages, letters, acknowledged, outside })
      await this.#calm.drive(name, look()).catch((error: unknown) => {
        this.#problems.push(`invariant: ${name}: ${textOf(error)}`)
      })
    }
    await database.close()
  }

  async #finish(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.finish()))
  }

  #connect(): Database {
    const database = memory({ store: this.#store, transactionTimeout })
    return this.#scenario.plant?.below?.(database) ?? database
  }

  #makeProcesses(): readonly Process<C, Q>[] {
    const { latency, hazards } = this.#mixture
    const chance = new Chance(this.#seed, 9)
    const gone = chance.is(0.4) ? new Set<string>() : undefined
    const network = {
      world: this.#world,
      schedule: this.#schedule,
      history: this.#history,
      troubles: this.#troubles,
      server: this.#server,
      latency: () =>
        latency.probability > 0 && !this.#healed && chance.is(latency.probability)
          ? chance.between(0, latency.most)
          : 0,
    }
    return Array.from(
      { length: this.#scenario.processes },
      (_, index) =>
        new Process<C, Q>({
          index,
          seed: this.#seed,
          network,
          connect: () => this.#connect(),
          above: this.#scenario.plant?.above,
          gone,
          options: this.#scenario.app,
          build: this.#scenario.build,
          collect: (part) => void this.#parts.set(part.name, part),
          outside: (name, value) => void this.#oracle.outside.push({ name, value }),
          clockHazard: hazards.clock,
        }),
    )
  }
}

/** Runs one seed. */
export async function runSeed<C extends string, Q extends string>(
  scenario: Scenario<C, Q>,
  seed: number,
  options: RunOptions = {},
): Promise<Verdict> {
  const { stackTraceLimit } = Error
  // Thousands of errors are thrown on purpose, and only the story of a failure shows where.
  if (options.detailed !== true) Error.stackTraceLimit = 0
  try {
    return await new Run(scenario, seed, options).verdict()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
