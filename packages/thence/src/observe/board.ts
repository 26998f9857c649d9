/**
 * All instruments of a process. What they hold can be stored as JSON, added up over processes, and told.
 */
import { Family, type Row } from './family.ts'
import type { Figures, GroupName, Groups } from './figures.ts'
import { labelsOf, shapes } from './figures.ts'
import type { Span } from './instruments.ts'
import { addUp, Instruments, told } from './instruments.ts'

type ByGroup = Readonly<Record<string, readonly Row[]>>

/** What was measured over a span of time. */
export interface Reading {
  /** Milliseconds. */
  readonly covers: number
  readonly groups: ByGroup
}

export class Board {
  readonly appends: Family<Groups['appends']> = new Family(shapes.appends)
  readonly appended: Family<Groups['appended']> = new Family(shapes.appended)
  readonly commands: Family<Groups['commands']> = new Family(shapes.commands)
  readonly messages: Family<Groups['messages']> = new Family(shapes.messages)
  readonly subscriptions: Family<Groups['subscriptions']> = new Family(shapes.subscriptions)
  readonly sagas: Family<Groups['sagas']> = new Family(shapes.sagas)
  readonly timers: Family<Groups['timers']> = new Family(shapes.timers)
  readonly leases: Family<Groups['leases']> = new Family(shapes.leases)
  readonly snapshots: Family<Groups['snapshots']> = new Family(shapes.snapshots)
  readonly jobs: Family<Groups['jobs']> = new Family(shapes.jobs)
  readonly retention: Family<Groups['retention']> = new Family(shapes.retention)
  readonly upkeep: Family<Groups['upkeep']> = new Family(shapes.upkeep)
  readonly process: Family<Groups['process']> = new Family(shapes.process)

  rotate(): void {
    for (const group of groupNames) this[group].rotate()
  }

  read(span: Span): ByGroup {
    return Object.fromEntries(groupNames.map((group) => [group, this[group].read(span)]))
  }
}

const groupNames = Object.keys(shapes) as readonly GroupName[]

/** What several processes measured side by side, as if they were one; it covers as much as the longest of them. */
export function combine(readings: readonly Reading[]): Reading {
  const all = (group: GroupName): readonly Row[] =>
    readings.flatMap(({ groups }) => groups[group] ?? [])
  return {
    covers: Math.max(0, ...readings.map(({ covers }) => covers)),
    groups: Object.fromEntries(groupNames.map((group) => [group, merged(all(group))])),
  }
}

const merged = (rows: readonly Row[]): readonly Row[] =>
  [...Map.groupBy(rows, ({ labels }) => JSON.stringify(labels)).values()].map((same) => ({
    labels: (same[0] as Row).labels,
    measured: addUp(same.map(({ measured }) => measured)),
  }))

const byLabels = ({ labels: [a, b] }: Row, { labels: [c, d] }: Row): number =>
  a === c ? order(b, d) : order(a, c)

const order = (left: string, right: string): number => (left < right ? -1 : Number(left > right))

/** The rows of a group with their labels by name; a group without labels is one object. */
const tell = (group: GroupName, rows: readonly Row[]): unknown => {
  const names = labelsOf[group]
  const zero = new Instruments<object>(shapes[group]).read('total')
  if (names.length === 0) return told(rows[0]?.measured ?? zero)
  return rows.toSorted(byLabels).map(({ labels, measured }) => ({
    ...Object.fromEntries(names.map((name, index) => [name, labels[index] ?? ''])),
    ...told(measured),
  }))
}

/** As people and programs read it. */
export function figuresOf({ covers, groups }: Reading): Figures {
  const all = groupNames.map((group) => [group, tell(group, groups[group] ?? [])])
  return { covers, ...Object.fromEntries(all) } as Figures
}
