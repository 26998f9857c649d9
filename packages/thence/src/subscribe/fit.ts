/**
 * Whether a process may run a subscription as the store has it: it has to take every type that belongs to it, so that it
 * passes none over, and to know its key by the version by which it is divided.
 */
import type { Signals } from '../observe/signals.ts'
import type { Division } from './division.ts'
import { keyVersionOf, lackingTypes } from './division.ts'
import type { SubscriptionOptions } from './options.ts'

type Wanted = Pick<SubscriptionOptions, 'name' | 'types' | 'keyVersion'>

const hasKey = (division: Division, { keyVersion }: Wanted): boolean =>
  keyVersion === undefined || keyVersion === keyVersionOf(division)

export const isFit = (division: Division, wanted: Wanted): boolean =>
  hasKey(division, wanted) && lackingTypes(division, wanted.types).length === 0

/** Tells why it may not, if so. */
export function tellUnfit(signals: Signals, division: Division, wanted: Wanted): void {
  const { name: subscription, keyVersion = 1 } = wanted
  const types = lackingTypes(division, wanted.types)
  if (types.length > 0) signals.emit({ name: 'types-missing', subscription, types })
  if (hasKey(division, wanted)) return
  const stored = keyVersionOf(division)
  signals.emit({ name: 'key-replaced', subscription, keyVersion, stored })
}
