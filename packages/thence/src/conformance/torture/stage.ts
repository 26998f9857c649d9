/**
 * Where a trap is played: players who append and subscribers who read, each waiting for nobody but itself, and at the end
 * the judgement of all that they were told.
 */
import { judge, Ledger, type TortureProblem, type TortureProblemKind } from './judge.ts'
import { Player } from './player.ts'
import type { Scene, TortureLimits } from './scene.ts'
import { Subscriber } from './subscriber.ts'
import type {
  TortureClient,
  TortureEvent,
  TortureSession,
  TortureSessions,
  TortureSubject,
} from './subject.ts'
import { Waiting } from './waiting.ts'

export class Stage implements Scene {
  readonly ledger: Ledger = new Ledger()
  readonly limits: TortureLimits
  readonly #subject: TortureSubject
  readonly #waiting: Waiting
  readonly #clients: TortureClient[] = []
  readonly #opened: TortureSession[] = []
  readonly #players: Player[] = []
  readonly #subscribers: Subscriber[] = []
  readonly #problems: TortureProblem[] = []

  private constructor(subject: TortureSubject, limits: TortureLimits, watcher?: TortureSession) {
    this.#subject = subject
    this.limits = limits
    const application = subject.sessions?.application
    const ask = watcher && application !== undefined ? { session: watcher, application } : undefined
    this.#waiting = new Waiting({ patience: ask ? limits.patience * 8 : limits.patience, ask })
    if (watcher) this.#opened.push(watcher)
  }

  static async of(subject: TortureSubject, limits: TortureLimits): Promise<Stage> {
    return new Stage(subject, limits, await subject.sessions?.open())
  }

  /** Set where the trap is only played if there are sessions. */
  get sessions(): TortureSessions {
    const { sessions } = this.#subject
    if (sessions === undefined) throw new Error('This trap needs sessions.')
    return sessions
  }

  /** Has the store tell of new events by itself. */
  async follow(told: (event: TortureEvent) => void): Promise<{ stop(): Promise<void> }> {
    const following = await this.#subject.follow?.(told)
    if (following === undefined)
      throw new Error('This trap needs a store that tells of new events.')
    return following
  }

  async client(): Promise<TortureClient> {
    const client = await this.#subject.connect()
    this.#clients.push(client)
    return client
  }

  /** One who appends, with a client of its own. */
  async player(): Promise<Player> {
    const client = await this.client()
    const player = new Player(`player ${this.#players.length + 1}`, client, this)
    this.#players.push(player)
    return player
  }

  /** One who reads, with a client of its own. */
  async subscriber(): Promise<Subscriber> {
    const client = await this.client()
    const reader = await client.reader()
    const name = `subscriber ${this.#subscribers.length + 1}`
    const subscriber = new Subscriber(name, reader, this)
    this.#subscribers.push(subscriber)
    return subscriber
  }

  /** A session beside the store; it is closed at the end. */
  async session(database?: string): Promise<TortureSession> {
    const session = await this.sessions.open(database)
    this.#opened.push(session)
    return session
  }

  watch(who: object, work: Promise<unknown>): void {
    this.#waiting.watch(who, work)
  }

  /** Resolves when everybody has an answer or waits for another. */
  calm(): Promise<void> {
    return this.#waiting.calm()
  }

  /** Resolves when everybody has an answer. */
  async done(): Promise<void> {
    if (await this.#waiting.done(this.limits.hang)) return
    this.blame('hung', `a call was not answered within ${this.limits.hang} ms`)
  }

  blame(kind: TortureProblemKind, text: string): void {
    this.#problems.push({ kind, text })
  }

  /** What went wrong so far, without a judgement. */
  get problems(): readonly TortureProblem[] {
    return this.#problems
  }

  /** Ends what is open, lets every subscriber read to the end, and judges. */
  async judge(): Promise<readonly TortureProblem[]> {
    for (const player of this.#players) player.end()
    await this.done()
    if (this.#problems.some(({ kind }) => kind === 'hung')) return this.#problems
    const client = await this.client()
    const log = new Subscriber('a new subscriber', await client.reader(), this)
    await log.drain([...this.ledger.written])
    const stored = log.events.map(({ id }) => id)
    await Promise.all(this.#subscribers.map((one) => one.drain(stored)))
    return [...this.#problems, ...judge(this.ledger, log, this.#subscribers)]
  }

  async close(): Promise<void> {
    const ending = [
      ...this.#subscribers.map((one) => one.stop()),
      ...this.#opened.map((one) => one.close()),
    ]
    await Promise.allSettled(ending)
    await Promise.allSettled(this.#clients.map((one) => one.close()))
  }
}
