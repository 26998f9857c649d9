/**
 * Views that are built beside the ones that serve, in a running app: it notices what is to be built, has it built by a
 * subscription of its own, switches when it is time, and clears away what nobody looks at any more. All that it knows is in
 * the store, so any process goes on where another one ended.
 */
import type { Signals } from '../observe/signals.ts'
import { isStoreFailure } from '../errors.ts'
import { Upkeep } from '../observe/upkeep.ts'
import { build } from '../project/follow.ts'
import type { Projection } from '../project/projection.ts'
import { sweep } from '../project/sweep.ts'
import { markReady, switchOver } from '../project/switch.ts'
import type { Building, Versions } from '../project/versions.ts'
import { loadVersions, sideName, storageName } from '../project/versions.ts'
import type { Store } from '../store/store.ts'
import type { SubscriptionOptions } from '../subscribe/options.ts'
import type { Subscription } from '../subscribe/subscription.ts'

/** What the rest of the engine does for it. */
export interface RebuildHooks {
  readonly subscribe: (options: SubscriptionOptions) => Subscription
  /** The end of the log, as far as this process knows. */
  readonly head: () => number
  /** Another version of this projection serves now. */
  readonly switched: (projection: string) => void
}

/** A version that is being built, with the subscription that fills it. */
interface Side {
  readonly projection: Projection
  readonly subscription: Subscription
  readonly unlisten: () => void
  building: Building
  /** What this process has told of it. */
  told: 'nothing' | 'begun' | 'built'
  /** The end of the log when this process began with it. */
  through: number
  busy: boolean
}

export class Rebuilds {
  readonly #projections: readonly Projection[]
  readonly #store: Store
  readonly #signals: Signals
  readonly #hooks: RebuildHooks
  readonly #sides = new Map<string, Side>()
  /** Those that could not be begun, with why. */
  readonly #failed = new Map<string, { readonly upkeep: Upkeep; error: unknown }>()
  readonly #listeners = new Set<() => void>()
  #work: Promise<unknown> = Promise.resolve()
  #head = 0
  #sweeping = false
  #stopped = false

  constructor(
    projections: readonly Projection[],
    store: Store,
    { signals, ...hooks }: RebuildHooks & { readonly signals: Signals },
  ) {
    this.#projections = projections.filter(({ view }) => view.beside)
    this.#store = store
    this.#signals = signals
    this.#hooks = hooks
  }

