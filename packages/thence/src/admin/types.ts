/**
 * Giving up types of messages: a subscription that took them goes on without, also in processes that never did.
 */
import { loadPart, savePart } from '../app/part-records.ts'
import { ThenceError } from '../errors.ts'
import { shown } from '../message/expect.ts'
import { loadDivision, dropTypes as dropIn } from '../subscribe/division.ts'
import { requireSubscription } from './dead-letters.ts'
import type { On } from './on.ts'
import { audited } from './on.ts'
import type { SettingOptions } from './settings.ts'

export interface DroppedTypes {
  readonly subscription: string
  readonly dropped: readonly string[]
  /** Those that whoever runs it has to take still. */
  readonly types: readonly string[]
}

/**
 * Lets processes run a subscription that do without some types which it takes: they pass messages of these over, and
 * what was passed over is not handled later. A process that starts and takes them has them belong to it again. Running
 * apps notice within a second.
 * @throws NOT_FOUND, CONFIG_INVALID (a type that it does not take)
 */
export function dropTypes(
  on: On,
  name: string,
  { types, reason }: SettingOptions & { readonly types: readonly string[] },
): Promise<DroppedTypes> {
  return on.database.transact(async (transaction) => {
    await requireSubscription(transaction, name)
    const { types: taken = [] } = await loadDivision(transaction, name)
    const unknown = types.filter((type) => !taken.includes(type))
    if (unknown.length > 0)
      throw new ThenceError(
        'CONFIG_INVALID',
        `${name} does not take ${unknown.map(shown).join(', ')}; it takes ${taken.join(', ') || 'no types of its own'}.`,
      )
    const dropped = await dropIn(transaction, name, types)
    const left = taken.filter((type) => !dropped.includes(type))
    const part = await loadPart(transaction, name)
    if (part !== undefined) await savePart(transaction, { ...part, types: left })
    const details = { types: [...dropped] }
    await audited(on, transaction, {
      action: 'subscription.drop-type',
      target: name,
      details,
      reason,
    })
    return { subscription: name, dropped, types: left }
  })
}
