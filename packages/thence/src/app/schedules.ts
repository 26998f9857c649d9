/**
 * What an app can do about what waits for its time: look, cancel, fire now, resume.
 */
import { expectOptions } from '../message/expect.ts'
import type { ActedOn, Acting } from '../schedule/operate.ts'
import { cancelIn, fireIn, resumeIn } from '../schedule/operate.ts'
import type { TimersOptions, TimersPage } from '../schedule/view.ts'
import { listTimers } from '../schedule/view.ts'
import type { Transaction } from '../ports/database.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from './engine.ts'
import type { SettingOptions } from './settings.ts'
import { settingNames } from './settings.ts'

/** Runs a call that the end of the app waits for. */
type Call = <T>(work: () => Promise<T>) => Promise<T>

export class Schedules {
  readonly #store: Store
  readonly #engine: Engine
  readonly #call: Call

  /** @internal */
  constructor(store: Store, engine: Engine, call: Call) {
    this.#store = store
    this.#engine = engine
    this.#call = call
  }

  /**
   * Schedules, and commands that were sent for later, by when they are due; what was given up comes first.
   * @throws CONFIG_INVALID for an `after` that no page gave
   */
  list(options: TimersOptions = {}): Promise<TimersPage> {
    return this.#call(() => this.#store.read((transaction) => listTimers(transaction, options)))
  }

  /**
   * Takes back what waits: the id is what `send` or `list` gave, or the name of a schedule, which stays cancelled, over
   * restarts and deploys, until it is resumed. Returns false if it does not wait any more: it was recorded or cancelled
   * before, or it never was. Of a cancel and a firing that race, one has its way, and the answer tells which.
   * @throws STATE_INVALID for a timer of a saga
   */
  cancel(id: string, options: SettingOptions = {}): Promise<boolean> {
    return this.#act(options, (transaction, acting) => cancelIn(transaction, id, acting))
  }

  /**
   * Fires it within a second; here, or in another app that has the schedule. What has failed is tried again; a schedule
   * sends one command more, beside its slots, also if it is cancelled. Returns false if it does not wait any more.
   */
  fire(id: string, options: SettingOptions = {}): Promise<boolean> {
    return this.#act(options, (transaction, acting) => fireIn(transaction, id, acting))
  }

  /**
   * Lets a cancelled schedule go on with its next slot; what it would have sent meanwhile is not sent. Returns false if
   * there is no such schedule.
   * @throws STATE_INVALID if it is not cancelled
   */
  resume(id: string, options: SettingOptions = {}): Promise<boolean> {
    return this.#act(options, (transaction, acting) => resumeIn(transaction, id, acting))
  }

  #act(
    options: SettingOptions,
    work: (transaction: Transaction, acting: Acting) => Promise<ActedOn | undefined>,
  ): Promise<boolean> {
    const { runtime } = this.#store.tools
    return this.#call(async () => {
      expectOptions('the act on a schedule', options, settingNames)
      const acted = await this.#store.transact(({ transaction }) =>
        work(transaction, { ...options, runtime }),
      )
      this.#engine.timerSet(0)
      return acted !== undefined
    })
  }
}
