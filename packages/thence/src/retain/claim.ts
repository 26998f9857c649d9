/**
 * Who removes: one process at a time, so that nothing is archived twice without need. A claim only saves work; what
 * protects is that every removal is weighed again in its own transaction.
 */
import type { Transaction } from '../ports/database.ts'

/** The collection of documents in which retention keeps what it knows. */
export const retentionCollection = '$retention'
const key = 'claim'

/** A process that says nothing for so long has given up, in milliseconds by the clock of the database. */
export const claimTime = 60_000

interface Claim {
  readonly by: string
  /** Unix milliseconds. */
  readonly until: number
}

/** Takes or keeps the claim; false if another process has it. */
export async function claim({ documents, timers }: Transaction, by: string): Promise<boolean> {
  const now = await timers.now()
  const text = await documents.get(retentionCollection, key)
  const before = text === undefined ? undefined : (JSON.parse(text) as Claim)
  if (before !== undefined && before.by !== by && before.until > now) return false
  await documents.put(retentionCollection, key, JSON.stringify({ by, until: now + claimTime }))
  return true
}

export async function unclaim({ documents }: Transaction, by: string): Promise<void> {
  const text = await documents.get(retentionCollection, key)
  if (text !== undefined && (JSON.parse(text) as Claim).by === by)
    await documents.delete(retentionCollection, key)
}
