/**
 * Clears away versions of views that nobody looks at any more, a little in each transaction, and those whose time as the
 * way back is over.
 */
import type { Transaction } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import { systemActor } from '../store/audit.ts'
import { dropVersion } from './acts.ts'
import type { Projection } from './projection.ts'
import { loadVersions, saveVersions, storageName } from './versions.ts'

/** Removes a part of what is to be removed; returns whether there may be more. */
export async function sweep(
  transaction: Transaction,
  { name, view, on }: Projection,
  runtime: Pick<Runtime, 'now' | 'id'>,
): Promise<boolean> {
  const { kept, removing } = await loadVersions(transaction, name)
  if (kept !== undefined && (kept.until ?? Infinity) <= runtime.now()) {
    const reason = 'It was kept as long as it was to be.'
    const doing = { runtime, projection: name, types: [...on.keys()], actor: systemActor, reason }
    await dropVersion(transaction, doing, kept.version)
    return true
  }
  const [version, ...rest] = removing
  if (version === undefined) return false
  if (await view.remove(transaction, storageName(name, version))) return true
  const versions = await loadVersions(transaction, name)
  await saveVersions(transaction, name, { ...versions, removing: rest })
  return rest.length > 0
}
