/**
 * The one clock of a store, for sagas, delayed commands and schedules: it looks when the next timer is due by the
 * database's clock, and fires what is due in bounded batches. Any number of processes may run one on a store.
 */
import { isStoreFailure, isThenceError } from '../errors.ts'
import { Rounds } from '../internal/rounds.ts'
import type { Signals } from '../observe/signals.ts'
import { Upkeep } from '../observe/upkeep.ts'
import type { Transaction } from '../ports/database.ts'
import type { Timer, TimerPlace } from '../ports/timers.ts'
import { turn } from '../ports/wait.ts'
import type { Store } from '../store/store.ts'
import type { Writer } from '../store/writer.ts'
import { adopt, confirmEvery, goneAfter } from './adopt.ts'
import type { Firing, Tell } from './fire.ts'
import { failTimer, fireOne, fireOrFail, scheduleOf } from './fire.ts'
import type { Schedule } from './schedule.ts'
import { tryOut } from './try-out.ts'

/** So many timers are fired in one transaction at most, and none after so many messages: a schedule may catch up. */
const batch = 200
/** Looks at least so often, in milliseconds, for timers that another process has set and for a clock that was set. */
const longest = 1000

export class TimerClock {
  readonly #store: Store
  readonly #signals: Signals
  readonly #upkeep: Upkeep
  readonly #schedules: ReadonlyMap<string, Schedule>
  /** Schedules whose definition is still to replace another one. */
  readonly #wanted: Set<string>
  /** When the definitions were looked at last, by the database's clock and by `elapsed`. */
  #confirmed = { now: 0, elapsed: -Infinity }
  /** When each definition was last said to be had, and since when that is what this process sees, by `elapsed`. */
  readonly #heard = new Map<string, { readonly confirmed: number; readonly since: number }>()
  readonly #rounds: Rounds
  /** The last look: when it was, by the database's clock and by `elapsed`. */
  #looked = { now: 0, elapsed: -Infinity }

