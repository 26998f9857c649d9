/**
 * Tells a call that waits for another transaction from one that is only slow: the server says who waits for a lock;
 * where nobody can be asked, a while without an answer has to do.
 */
import type { TortureSession } from './subject.ts'

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds))

/**
 * Whoever lets a lock go gives it to who waits for it in the same moment; what a session says of itself it says later, when it has its turn
 * on a busy machine.
 */
const waits =
  'SELECT count(DISTINCT l.pid)::integer AS many FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid ' +
  'WHERE NOT l.granted AND a.application_name = $1'

export interface WaitingOptions {
  /** Milliseconds without an answer after which a call counts as one that waits. */
  readonly patience: number
  /** Whom to ask who waits for a lock. */
  readonly ask?: { readonly session: TortureSession; readonly application: string } | undefined
}

export class Waiting {
  readonly #options: WaitingOptions
  /** Who has no answer yet, with the last that each asked for: one after the other, so that each waits once. */
  readonly #out = new Map<object, Promise<unknown>>()

  constructor(options: WaitingOptions) {
    this.#options = options
  }

  /** Watches a call until it is answered. */
  watch(who: object, work: Promise<unknown>): void {
    this.#out.set(who, work)
    const end = (): void => {
      if (this.#out.get(who) === work) this.#out.delete(who)
    }
    work.then(end, end)
  }

  /** Resolves when every call is answered or waits for a lock that another holds. */
  async calm(): Promise<void> {
    const end = performance.now() + this.#options.patience
    for (let looks = 0; this.#out.size > 0; looks += 1) {
      if (looks > 1 && (await this.#waiting()) >= this.#out.size) return
      if (performance.now() > end) return
      await pause(looks < 20 ? 1 : 5)
    }
  }

  /** Resolves when every call is answered; false if that takes longer than `limit` milliseconds. */
  async done(limit: number): Promise<boolean> {
    const end = performance.now() + limit
    while (this.#out.size > 0) {
      if (performance.now() > end) return false
      await pause(2)
    }
    return true
  }

  async #waiting(): Promise<number> {
    const { ask } = this.#options
    if (ask === undefined) return -1
    const { rows } = await ask.session.query(waits, [ask.application])
    return (rows[0] as { readonly many: number }).many
  }
}
