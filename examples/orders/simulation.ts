/**
 * The answers of the world outside: the bank, the warehouse, the carrier. The data has none, so they
 * are simulated: each follows from the seed and the order alone, in whatever order it is asked for
 * and after any restart.
 */
import { chance } from './data/random.ts'

/** How often the world says no; each is rare, and common enough to occur on a quiet day. */
export const SIMULATED_RATES = { declined: 0.04, outOfStock: 0.03, shippingFailed: 0.03 } as const

export interface Simulation {
  readonly declines: (orderId: string) => boolean
  /** The stock code that is short, if one is. */
  readonly shortOf: (orderId: string, stockCodes: readonly string[]) => string | undefined
  readonly losesShipment: (orderId: string) => boolean
}

export function simulation(seed: number): Simulation {
  const below = (rate: number, ...keys: readonly string[]): boolean => chance(seed, ...keys) < rate
  return {
    declines: (orderId) => below(SIMULATED_RATES.declined, 'payment', orderId),
    shortOf: (orderId, stockCodes) => {
      if (!below(SIMULATED_RATES.outOfStock, 'stock', orderId)) return undefined
      return stockCodes[Math.floor(chance(seed, 'short', orderId) * stockCodes.length)]
    },
    losesShipment: (orderId) => below(SIMULATED_RATES.shippingFailed, 'shipping', orderId),
  }
}
