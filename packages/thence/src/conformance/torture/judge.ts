/**
 * The oracle: what was acknowledged, against the log as it is read from its start, against what each subscriber was
 * given meanwhile.
 */
import type { TortureEvent } from './subject.ts'

/**
 * - `lost`: acknowledged, and not in the log.
 * - `skipped`: in the log, and never given to a subscriber that read on.
 * - `doubled`: given twice. `ghost`: given, though it was rolled back or refused.
 * - `order`: a subscriber was given another order than the log has.
 * - `versions`: those of a stream do not count from 1 in the order of the feed. `positions`: they do not grow.
 * - `race`: several appends that expected the same version were accepted, or none was.
 * - `stalled`: nothing is lost, but the feed waits for something that has nothing to do with it.
 * - `failed`: the store threw where it had no reason to. `hung`: a call never came back.
 */
export type TortureProblemKind =
  | 'lost'
  | 'skipped'
  | 'doubled'
  | 'ghost'
  | 'order'
  | 'versions'
  | 'positions'
  | 'race'
  | 'stalled'
  | 'failed'
  | 'hung'

export interface TortureProblem {
  readonly kind: TortureProblemKind
  readonly text: string
}

/** What became of each event, as far as whoever appended it was told. */
export class Ledger {
  readonly written: Set<string> = new Set()
  /** Rolled back or refused. */
  readonly gone: Set<string> = new Set()
  /** The store said neither. */
  readonly unknown: Set<string> = new Set()
}

/** What a subscriber was given, in order. */
export interface Seen {
  readonly name: string
  readonly events: readonly TortureEvent[]
}

const shown = 6

const some = (ids: readonly string[]): string =>
  ids.length > shown
    ? `${ids.slice(0, shown).join(', ')} and ${ids.length - shown} more`
    : ids.join(', ')

const idsOf = (events: readonly TortureEvent[]): string[] => events.map(({ id }) => id)

/** Problems of what one reader was given, whatever the others were. */
function* within({ name, events }: Seen, ledger: Ledger): Generator<TortureProblem> {
  const ids = idsOf(events)
  const doubled = ids.filter((id, index) => ids.indexOf(id) !== index)
  if (doubled.length > 0)
    yield { kind: 'doubled', text: `${name} was given twice: ${some(doubled)}` }
  const ghosts = ids.filter((id) => ledger.gone.has(id))
  if (ghosts.length > 0)
    yield { kind: 'ghost', text: `${name} was given what was not written: ${some(ghosts)}` }
  yield* versions(name, events)
  for (let at = 1; at < events.length; at += 1) {
    const [before, after] = [events[at - 1]!, events[at]!]
    if (before.position === undefined || after.position === undefined) continue
    if (after.position <= before.position) {
      const text = `${name}: ${after.id} at ${after.position} comes after ${before.id} at ${before.position}`
      yield { kind: 'positions', text }
      return
    }
  }
}

function* versions(name: string, events: readonly TortureEvent[]): Generator<TortureProblem> {
  const last = new Map<string, number>()
  for (const { id, stream, version } of events) {
    if (version === undefined) continue
    const expected = (last.get(stream) ?? 0) + 1
    if (version !== expected) {
      const text = `${name}: ${id} has version ${version} of ${stream} where ${expected} comes next`
      yield { kind: 'versions', text }
      return
    }
    last.set(stream, version)
  }
}

/** Problems of a subscriber beside the log. */
function* beside(log: Seen, { name, events }: Seen): Generator<TortureProblem> {
  const given = new Set(idsOf(events))
  const stored = new Set(idsOf(log.events))
  const skipped = idsOf(log.events).filter((id) => !given.has(id))
  if (skipped.length > 0)
    yield { kind: 'skipped', text: `${name} was never given: ${some(skipped)}` }
  const common = idsOf(log.events).filter((id) => given.has(id))
  const order = idsOf(events).filter(
    (id, index, all) => stored.has(id) && all.indexOf(id) === index,
  )
  const at = order.findIndex((id, index) => id !== common[index])
  if (at >= 0) {
    const text = `${name} was given ${order[at]} where the log has ${common[at]}`
    yield { kind: 'order', text }
  }
}

/** Everything that is wrong; none if the store kept its promises. */
export function judge(ledger: Ledger, log: Seen, readers: readonly Seen[]): TortureProblem[] {
  const stored = new Set(idsOf(log.events))
  const lost = [...ledger.written].filter((id) => !stored.has(id))
  const problems: TortureProblem[] = []
  if (lost.length > 0)
    problems.push({ kind: 'lost', text: `acknowledged, and not in the log: ${some(lost)}` })
  for (const seen of [log, ...readers]) problems.push(...within(seen, ledger))
  for (const reader of readers) problems.push(...beside(log, reader))
  return problems
}
