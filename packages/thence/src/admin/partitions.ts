/**
 * The partitions of a subscription: where each stands, and which process runs it.
 */
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Lease, Member } from '../ports/leases.ts'
import { leaseName } from '../subscribe/assign.ts'

export interface PartitionStatus {
  readonly partition: number
  readonly position: number
  /** The process that runs it; null: none. */
  readonly process: string | null
}

/** The one that is furthest behind. */
export const slowest = (rows: readonly Checkpoint[]): Checkpoint | undefined =>
  rows.reduce<Checkpoint | undefined>(
    (least, row) => (least === undefined || row.position < least.position ? row : least),
    undefined,
  )

/** Where each partition stands, and which process runs it. */
export const partitionsOf = (
  name: string,
  {
    checkpoints,
    leases,
    members,
  }: {
    readonly checkpoints: readonly Checkpoint[]
    readonly leases: readonly Lease[]
    readonly members: readonly Member[]
  },
): readonly PartitionStatus[] =>
  checkpoints
    .filter(({ subscription }) => subscription === name)
    .map(({ partition, position }) => {
      const lease = leases.find((one) => one.name === leaseName(name, partition))
      const owner = members.find(({ id }) => id === lease?.owner)
      return { partition, position, process: owner?.name ?? null }
    })
