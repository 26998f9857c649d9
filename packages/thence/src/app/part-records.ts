/**
 * What the store knows of the parts of the apps that ran on it: so that tools without their code can name them, and an
 * app that starts knows how its views were kept before.
 */
import type { ReplayMode } from '../handle/handler.ts'
import type { Transaction } from '../ports/database.ts'
import { snapshotTag } from '../decide/state.ts'
import { loadDivision } from '../subscribe/division.ts'
import { typesOf } from '../saga/saga.ts'
import type { Projection } from '../project/projection.ts'
import { splitSideName } from '../project/versions.ts'
import type { TableKeys } from '../project/view.ts'
import type { LogPart, Parts } from './parts.ts'

/** What can be done with a view by who has not its code. */
export interface ViewRecord {
  readonly kind: 'documents' | 'tables'
  /** Whether it can be built beside the one that serves. */
  readonly beside: boolean
  /** What identifies a row of its tables. */
  readonly keys?: TableKeys
}

export interface PartRecord {
  readonly name: string
  readonly part: LogPart['part']
  readonly inline: boolean
  /** The types of the messages that it reads from the log; absent in what older versions have noted. */
  readonly types?: readonly string[]
  /** The tag of its snapshots, of an aggregate that takes some. */
  readonly snapshot?: string
  /** Of a projection: it has a key of its own, so that it does not halt. */
  readonly keyed?: true
  /** Of a projection. */
  readonly view?: ViewRecord
  /** Of a handler: that history may be given to it again, and why. */
  readonly replay?: ReplayMode
  /** Since when the apps that started have had no such part: the end of the log then, and Unix milliseconds. */
  readonly absent?: { readonly position: number; readonly time: number }
}

const collection = '$parts'
const pageSize = 500

const readBy = (part: LogPart): readonly string[] => {
  switch (part.part) {
    case 'aggregate':
      return [...part.decide.keys()]
    case 'projection':
      return [...part.on.keys()]
    case 'handler':
      return part.definitions.map(({ type }) => type)
    case 'saga':
      return typesOf(part)
  }
}
const viewRecordOf = ({ view: { kind, beside, keys } }: Projection): ViewRecord => ({
  kind,
  beside,
  ...(keys === undefined ? {} : { keys }),
})

export const recordOf = (part: LogPart): PartRecord => ({
  name: part.name,
  part: part.part,
  inline: part.part === 'projection' && part.inline,
  types: readBy(part),
  ...(part.part === 'aggregate' && part.snapshot !== undefined
    ? { snapshot: snapshotTag(part.name, part.snapshot.tag) }
    : {}),
  ...(part.part === 'projection' && part.key !== undefined ? { keyed: true as const } : {}),
  ...(part.part === 'projection' ? { view: viewRecordOf(part) } : {}),
  ...(part.part === 'handler' && part.replay !== undefined ? { replay: part.replay } : {}),
})

export async function loadPart(
  { documents }: Transaction,
  name: string,
): Promise<PartRecord | undefined> {
  const text = await documents.get(collection, name)
  return text === undefined ? undefined : (JSON.parse(text) as PartRecord)
}

/** The part that a subscription belongs to; of one that builds a version of a view it is the projection. */
const partOf = async (transaction: Transaction, name: string): Promise<PartRecord | undefined> => {
  const own = await loadPart(transaction, name)
  const side = own === undefined ? splitSideName(name) : undefined
  return side === undefined ? own : loadPart(transaction, side.projection)
}

/** Whether it makes a view: what that has passed over cannot be given to it later, because it is made in order. */
export async function makesView(transaction: Transaction, name: string): Promise<boolean> {
  return (await partOf(transaction, name))?.part === 'projection'
}

/** Whether what follows the log for this part has no keys: then it stands before a message that failed. */
export const hasOneSequence = (record: PartRecord | undefined): boolean =>
  record?.part === 'projection' && record.keyed !== true

/** The same, of the part of a subscription. */
export async function isOneSequence(transaction: Transaction, name: string): Promise<boolean> {
  return hasOneSequence(await partOf(transaction, name))
}

/** What all apps that ran on this store were put together from, by name. */
export async function loadParts({ documents }: Transaction): Promise<readonly PartRecord[]> {
  const parts: PartRecord[] = []
  let after: string | undefined
  for (;;) {
    const page = await documents.list(collection, {
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    })
    for (const { value } of page) parts.push(JSON.parse(value) as PartRecord)
    after = page.at(-1)?.key
    if (page.length < pageSize) return parts
  }
}

export async function savePart({ documents }: Transaction, record: PartRecord): Promise<void> {
  await documents.put(collection, record.name, JSON.stringify(record))
}

/** Notes the parts of an app that starts, whose subscriptions are divided, and which of the others it does not have. */
export async function recordParts(
  transaction: Transaction,
  { aggregates, projections, sagas, handlers }: Parts,
  now: number,
): Promise<void> {
  const own = [...aggregates, ...projections, ...sagas, ...handlers]
  for (const part of own) {
    const record = recordOf(part)
    // Also what this process does without: somebody will have to take it.
    const { types = record.types } = await loadDivision(transaction, part.name)
    await savePart(transaction, { ...record, ...(types === undefined ? {} : { types }) })
  }
  const names = new Set(own.map(({ name }) => name))
  const absent = { position: await transaction.events.head(), time: now }
  for (const one of await loadParts(transaction))
    if (!names.has(one.name) && one.absent === undefined)
      await savePart(transaction, { ...one, absent })
}
