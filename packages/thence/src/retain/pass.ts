/**
 * One pass of a rule over the log: find what is old enough and needed by nobody, archive it, remove it, a batch at a
 * time. A pass that is interrupted loses nothing: what was archived and not removed is archived again.
 */
import { ThenceError } from '../errors.ts'
import { viewOf } from '../message/view.ts'
import type { Database, Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import { aborted, turn } from '../ports/wait.ts'
import { claim, retentionCollection } from './claim.ts'
import type { Gathering, Held, Todo } from './gather.ts'
import { gather } from './gather.ts'
import type { Hold, Piece, Standing, Weighing } from './holds.ts'
import { weigh } from './holds.ts'
import type { Archive, Rule } from './policy.ts'
import type { Target } from './targets.ts'
import { walk } from './targets.ts'

export interface PassOptions {
  readonly runtime: Pick<Runtime, 'soon'>
  readonly database: Pick<Database, 'read' | 'transact'>
  /** Who needs what, as it is stored. */
  readonly standing: (transaction: Transaction) => Promise<Standing>
  /** Takes a snapshot of an aggregate's stream, so that it can be trimmed; false if it cannot. */
  readonly snapshot?: ((stream: string) => Promise<boolean>) | undefined
  /** The name of whoever removes, its own for each run. */
  readonly by: string
  readonly signal?: AbortSignal | undefined
  /** Only tells what would be removed. */
  readonly dryRun?: boolean
  /** Only what waits is kept. */
  readonly force?: boolean
}

/** What a pass has done, or would do. */
export interface PassReport {
  readonly rule: string
  /** Messages. */
  readonly removed: number
  readonly archived: number
  /** Streams of which something was removed. */
  readonly streams: number
  /** Streams that were ended. */
  readonly tombstones: number
  /** What was kept though it is old enough: the first of each reason and each who needs it. */
  readonly held: readonly Hold[]
}

/** How often a pass writes down where it is, in pages. */
const noteEvery = 100

interface Gone {
  readonly piece: Piece
  readonly tombstone: boolean
}

/** Another process removes at the moment. */
export const taken = (): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    'Another process is removing what is old. Try again in a minute.',
  )

export class Pass {
  readonly #rule: Rule
  readonly #archive: Archive | undefined
  readonly #options: PassOptions
  readonly #held = new Map<string, Hold>()
  /** How far each stream has gone. */
  readonly #gone = new Map<string, number>()
  readonly #blocked = new Set<string>()
  #removed = 0
  #archived = 0
  #tombstones = 0
  /** What stands before it need not be looked at again. */
  #settled = Infinity
  #unread = false

  constructor(rule: Rule, archive: Archive | undefined, options: PassOptions) {
    this.#rule = rule
    this.#archive = archive
    this.#options = options
  }

