// The planted bugs: each removes one protection of the real product, and some seed must see it.
import type { Mutant } from './mutant.ts'
import { adapterMutants } from './mutants-adapter.ts'
import { leaseMutants } from './mutants-leases.ts'
import { officeMutants } from './mutants-office.ts'
import { roomMutants } from './mutants-rooms.ts'

export const mutants: readonly Mutant[] = [
  ...adapterMutants,
  ...roomMutants,
  ...leaseMutants,
  ...officeMutants,
]
