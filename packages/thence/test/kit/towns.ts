// A store and a clock that can be set, for several apps at once whose own clocks may be wrong.
import type { Database } from 'thence'
import { memory, memoryStore } from 'thence/memory'
import type { Night } from './night.ts'
import { night } from './night.ts'
import { MovableClock } from './nodes.ts'
import { file } from './places.ts'
import { skewed } from './skew.ts'

export interface Town {
  readonly clock: MovableClock
  /** A connection of its own for each app. */
  open(): Database
}

export interface TownKind {
  readonly name: string
  readonly make: () => Town
}

export const towns: readonly TownKind[] = [
  {
    name: 'one memory store',
    make: () => {
      const clock = new MovableClock()
      const store = memoryStore({ clock: clock.runtime })
      return { clock, open: () => memory({ store }) }
    },
  },
  {
    name: 'one file',
    make: () => {
      const place = file.make()
      return { clock: new MovableClock(), open: () => place.open() }
    },
  },
]

/** Starts an app in a town, with a clock that is wrong by so many milliseconds. */
export const settleIn = (
  town: Town,
  schedules: Parameters<typeof night>[1],
  { wrongBy = 0, ...options }: Parameters<typeof night>[2] & { readonly wrongBy?: number } = {},
): Promise<Night> => {
  const runtime = skewed(town.clock.runtime, () => wrongBy)
  return night({ runtime, open: () => town.open() }, schedules, options)
}
