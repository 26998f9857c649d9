/** The shop: all modules together on one database. */
import { app } from 'thence'
import type { Database } from 'thence'
import { fulfilment } from './fulfilment/fulfilment.ts'
import { intake } from './intake/intake.ts'
import { reservation } from './inventory/reservation.ts'
import { stock } from './inventory/stock.ts'
import { restock, stocktake } from './inventory/stocktake.ts'
import { badDebt } from './ledger/bad-debt.ts'
import { ledger } from './ledger/ledger.ts'
import { order } from './orders/order.ts'
import { orderStatus } from './orders/order-status.ts'
import { payment } from './payments/payment.ts'
import { till } from './payments/till.ts'
import { account } from './returns/account.ts'
import { cancellation } from './returns/cancellation.ts'
import { claims, purchases, returnsDesk } from './returns/desk.ts'
import { returns } from './returns/returns.ts'
import { carrier } from './shipping/carrier.ts'
import type { Simulation } from './simulation.ts'

const parts = (world: Simulation) =>
  [
    intake,
    order,
    orderStatus,
    payment(world),
    till,
    reservation(world),
    stocktake,
    restock,
    stock,
    carrier(world),
    cancellation,
    account,
    purchases,
    claims,
    returnsDesk,
    returns,
    badDebt,
    ledger,
    fulfilment,
  ] as const

export interface ShopOptions {
  readonly database: Database
  /** What answers for the bank, the warehouse and the carrier. */
  readonly world: Simulation
}

/** Opens the shop; whoever opened it stops it. */
export const openShop = ({ database, world }: ShopOptions) =>
  app({ database })
    .use(...parts(world))
    .start()

export type Shop = Awaited<ReturnType<typeof openShop>>
