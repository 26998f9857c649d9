import { expect, test } from 'vitest'
import { SIMULATED_RATES, simulation } from './simulation.ts'

const orders = Array.from({ length: 20_000 }, (_, index) => String(index))

test('an answer follows from the seed and the order alone', () => {
  const [first, second, other] = [simulation(1), simulation(1), simulation(2)]
  const declined = (world: typeof first) => orders.filter(world.declines)
  expect(declined(first)).toEqual(orders.toReversed().filter(second.declines).toReversed())
  expect(declined(first)).not.toEqual(declined(other))
})

test('the world says no about as often as its rates say', () => {
  const world = simulation(1)
  const share = (no: (orderId: string) => boolean) => orders.filter(no).length / orders.length
  expect(share(world.declines)).toBeCloseTo(SIMULATED_RATES.declined, 2)
  expect(share(world.losesShipment)).toBeCloseTo(SIMULATED_RATES.shippingFailed, 2)
  expect(share((id) => world.shortOf(id, ['A']) === 'A')).toBeCloseTo(SIMULATED_RATES.outOfStock, 2)
})
