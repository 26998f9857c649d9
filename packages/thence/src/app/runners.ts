/**
 * Which subscriptions some running app can take care of, as the apps tell it themselves with each heartbeat.
 */
import type { Transaction } from '../ports/database.ts'
import { splitSideName } from '../project/versions.ts'
import { loadPart } from './part-records.ts'

export interface Runners {
  /** Whether any app runs. */
  readonly any: boolean
  /** Whether one of them can run this subscription. */
  readonly has: (subscription: string) => boolean
}

export async function loadRunners({ leases }: Pick<Transaction, 'leases'>): Promise<Runners> {
  const members = await leases.members()
  const parts = new Set(members.flatMap(({ runs }) => runs))
  const has = (name: string): boolean =>
    parts.has(name) || parts.has(splitSideName(name)?.projection ?? name)
  return { any: members.length > 0, has }
}

/** `handler mail`: a subscription by what is known of it. */
export async function calledOf(transaction: Transaction, name: string): Promise<string> {
  const record = await loadPart(transaction, name)
  return `${record?.part ?? 'subscription'} ${name}`
}
