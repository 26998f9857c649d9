/**
 * The made-up goods and customers that the generated day trades with. They follow from the seed;
 * nothing here is taken from a real shop.
 */
import { random } from './random.ts'
import type { Random } from './random.ts'

export interface Product {
  readonly stockCode: string
  readonly description: string
  readonly priceMills: number
}

export interface Customer {
  readonly customerId?: string
  readonly country: string
}

export interface Catalogue {
  readonly products: readonly Product[]
  readonly customers: readonly Customer[]
}

const COLOURS = ['AMBER', 'BLUE', 'CREAM', 'GREEN', 'IVORY', 'PINK', 'RED', 'SILVER', 'TEAL']
const STYLES = ['DOTTED', 'ENAMEL', 'FOLDING', 'GLASS', 'KNITTED', 'STRIPED', 'VINTAGE', 'WOODEN']
const THINGS = ['BASKET', 'BOWL', 'CLOCK', 'FRAME', 'GARLAND', 'LANTERN', 'MUG', 'TIN', 'TRAY']

/** One in ten shops from abroad, as far as a shop of this kind would see. */
const ABROAD = ['Belgium', 'Denmark', 'France', 'Germany', 'Ireland', 'Netherlands', 'Spain']
const CUSTOMERS = 900
const GUEST_SHARE = 0.07

/** The same seed gives the same goods at the same prices on every day. */
export function catalogue(seed: number): Catalogue {
  const rng = random(seed, 'catalogue')
  const names = COLOURS.flatMap((colour) =>
    STYLES.flatMap((style) => THINGS.map((thing) => `${colour} ${style} ${thing}`)),
  )
  return {
    products: names.map((description, index) => ({
      stockCode: String(20_000 + index),
      description,
      priceMills: price(rng),
    })),
    customers: Array.from({ length: CUSTOMERS }, (_, index) => customer(rng, index)),
  }
}

/** Mostly cheap; in whole pence except for the odd price by weight, which needs the mills. */
function price(rng: Random): number {
  const pence = Math.floor(29 + 1500 * rng.next() ** 3)
  return rng.next() < 0.01 ? pence * 10 + 5 : pence * 10
}

function customer(rng: Random, index: number): Customer {
  const country = rng.next() < 0.1 ? rng.pick(ABROAD) : 'United Kingdom'
  return rng.next() < GUEST_SHARE ? { country } : { customerId: String(12_000 + index), country }
}
