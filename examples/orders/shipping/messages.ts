/** What is said to and by the carrier. */
import { command, event, plain } from 'thence'
import type { Lots } from '../lots.ts'

/** What goes into the parcel and to whom. */
export interface Shipment {
  readonly orderId: string
  /** The place of the order in its file. */
  readonly sequence: number
  readonly customerId: string | null
  readonly lots: Lots
}

export const ScheduleShipping = command('ScheduleShipping', plain<Shipment>())
export const OrderShipped = event('OrderShipped', plain<Shipment>())
export const ShipmentFailed = event('ShipmentFailed', plain<{ readonly orderId: string }>())
