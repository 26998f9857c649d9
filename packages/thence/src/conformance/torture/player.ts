/**
 * One who appends, alone or in a transaction that is held open. What it is told goes into the ledger. It does one thing after the
 * other and waits for nobody: what is asked of it while it waits is done later.
 */
import type { Scene } from './scene.ts'
import type {
  TortureAnswer,
  TortureAppend,
  TortureClient,
  TortureSavepoint,
  TortureTransaction,
} from './subject.ts'

/** A transaction and what stands in it, which is written if it commits. */
interface Held {
  readonly transaction: TortureTransaction
  ids: string[]
  /** The last savepoint that is open, and how much there was before it. */
  savepoint?: { readonly point: TortureSavepoint; readonly before: number } | undefined
}

export class Player {
  readonly name: string
  readonly #client: TortureClient
  readonly #scene: Scene
  #held: Held | undefined
  #tail: Promise<void> = Promise.resolve()

  constructor(name: string, client: TortureClient, scene: Scene) {
    this.name = name
    this.#client = client
    this.#scene = scene
  }

  /** In the transaction, if one is open. */
  append(stream: string, ...ids: readonly string[]): Promise<void> {
    return this.#next(`append ${ids.join(', ')} to ${stream}`, () => this.#append({ stream, ids }))
  }

  begin(): Promise<void> {
    return this.#next('begin', async () => {
      if (this.#held !== undefined) return
      const transaction = await this.#client.begin?.()
      if (transaction) this.#held = { transaction, ids: [] }
    })
  }

  touch(): Promise<void> {
    return this.#next('write beside', async () => void (await this.#held?.transaction.touch?.()))
  }

  savepoint(): Promise<void> {
    return this.#next('set a savepoint', async () => {
      const held = this.#held
      if (held?.savepoint !== undefined) return
      const point = await held?.transaction.savepoint?.()
      if (held && point) held.savepoint = { point, before: held.ids.length }
    })
  }

  /** Ends the savepoint, and keeps what was done since or undoes it. */
  release(keep: boolean): Promise<void> {
    return this.#next(keep ? 'keep' : 'undo', async () => {
      const held = this.#held
      if (held?.savepoint === undefined) return
      const { point, before } = held.savepoint
      held.savepoint = undefined
      if (keep) return point.keep()
      await point.undo()
      for (const id of held.ids.splice(before)) this.#scene.ledger.gone.add(id)
    })
  }

  commit(): Promise<void> {
    return this.#next('commit', () => this.#end((transaction) => transaction.commit()))
  }

  /** What is prepared counts as written: whoever prepares says later that it is. */
  prepare(name: string): Promise<void> {
    return this.#next('prepare', () => this.#end(async (one) => one.prepare?.(name)))
  }

  rollback(): Promise<void> {
    return this.#next('roll back', () => this.#rollback())
  }

  /** Its transaction was ended by somebody else: what it wrote is gone. */
  abandon(): Promise<void> {
    return this.#next('end', async () => {
      const held = this.#held
      this.#held = undefined
      for (const id of held?.ids ?? []) this.#scene.ledger.gone.add(id)
      // Whatever it says: the connection is gone.
      await held?.transaction.rollback().catch(() => undefined)
    })
  }

  /** At the end of all: what is open is rolled back. */
  end(): void {
    void this.rollback()
  }

  async #append(request: TortureAppend): Promise<void> {
    const { ledger } = this.#scene
    const held = this.#held
    let answer: TortureAnswer
    try {
      answer = await (held?.transaction ?? this.#client).append(request)
    } catch (error) {
      for (const id of request.ids) ledger.unknown.add(id)
      await this.#rollback()
      throw error
    }
    if (answer === 'appended' && held) held.ids.push(...request.ids)
    else
      for (const id of request.ids) (answer === 'appended' ? ledger.written : ledger.gone).add(id)
    if (answer === 'busy') await this.#rollback()
  }

  async #end(how: (transaction: TortureTransaction) => Promise<void>): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    const { ledger } = this.#scene
    try {
      await held.savepoint?.point.keep()
      await how(held.transaction)
    } catch (error) {
      for (const id of held.ids) ledger.unknown.add(id)
      throw error
    }
    for (const id of held.ids) ledger.written.add(id)
  }

  async #rollback(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    for (const id of held?.ids ?? []) this.#scene.ledger.gone.add(id)
    try {
      await held?.savepoint?.point.keep()
    } finally {
      await held?.transaction.rollback()
    }
  }

  #next(what: string, work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work).catch((error: unknown) => {
      this.#scene.blame('failed', `${this.name} could not ${what}: ${String(error)}`)
    })
    this.#tail = done
    this.#scene.watch(this, done)
    return done
  }
}
