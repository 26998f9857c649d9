/**
 * Who should run which partition: every process computes the same from the same members, so nobody has to be asked.
 * Members that come or go move few partitions, and no member has more than its share.
 */
import { hashOf } from '../internal/hash.ts'

/** The lease of one partition. */
export const leaseName = (subscription: string, partition: number): string =>
  `${subscription}#${partition}`

/**
 * The member for each partition of a subscription; undefined if there are no members.
 *
 * Highest random weight (Thaler and Ravishankar, 1998) with a bound on the load (Mirrokni, Thorup and Zadimoghaddam,
 * 2016): partitions choose in order, each the member with the highest hash that has room.
 */
export function assign(
  subscription: string,
  partitions: number,
  members: readonly string[],
): readonly (string | undefined)[] {
  const load = new Map(members.map((member) => [member, 0]))
  const most = Math.ceil(partitions / Math.max(1, members.length))
  return Array.from({ length: partitions }, (_, partition) => {
    const weight = (member: string): number =>
      hashOf(`${leaseName(subscription, partition)}@${member}`)
    const open = members.filter((member) => (load.get(member) ?? 0) < most)
    const [first, ...others] = open
    if (first === undefined) return undefined
    const chosen = others.reduce((best, one) => (weight(one) > weight(best) ? one : best), first)
    load.set(chosen, (load.get(chosen) ?? 0) + 1)
    return chosen
  })
}