  get report(): PassReport {
    return {
      rule: this.#rule.name,
      removed: this.#removed,
      archived: this.#archived,
      streams: this.#gone.size,
      tombstones: this.#tombstones,
      held: [...this.#held.values()],
    }
  }

  /** @throws ABORTED, and whatever the archive throws: what was removed before that stays removed. */
  async run(): Promise<PassReport> {
    const { database, runtime, dryRun = false } = this.#options
    const { from, cutoff } = await database.read((transaction) => this.#start(transaction))
    let cursor = from
    for (let page = 1; ; page += 1) {
      const at = { cursor, cutoff }
      const found = await database.read((transaction) => walk(transaction, this.#rule, at))
      await this.#settle(found.targets)
      cursor = found.cursor
      const ended = found.ended || this.#unread
      if (!dryRun && (ended || page % noteEvery === 0)) await this.#note(cursor)
      if (ended) return this.report
      // Heartbeats and requests have their turn.
      await turn(runtime)
    }
  }

  async #settle(targets: readonly Target[]): Promise<void> {
    let todo = targets
      .filter(({ stream }) => !this.#blocked.has(stream))
      .map((one) => this.#begin(one))
    while (todo.length > 0) {
      this.#check()
      const found = await this.#options.database.read(async (transaction) =>
        gather(transaction, todo, await this.#weighing(transaction)),
      )
      if (found.pieces.length > 0) await this.#remove(found.pieces, todo)
      const again = await this.#snapshots(found.held)
      for (const held of found.held) if (!again.includes(held.target)) this.#hold(held)
      todo = [...found.left, ...again]
    }
  }

  #begin(target: Target): Todo {
    return { ...target, next: (this.#gone.get(target.stream) ?? 0) + 1, asked: false, whole: false }
  }

  async #weighing(transaction: Transaction): Promise<Gathering> {
    const { standing, force = false } = this.#options
    return { rule: this.#rule, standing: await standing(transaction), force }
  }

  /** Archives, and then removes what is still needed by nobody. */
  async #remove(pieces: readonly Piece[], todo: readonly Todo[]): Promise<void> {
    const { dryRun = false, database } = this.#options
    if (dryRun) return this.#count(pieces.map((piece) => ({ piece, tombstone: false })))
    if (this.#archive !== undefined) {
      const messages = pieces.flatMap((piece) => piece.messages)
      messages.sort((left, right) => left.position - right.position)
      await this.#archive(messages.map(viewOf))
      this.#archived += messages.length
    }
    const targets = new Map(todo.map((target) => [target.stream, target]))
    const gone = await database.transact(async (transaction) => {
      await this.#claim(transaction)
      const weighing = await this.#weighing(transaction)
      const done: Gone[] = []
      for (const piece of pieces) {
        const target = targets.get(piece.stream)
        const one = target && (await this.#removePiece(transaction, piece, { target, weighing }))
        if (one !== undefined) done.push(one)
      }
      return done
    })
    this.#count(gone)
  }

  async #removePiece(
    transaction: Transaction,
    piece: Piece,
    { target, weighing }: { readonly target: Todo; readonly weighing: Weighing },
  ): Promise<Gone | undefined> {
    const { events, snapshots } = transaction
    const { stream, messages, tombstone } = piece
    const { hold } = await weigh(transaction, piece, weighing)
    if (hold !== undefined) {
      this.#hold({ target, hold })
      return undefined
    }
    const info = await events.stream(stream)
    // It has gone on meanwhile, so it is not old enough as a whole.
    if (this.#rule.remove === 'streams' && info?.version !== target.through) return undefined
    const ended = tombstone && (await events.tombstone(stream))
    if (tombstone) await snapshots.clear(stream)
    const through = messages.at(-1)?.version ?? 0
    await events.trim(stream, { through, limit: messages.length })
    return { piece, tombstone: ended }
  }

  #count(gone: readonly Gone[]): void {
    for (const { piece, tombstone } of gone) {
      this.#removed += piece.messages.length
      this.#gone.set(piece.stream, piece.messages.at(-1)?.version ?? 0)
      if (tombstone) this.#tombstones += 1
    }
  }

  /** Which of the targets have a snapshot now that lacked one. */
  async #snapshots(held: readonly Held[]): Promise<readonly Todo[]> {
    const { snapshot, dryRun = false } = this.#options
    if (snapshot === undefined || dryRun) return []
    const again: Todo[] = []
    for (const { target, hold } of held) {
      if (hold.reason !== 'snapshot' || target.asked) continue
      target.asked = true
      if (await snapshot(target.stream)) again.push(target)
    }
    return again
  }

  #hold({ target, hold }: Held): void {
    const key = JSON.stringify([hold.reason, hold.by])
    if (!this.#held.has(key)) this.#held.set(key, hold)
    this.#blocked.add(hold.stream)
    // An open instance goes on with a new message some day, or it stays.
    if (hold.reason !== 'saga') this.#settled = Math.min(this.#settled, target.position - 1)
    // What comes later in the log is not read either.
    if (hold.reason === 'reader' || hold.reason === 'replay') this.#unread = true
  }

  get #key(): string {
    return `cursor ${this.#rule.name}`
  }

  /** Messages are as old as the clock of the database says: a process whose own clock is ahead removes nothing too early. */
  async #start(transaction: Transaction): Promise<{ from: number; cutoff: number }> {
    const cutoff = (await transaction.timers.now()) - this.#rule.age
    return { from: await this.#load(transaction), cutoff }
  }

  async #load({ documents }: Transaction): Promise<number> {
    return Number((await documents.get(retentionCollection, this.#key)) ?? 0)
  }

  /** Writes down up to where nothing is left to do. */
  async #note(cursor: number): Promise<void> {
    const settled = Math.min(cursor, this.#settled)
    await this.#options.database.transact(async (transaction) => {
      await this.#claim(transaction)
      if (settled > (await this.#load(transaction)))
        await transaction.documents.put(retentionCollection, this.#key, String(settled))
    })
  }

  async #claim(transaction: Transaction): Promise<void> {
    if (!(await claim(transaction, this.#options.by))) throw taken()
  }

  #check(): void {
    const { signal } = this.#options
    if (signal?.aborted === true) throw aborted(signal)
  }
}
