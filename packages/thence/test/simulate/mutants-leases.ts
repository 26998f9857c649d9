// Bugs in how processes share the work.
import { type Mutant, ports, under } from './mutant.ts'

/** A process that stands still while another takes over, and a failed message that is tried again. */
const zombies = { pause: 6, crash: 2, passingError: 5, viewError: 5, slowHandler: 4 }

const late: readonly Mutant[] = [
  ports('the epoch of a lease is not compared', ({ checkpoints }) => ({
    checkpoints: {
      move: async (name, seen, position) => {
        const epoch = (await checkpoints.load(name, seen.partition))?.epoch ?? 0
        return checkpoints.move(name, { ...seen, epoch }, position)
      },
      holds: async () => true,
    },
  })),
]

export const leaseMutants: readonly Mutant[] = [
  ...under(zombies, late),
  ports('a lease that is taken does not claim the checkpoint', ({ checkpoints }) => ({
    checkpoints: {
      claim: async (name, hold) => {
        const row = await checkpoints.load(name, hold.partition)
        return row === undefined ? checkpoints.claim(name, hold) : { ...row, epoch: hold.epoch }
      },
      move: async (name, seen, position) => {
        const epoch = (await checkpoints.load(name, seen.partition))?.epoch ?? 0
        return checkpoints.move(name, { ...seen, epoch }, position)
      },
    },
  })),
  ports('who is gone keeps its leases', ({ leases }) => ({
    leases: { beat: (member) => leases.beat(member, Number.MAX_SAFE_INTEGER / 4) },
  })),
  ports('a lease is given to nobody', ({ leases }) => ({
    leases: { take: async () => void (await leases.list()) },
  })),
]
