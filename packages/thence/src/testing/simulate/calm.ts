/**
 * What comes after the hazards: every client gets its answer, every process comes to rest, jobs and timers end, and in half
 * of the seeds what was parked is mended and sent through again.
 */
import type { App } from '../../app/app.ts'
import { redrive } from '../../admin/operate.ts'
import { startRedrive } from '../../admin/redrive.ts'
import { resume } from '../../admin/settings.ts'
import { scheduleOwner } from '../../schedule/record.ts'
import { allSettings } from '../../subscribe/settings.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { Chance } from '../../internal/chance.ts'
import type { History } from './history.ts'
import type { Process } from './process.ts'
import type { TimerBook } from './timer-books.ts'
import type { Troubles } from './troubles.ts'
import type { World } from './world.ts'

export interface CalmPlan<C extends string, Q extends string> {
  readonly seed: number
  readonly world: World
  readonly history: History
  readonly troubles: Troubles
  readonly server: Runtime
  readonly processes: readonly Process<C, Q>[]
  /** How long anything may take, in milliseconds. */
  readonly patience: number
}

/** More rounds than any work needs that comes to its end. */
const mostRounds = 100
/** How often a job is looked at, in milliseconds. */
const lookEvery = 100

export class Calm<C extends string, Q extends string> {
  readonly #plan: CalmPlan<C, Q>

  constructor(plan: CalmPlan<C, Q>) {
    this.#plan = plan
  }

  /** Lets time pass until the promise settles. */
  async drive<T>(what: string, promise: Promise<T>): Promise<T> {
    const { world, patience, history } = this.#plan
    let settled = false
    const settle = (): void => void (settled = true)
    promise.then(settle, settle)
    if (await world.run(() => settled, patience)) return promise
    throw new Error(`stuck: ${what} did not come within ${patience} ms; ${history.lastFailure}`)
  }

  /** Schedules fire what is overdue, and are cancelled: else something would always be on its way. */
  async silence(): Promise<void> {
    const { world, history, patience, server } = this.#plan
    const slots = () => history.books.timers.standing(scheduleOwner)
    const late = (): string[] =>
      slots()
        .filter(({ due }) => due <= server.now())
        .map(({ id }) => id)
    if (!(await world.run(() => late().length === 0, patience)))
      throw new Error(`stuck: ${late().join(', ')} did not fire`)
    for (const { id } of slots())
      await this.drive(
        'the end of a schedule',
        this.#call((app) => app.schedules.cancel(id)),
      )
  }

  /** Until nothing is left to do: nothing is paused, no job is left to run, and no timer to fire. */
  async drain(): Promise<void> {
    const { world, patience } = this.#plan
    for (let round = 0; round < mostRounds; round += 1) {
      const resumed = await this.#resumeAll()
      await this.#idle()
      await this.drive('the end of a job', this.#jobsEnd())
      const head = await this.#head()
      const waiting = this.#waiting()
      if (waiting.length > 0) {
        if (!(await world.run(() => waiting.some(({ fate }) => fate !== 'waits'), patience)))
          throw new Error(`stuck: the timer ${waiting[0]?.timer.id} never fired`)
      } else {
        await this.#idle()
        // A schedule may have sent something while the last of them came to rest; and what was resumed may stop again.
        if (!resumed && (await this.#head()) === head) return
      }
    }
    throw new Error('stuck: there is always another timer, or another job')
  }

  /** In half of the seeds what was poison is mended, and what was parked is sent through again: singly, or by a job. */
  async mend(): Promise<void> {
    const { seed, troubles } = this.#plan
    const chance = new Chance(seed, 11)
    if (!chance.is(0.5)) return
    troubles.cure()
    await this.drive('redriving', chance.is(0.5) ? this.#redriveEach() : this.#redriveByJob())
    await this.drain()
  }

  /** Timers that are still to fire; a schedule always has another one. */
  #waiting(): readonly TimerBook[] {
    const timers = [...this.#plan.history.books.timers.all.values()]
    return timers.filter(({ fate, timer }) => fate === 'waits' && timer.owner !== scheduleOwner)
  }

  /** Until every process says that nothing is left to do. */
  async #idle(): Promise<void> {
    const { world, processes } = this.#plan
    const idle = async (process: Process<C, Q>): Promise<void> => {
      while (process.app === undefined) await world.wait(20)
      await process.call((app) => app.whenIdle())
    }
    await this.drive('an idle app', Promise.all(processes.map(idle)))
  }

  /** A pause that was asked for by a process that froze may come after who asked for it went on. Whether any was ended. */
  async #resumeAll(): Promise<boolean> {
    const { server } = this.#plan
    return this.drive(
      'the end of a pause',
      this.#call(async ({ database }) => {
        const all = await database.read(allSettings)
        const paused = [...all].filter(([, settings]) => settings.paused !== undefined)
        for (const [name] of paused) await resume({ database, runtime: server }, name)
        return paused.length > 0
      }),
    )
  }

  /** The end of the log. */
  async #head(): Promise<number> {
    return this.drive(
      'the end of the log',
      this.#call(({ database }) => database.read(({ events }) => events.head())),
    )
  }

  async #anyJob(): Promise<boolean> {
    const jobs = await this.#call(({ database }) =>
      database.read((one) => one.jobs.list({ state: 'running', limit: 1 })),
    )
    return jobs.length > 0
  }

  async #jobsEnd(): Promise<void> {
    while (await this.#anyJob()) await this.#plan.world.wait(lookEvery)
  }

  async #redriveEach(): Promise<void> {
    const { history, server } = this.#plan
    await this.#call(async ({ database }) => {
      const on = { database, runtime: server }
      for (const { id } of await database.read(({ deadLetters }) =>
        deadLetters.list({ state: 'parked', limit: 1000 }),
      )) {
        history.mark('a dead letter was redriven')
        await redrive(on, id)
      }
    })
  }

  /** One job for everything. It may stop by itself, or leave what cannot be redriven. */
  async #redriveByJob(): Promise<void> {
    const { history, server } = this.#plan
    await this.#call(async ({ database }) => {
      const counts = await database.read(({ deadLetters }) => deadLetters.counts())
      if (counts.parked === 0) return
      history.mark('a job redrove dead letters')
      await startRedrive({ database, runtime: server }, { reason: 'mended' })
    })
  }

  /** In the first process: it does not end any more. */
  async #call<T>(work: (app: App<C, Q>) => Promise<T>): Promise<T> {
    const { processes, world } = this.#plan
    const [process] = processes
    if (process === undefined) throw new Error('There is no process.')
    while (process.app === undefined) await world.wait(20)
    return process.call(work)
  }
}