  /** Those that fill versions beside the ones that serve. */
  get subscriptions(): readonly Subscription[] {
    return [...this.#sides.values()].map(({ subscription }) => subscription)
  }

  /** Looks which versions there are, and begins or ends what follows from that. */
  async discover(): Promise<void> {
    if (this.#projections.length === 0) return
    const found = await this.#store.read(async (transaction) => {
      this.#head = await transaction.events.head()
      const all: (readonly [Projection, Versions])[] = []
      for (const projection of this.#projections)
        all.push([projection, await loadVersions(transaction, projection.name)])
      return all
    })
    const wanted = new Set<string>()
    for (const [projection, { building }] of found) {
      if (building === undefined) continue
      const name = sideName(projection.name, building.version)
      wanted.add(name)
      await this.#begin(projection, building).then(
        () => this.#failed.delete(name),
        (error: unknown) => this.#failedToBegin(name, error),
      )
    }
    for (const name of this.#failed.keys()) if (!wanted.has(name)) this.#failed.delete(name)
    for (const [name, side] of this.#sides) if (!wanted.has(name)) await this.#end(name, side)
    this.#sweepLater(found)
  }

  /** Why a version could not be begun here when that was tried last; undefined: it could, or was not tried. */
  failure(projection: string, version: number): unknown {
    return this.#failed.get(sideName(projection, version))?.error
  }

  /** It takes nothing else of the process along, and is tried again at the next look. */
  #failedToBegin(name: string, error: unknown): void {
    if (isStoreFailure(error)) throw error
    const upkeep = this.#failed.get(name)?.upkeep ?? new Upkeep(this.#signals, `rebuild ${name}`)
    this.#failed.set(name, { upkeep, error })
    upkeep.failed(error)
    this.#notify()
  }

  /** Calls `listener` whenever one has come further, has begun or has ended; returns how to stop that. */
  onProgress(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Begins nothing more; resolves when what is in hand is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#work
  }

  async #begin(projection: Projection, building: Building): Promise<void> {
    const { version } = building
    const name = sideName(projection.name, version)
    const known = this.#sides.get(name)
    if (known !== undefined) {
      known.building = building
      return this.#consider(known)
    }
    await this.#store.transact(async ({ transaction }) => {
      const { building: now } = await loadVersions(transaction, projection.name)
      if (now?.version === version)
        await projection.view.create(transaction, storageName(projection.name, version))
    })
    const subscription = this.#hooks.subscribe(build(projection, version))
    const unlisten = subscription.onProgress(() => {
      this.#consider(side)
      this.#notify()
    })
    const told = building.ready !== undefined ? 'built' : 'nothing'
    const of = { projection, subscription, unlisten, building }
    const side: Side = { ...of, told, through: 0, busy: false }
    this.#sides.set(name, side)
    subscription.start()
  }

  async #end(name: string, { subscription, unlisten }: Side): Promise<void> {
    this.#sides.delete(name)
    unlisten()
    await subscription.stop(Promise.resolve())
  }

  /** The end of the log, as far as this process knows. */
  #latest(): number {
    return Math.max(this.#head, this.#hooks.head())
  }

  /** Whether so little is missing that it can be done at the switch. */
  #isNear({ subscription, projection }: Side): boolean {
    return subscription.isHere && this.#latest() - subscription.position <= projection.batch
  }

  #consider(side: Side): void {
    const { building, subscription } = side
    if (subscription.isHere && side.told === 'nothing') {
      side.told = 'begun'
      const { name } = side.projection
      side.through = this.#latest()
      this.#signals.emit({ name: 'rebuild-started', subscription: name, through: side.through })
    }
    if (this.#stopped || side.busy || !this.#isNear(side)) return
    if (building.switch === 'manual') {
      // Nothing is done for it at that moment, so it has to have come there by itself.
      if (building.ready !== undefined || subscription.position < side.through) return
    }
    side.busy = true
    const work = building.switch === 'auto' ? this.#switch(side) : this.#ready(side)
    // What failed is looked at again with the next progress; a message that fails is the subscription's to tell.
    this.#work = Promise.all([this.#work, work.catch(() => undefined)]).finally(
      () => (side.busy = false),
    )
  }

  async #switch(side: Side): Promise<void> {
    const { projection, building } = side
    const { codec, runtime } = this.#store.tools
    const { version } = building
    const outcome = await this.#store.transact(({ transaction }) =>
      switchOver(transaction, { projection, version, codec, runtime }),
    )
    if (typeof outcome === 'string') return
    this.#tell(side, outcome.position)
    this.#signals.emit({ name: 'view-switched', ...outcome })
    this.#notify()
    this.#hooks.switched(projection.name)
  }

  async #ready(side: Side): Promise<void> {
    const { projection, building, subscription } = side
    const { runtime } = this.#store.tools
    const ready = await this.#store.transact(({ transaction }) =>
      markReady(transaction, { projection, version: building.version, runtime }),
    )
    if (ready === undefined) return
    side.building = ready
    this.#tell(side, subscription.position)
    this.#notify()
  }

  #tell(side: Side, through: number): void {
    if (side.told === 'built') return
    side.told = 'built'
    const { name } = side.projection
    this.#signals.emit({ name: 'rebuild-finished', subscription: name, through })
  }

  /** In the background, a little at a time: nobody waits for it. */
  #sweepLater(found: readonly (readonly [Projection, Versions])[]): void {
    const now = this.#store.tools.runtime.now()
    const old = found.filter(
      ([, { removing, kept }]) => removing.length > 0 || (kept?.until ?? Infinity) <= now,
    )
    if (old.length === 0 || this.#sweeping) return
    this.#sweeping = true
    const work = this.#sweep(old.map(([projection]) => projection))
    this.#work = Promise.all([this.#work, work.catch(() => undefined)]).finally(
      () => (this.#sweeping = false),
    )
  }

  async #sweep(projections: readonly Projection[]): Promise<void> {
    const { runtime } = this.#store.tools
    for (const projection of projections)
      while (
        !this.#stopped &&
        (await this.#store.transact(({ transaction }) => sweep(transaction, projection, runtime)))
      );
  }
}