  constructor(store: Store, signals: Signals, schedules: readonly Schedule[] = []) {
    this.#store = store
    this.#signals = signals
    this.#upkeep = new Upkeep(signals, 'timers')
    this.#schedules = new Map(schedules.map((one) => [one.name, one]))
    this.#wanted = new Set(this.#schedules.keys())
    const { runtime } = store.tools
    this.#rounds = new Rounds(
      (delay, callback) => runtime.after(delay, callback),
      () => this.#round(),
    )
  }

  /**
   * Plans the schedules that are new, and begins.
   * @throws CONFIG_INVALID if `send` of a schedule throws, with that as its cause; SCHEMA_INVALID and the like, if what it writes
   * is no valid command; STORE_…
   */
  async start(): Promise<void> {
    const { tools } = this.#store
    for (const schedule of this.#schedules.values())
      tryOut(schedule, schedule.slots.next(tools.runtime.now()), tools)
    await this.#adopt(true)
    this.#rounds.start()
  }

  stop(): Promise<void> {
    return this.#rounds.stop()
  }

  /** A timer was set; it is looked for at once if it is due before the next look would come. */
  set(due: number): void {
    const passed = this.#store.tools.runtime.elapsed() - this.#looked.elapsed
    if (due < this.#looked.now + passed + longest) this.wake()
  }

  /** Timers may have been set or may be due. */
  wake(): void {
    this.#rounds.wake()
  }

  /** Fires what is due; gives the milliseconds until the next look. */
  async #round(): Promise<number> {
    let wait: number | undefined
    try {
      while ((await this.fire()) && !this.#rounds.stopped)
        // Heartbeats and requests have their turn.
        await turn(this.#store.tools.runtime)
      await this.#adopt(false)
      wait = await this.#look()
      this.#upkeep.done()
    } catch (error) {
      // Looked at again at the next tick.
      this.#upkeep.failed(error)
    }
    return Math.min(longest, wait ?? longest)
  }

  #look(): Promise<number | undefined> {
    return this.#store.read(async ({ timers }) => {
      const elapsed = this.#store.tools.runtime.elapsed()
      this.#looked = { now: await timers.now(), elapsed }
      return timers.wait()
    })
  }

  /** Fires a batch of what is due; returns whether there may be more. */
  async fire(): Promise<boolean> {
    const any = await this.#store.read((transaction) => this.#due(transaction, 1))
    if (any.length === 0) return false
    try {
      return await this.#fire(fireOne)
    } catch (error) {
      if (isThenceError(error, 'TRANSACTION_TIMEOUT')) return this.#fireEach()
      if (isStoreFailure(error)) throw error
      // One of them cannot be fired: each by itself, so that it takes no other along.
      return this.#fire(fireOrFail)
    }
  }

  #fire(fire: typeof fireOne): Promise<boolean> {
    return this.#transact(async (writer, tell) => {
      // Read again: another process may have been first, or a timer may have been set anew meanwhile.
      const due = await this.#due(writer.transaction, batch)
      const firing = await this.#firing(writer)
      for (const timer of due) {
        if (writer.appends >= batch) return true
        tell.push(await fire(writer, timer, firing))
      }
      return due.length === batch
    })
  }

  /** A transaction that hung took all its timers along: each gets one of its own, and one that hangs alone has failed. */
  async #fireEach(): Promise<boolean> {
    const due = await this.#store.read((transaction) => this.#due(transaction, batch))
    for (const timer of due)
      try {
        await this.#fireAlone(timer, fireOrFail)
      } catch (error) {
        if (!isThenceError(error, 'TRANSACTION_TIMEOUT')) throw error
        await this.#fireAlone(timer, (writer, one, { tools }) =>
          failTimer(writer, one, { error, tools }),
        )
      }
    return due.length === batch
  }

  #fireAlone(timer: Timer, fire: typeof fireOne): Promise<void> {
    return this.#transact(async (writer, tell) => {
      const now = await writer.transaction.timers.find(timer.id)
      if (now?.next === timer.next && now.due === timer.due)
        tell.push(await fire(writer, now, await this.#firing(writer)))
    })
  }

  async #firing({ transaction }: Writer): Promise<Firing> {
    const { tools } = this.#store
    return { now: await transaction.timers.now(), tools, schedules: this.#schedules }
  }

  /** One transaction, and after its commit what it has to tell. */
  async #transact<T>(work: (writer: Writer, tell: Tell[]) => Promise<T>): Promise<T> {
    let tell: Tell[] = []
    const result = await this.#store.transact((writer) => {
      tell = []
      return work(writer, tell)
    })
    for (const one of tell) one(this.#signals)
    return result
  }

  /** What is due, but for the slots of schedules that only another app has. */
  async #due({ timers }: Transaction, most: number): Promise<readonly Timer[]> {
    const found: Timer[] = []
    let after: TimerPlace | undefined
    for (;;) {
      const limit = most - found.length
      const page = await timers.due({
        limit,
        ...(after === undefined ? {} : { after }),
      })
      found.push(...page.filter((timer) => this.#isOurs(timer)))
      after = page.at(-1)
      if (page.length < limit || found.length >= most) return found
    }
  }

  #isOurs(timer: Timer): boolean {
    const schedule = scheduleOf(timer)
    return schedule === undefined || this.#schedules.has(schedule)
  }

  /** Says that this app has its schedules, and makes its definitions hold where they should. */
  async #adopt(starting: boolean): Promise<void> {
    if (this.#schedules.size === 0) return
    const elapsed = this.#store.tools.runtime.elapsed()
    if (this.#wanted.size === 0 && !this.#isToConfirm(elapsed)) return
    const done: string[] = []
    let now = 0
    await this.#store.transact(async (writer) => {
      done.length = 0
      now = await writer.transaction.timers.now()
      for (const schedule of this.#schedules.values()) {
        const wanted = this.#wanted.has(schedule.name)
        const isGone = (confirmed: number): boolean =>
          this.#isGone(schedule.name, { confirmed, elapsed })
        if ((await adopt(writer, schedule, { starting, wanted, now, isGone })) !== 'waiting')
          done.push(schedule.name)
      }
    })
    for (const name of done) this.#wanted.delete(name)
    this.#confirmed = { now, elapsed }
  }

  /** Every so often, and at once when the clock was set: others would take what was confirmed for old. */
  #isToConfirm(elapsed: number): boolean {
    const { now, elapsed: then } = this.#confirmed
    return elapsed - then >= confirmEvery || Math.abs(this.#looked.now - now) >= confirmEvery
  }

  #isGone(
    name: string,
    { confirmed, elapsed }: { readonly confirmed: number; readonly elapsed: number },
  ): boolean {
    const heard = this.#heard.get(name)
    if (heard?.confirmed === confirmed) return elapsed - heard.since >= goneAfter
    this.#heard.set(name, { confirmed, since: elapsed })
    return false
  }
}
