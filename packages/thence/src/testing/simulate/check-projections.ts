/** Whether each view is what its projection makes of the whole log. */
import { memory } from '../../adapters/memory/database.ts'
import type { Transaction } from '../../ports/database.ts'
import type { Document } from '../../ports/documents.ts'
import { project } from '../../project/follow.ts'
import type { Projection } from '../../project/projection.ts'
import { virtualRuntime } from '../virtual-runtime.ts'
import type { Outcome } from './outcome.ts'

const limit = 1_000_000

const documentsOf = ({ documents }: Transaction, name: string): Promise<readonly Document[]> =>
  Promise.resolve(documents.list(name, { limit }))

const fold = async (
  projection: Projection,
  { messages }: Outcome,
  transaction: Transaction,
): Promise<readonly Document[]> => {
  const { view, flush } = projection.view.open(transaction, projection.name)
  for (const message of messages) await project(projection, message, view)
  await flush()
  return documentsOf(transaction, projection.name)
}

const differences = (
  name: string,
  found: readonly Document[],
  expected: readonly Document[],
): string[] => {
  const wanted = new Map(expected.map(({ key, value }) => [key, value]))
  const problems: string[] = []
  for (const { key, value } of found) {
    const right = wanted.get(key)
    wanted.delete(key)
    if (right !== value)
      problems.push(
        `view: ${name} has ${value} under ${key}, but the log makes it ${right ?? 'nothing'}`,
      )
  }
  for (const [key, value] of wanted)
    problems.push(`view: ${name} has nothing under ${key}, but the log makes it ${value}`)
  return problems
}

/** A view of documents equals the fold of the log; others are for the user's own invariants. */
export async function checkProjections(outcome: Outcome): Promise<string[]> {
  const kept = outcome.parts.projections.filter(({ view }) => view.kind === 'documents')
  if (kept.length === 0) return []
  const fresh = memory()
  await fresh.open(virtualRuntime())
  const problems: string[] = []
  for (const projection of kept) {
    // A view with keys goes on past a message that is parked: what it should be is not known here.
    if (outcome.letters.some(({ subscription }) => subscription === projection.name)) continue
    const found = outcome.views.get(projection.name) ?? []
    const expected = await fresh.transact((one) => fold(projection, outcome, one))
    problems.push(...differences(projection.name, found, expected))
  }
  await fresh.close()
  return problems
}
