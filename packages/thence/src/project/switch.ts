/**
 * The moment in which one version of a view takes over from another: the last events, the pointer, the checkpoint and what
 * failed all change in one transaction, so that a reader finds the old view or the new one, and whoever still works on the
 * old one commits nothing.
 */
import type { Codec } from '../message/codec.ts'
import type { Transaction } from '../ports/database.ts'
import type { Page } from '../ports/events.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Act } from '../store/audit.ts'
import { recordAct, systemActor } from '../store/audit.ts'
import { closeLetters, forget, placeAnew } from '../subscribe/anew.ts'
import { forgetSettings, loadSettings } from '../subscribe/settings.ts'
import { loadTaken, saveTaken, takenBy } from '../subscribe/taken.ts'
import { project } from './follow.ts'
import type { Projection } from './projection.ts'
import type { Building, Kept, Versions } from './versions.ts'
import { loadVersions, saveVersions, sideName, storageName } from './versions.ts'

export interface Switched {
  readonly projection: string
  /** Serves now. */
  readonly version: number
  /** Served before. */
  readonly previous: number
  /** The new one is the fold of all events up to here. */
  readonly position: number
}

/**
 * Why there was no switch: `gone`: that version is not being built any more. `behind`: more events are missing than one
 * transaction should take. `waiting`: a message failed and waits, or somebody has paused the building.
 */
export type NotSwitched = 'gone' | 'behind' | 'waiting'

export interface Switching {
  readonly projection: Projection
  /** Which version is to take over. */
  readonly version: number
  readonly codec: Codec
  readonly runtime: Pick<Runtime, 'now' | 'id'>
}

const mostBytes = 4 * 1024 * 1024

/** The next events after a position, as many as one transaction should take. */
const missing = async (
  { events }: Transaction,
  { on, batch, inline }: Projection,
  after: number,
): Promise<Page> =>
  events.readAll({
    query: [{ types: [...on.keys()] }],
    after,
    limit: batch,
    maxBytes: mostBytes,
    // What is appended after the switch comes to it with the append, not from here.
    unsettled: inline,
  })

/** Applies what the new version lacks; gives the end of the log, or nothing if that is too much at once. */
const catchUp = async (
  transaction: Transaction,
  { projection, version, codec }: Switching,
  after: number,
): Promise<number | undefined> => {
  const page = await missing(transaction, projection, after)
  if (page.more) return undefined
  const name = storageName(projection.name, version)
  const { view, flush, end } = projection.view.open(transaction, name)
  for (const stored of page.messages) await project(projection, codec.decode(stored), view)
  await flush()
  end()
  return page.through
}

/** What failed in the old version stays with it: tried again if it comes back, nobody's business until then. */
const setAside = async (transaction: Transaction, from: string, to: string): Promise<void> => {
  const { retries, deadLetters } = transaction
  await retries.rename(from, to)
  for (let after: string | undefined; ;) {
    const options = { subscription: from, state: 'parked', limit: 100 } as const
    const page = await deadLetters.list(after === undefined ? options : { ...options, after })
    for (const { message } of page) {
      const row = await retries.find(to, message.position)
      if (row?.state === 'parked') await retries.put({ ...row, state: 'due', attempts: 0, due: 0 })
    }
    if (page.length < options.limit) break
    after = page.at(-1)?.id
  }
  await closeLetters(transaction, from, 'The projection was rebuilt.')
}

/** What each of two views lacks stays with it: the one that takes over goes on as the one before did. */
const changeTaken = async (
  transaction: Transaction,
  { name, on }: Projection,
  at: { side: string; previous: string; built: number; position: number },
): Promise<void> => {
  const served = await loadTaken(transaction, name)
  const types = [...on.keys()]
  const before = (await loadTaken(transaction, at.side)) ?? { types, left: [], missed: [] }
  const { taken } = await takenBy(transaction, before, { types, position: at.built })
  const { position } = at
  const follower = { types: served?.types ?? types, position }
  await saveTaken(transaction, name, (await takenBy(transaction, taken, follower)).taken)
  await saveTaken(transaction, at.side, undefined)
  await saveTaken(transaction, at.previous, served)
}

const keptOf = (
  { serving }: Versions,
  { keep }: Building,
  { position, now }: { readonly position: number; readonly now: number },
): Kept => ({
  version: serving,
  position,
  since: now,
  until: keep === null ? null : now + keep,
})

/** Has a version take over that is being built, if it can. Whatever a last event throws is thrown on. */
export async function switchOver(
  transaction: Transaction,
  switching: Switching,
): Promise<Switched | NotSwitched> {
  const { projection, version, runtime } = switching
  const { name, inline } = projection
  const { building, kept, ...versions } = await loadVersions(transaction, name)
  const side = sideName(name, version)
  const built = await transaction.checkpoints.load(side)
  if (building?.version !== version || built === undefined) return 'gone'
  const { due, parked, queued } = await transaction.retries.outlook(side)
  const { paused } = await loadSettings(transaction, side)
  if (due + parked + queued > 0 || paused !== undefined) return 'waiting'
  const position = await catchUp(transaction, switching, built.position)
  if (position === undefined) return 'behind'
  const { serving: previous } = versions
  if (kept !== undefined) {
    await forget(transaction, sideName(name, kept.version))
    await saveTaken(transaction, sideName(name, kept.version), undefined)
  }
  const served = inline ? position : ((await transaction.checkpoints.load(name))?.position ?? 0)
  await setAside(transaction, name, sideName(name, previous))
  const at = { side, previous: sideName(name, previous), built: built.position, position }
  await changeTaken(transaction, projection, at)
  await transaction.checkpoints.divide(side, [])
  await forgetSettings(transaction, side)
  await placeAnew(transaction, name, position)
  await saveVersions(transaction, name, {
    ...versions,
    serving: version,
    kept: keptOf(versions, building, { position: served, now: runtime.now() }),
    removing: [...versions.removing, ...(kept === undefined ? [] : [kept.version])],
  })
  const details = { version, previous, position }
  const act: Act = { action: 'projection.switched', target: name, details, actor: systemActor }
  await recordAct(transaction, runtime, act)
  return { projection: name, ...details }
}

/** Notes that a version has caught up which is to take over when somebody says so; gives it, if it still is built. */
export async function markReady(
  transaction: Transaction,
  { projection, version, runtime }: Omit<Switching, 'codec'>,
): Promise<Building | undefined> {
  const { name } = projection
  const versions = await loadVersions(transaction, name)
  const { building } = versions
  if (building?.version !== version) return undefined
  if (building.ready !== undefined) return building
  const side = sideName(name, version)
  const { due, parked } = await transaction.retries.outlook(side)
  if (due + parked > 0) return undefined
  const { position } = (await transaction.checkpoints.load(side)) ?? { position: 0 }
  if ((await missing(transaction, projection, position)).more) return undefined
  const ready = { ...building, ready: runtime.now() }
  await saveVersions(transaction, name, { ...versions, building: ready })
  return ready
}
