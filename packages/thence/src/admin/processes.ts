/**
 * The processes that run on a store, and what they have measured of late, as they told it themselves: nobody is asked.
 */
import type { Report } from '../app/reporter.ts'
import { reports } from '../app/reporter.ts'
import type { Reading } from '../observe/board.ts'
import { combine, figuresOf } from '../observe/board.ts'
import type { Figures, MessageFigures, ProcessFigures } from '../observe/figures.ts'
import { shapes } from '../observe/figures.ts'
import type { Distribution } from '../observe/histogram.ts'
import { addUp, Instruments, told } from '../observe/instruments.ts'
import type { Transaction } from '../ports/database.ts'
import type { StoreSize } from '../ports/sizes.ts'
import type { On } from './on.ts'
import { nowOf } from './on.ts'
import { countedRows } from './sizes.ts'

export type ProcessState = 'running' | 'stopping' | 'gone'

/** One process, in short. */
export interface ProcessSummary {
  readonly id: string
  /** Host and process number, where the app knows them. */
  readonly name: string
  /** Whether others count it as running. One that isn't, ended without a word. */
  readonly alive: boolean
  /** `stopping`: it begins nothing new, and finishes what it has in hand. `gone`: it ended without a word. */
  readonly state: ProcessState
  /** Messages that its handlers work on, and calls that it has not answered yet; null if it did not tell. */
  readonly inHand: number | null
  /** When it was first seen, Unix milliseconds; null if it is gone. */
  readonly started: number | null
  /** When it last told its figures, Unix milliseconds by its clock; null if it did not yet. */
  readonly seen: number | null
  /** Partitions of subscriptions that it runs. */
  readonly partitions: number
  /** What the figures below cover, in milliseconds up to `seen`. */
  readonly covers: number
  readonly appended: number
  readonly handled: number
  readonly failed: number
  readonly parked: number
  /** From the call that appended a message to the commit of its effects. */
  readonly latency: Distribution
  /** By how much timers of the process were late. */
  readonly delay: Distribution
}

/** What was measured of late in all processes. */
export interface StoreMetrics {
  /** When this was read, Unix milliseconds. */
  readonly now: number
  readonly processes: readonly ProcessSummary[]
  /** Of all processes that run, as if they were one; `covers` is that of the longest. */
  readonly recent: Figures
  /** How large the store is now. */
  readonly sizes: StoreSize
}

interface Known {
  readonly summary: ProcessSummary
  readonly reading: Reading | undefined
}

const nothing: Reading = { covers: 0, groups: {} }

/** What another version has written may be anything. */
const parse = (text: string): Report | undefined => {
  try {
    const report = JSON.parse(text) as Report
    figuresOf(report)
    return Number.isFinite(report.covers) && Number.isFinite(report.time) ? report : undefined
  } catch {
    return undefined
  }
}

/** All rows of a group as one. */
const whole = <F extends object>(reading: Reading, group: keyof typeof shapes): F => {
  const zero = new Instruments<object>(shapes[group]).read('total')
  const rows = (reading.groups[group] ?? []).map(({ measured }) => measured)
  return told(addUp([zero, ...rows])) as F
}

const stateOf = (alive: boolean, report: Report | undefined): ProcessState => {
  if (!alive) return 'gone'
  return report?.stopping === true ? 'stopping' : 'running'
}

const summarise = (
  of: Pick<ProcessSummary, 'id' | 'name' | 'alive' | 'started' | 'partitions'>,
  report: Report | undefined,
): Known => {
  const reading = report ?? nothing
  const { handled, failed, parked, latency } = whole<MessageFigures>(reading, 'messages')
  const { delay } = whole<ProcessFigures>(reading, 'process')
  const { appends, covers } = figuresOf(reading)
  const summary = {
    ...of,
    state: stateOf(of.alive, report),
    inHand: report?.inHand ?? null,
    seen: report?.time ?? null,
    covers,
    appended: appends.messages,
    handled,
    failed,
    parked,
    latency,
    delay,
  }
  return { summary, reading: report }
}

const gather = async ({ documents, leases }: Transaction): Promise<readonly Known[]> => {
  const members = await leases.members()
  const owners = (await leases.list()).map(({ owner }) => owner)
  const told = new Map<string, Report | undefined>()
  for (const { key, value } of await documents.list(reports, { limit: 1000 }))
    told.set(key, parse(value))
  const running = members.map(({ id, name, started }) => {
    const partitions = owners.filter((owner) => owner === id).length
    return summarise({ id, name, alive: true, started, partitions }, told.get(id))
  })
  const alive = new Set(members.map(({ id }) => id))
  const gone = [...told].filter(([id]) => !alive.has(id))
  return [
    ...running,
    ...gone.map(([id, report]) =>
      summarise(
        { id, name: report?.name ?? id, alive: false, started: null, partitions: 0 },
        report,
      ),
    ),
  ]
}

/** Those that run, by id, and those that ended without a word and that nobody has noticed yet. */
export async function processesIn(transaction: Transaction): Promise<readonly ProcessSummary[]> {
  return (await gather(transaction)).map(({ summary }) => summary)
}

/** What all processes of the store have measured in the last one to two minutes. */
export async function metrics(on: On): Promise<StoreMetrics> {
  const { known, size } = await on.database.read(async (transaction) => ({
    known: await gather(transaction),
    size: await transaction.sizes.read(countedRows),
  }))
  const running = known.filter(({ summary }) => summary.alive)
  const readings = running.map(({ reading }) => reading).filter((one) => one !== undefined)
  return {
    now: nowOf(on),
    processes: known.map(({ summary }) => summary),
    recent: figuresOf(combine(readings)),
    sizes: size,
  }
}
