/**
 * The carrier is a world of its own, so a handler talks to it, not an aggregate: it may be slow or
 * down, and is then tried again. Its answer, simulated here, is recorded once, together with the
 * checkpoint. A real one would be given the order's number, to notice when it is asked twice.
 */
import { handler } from 'thence'
import type { Handler } from 'thence'
import type { Simulation } from '../simulation.ts'
import { OrderShipped, ScheduleShipping, ShipmentFailed } from './messages.ts'

export const carrier = ({ losesShipment }: Simulation): Handler<'ScheduleShipping'> =>
  handler('carrier', ScheduleShipping, ({ data }, { append }) => {
    const { orderId } = data
    const answer = losesShipment(orderId) ? ShipmentFailed({ orderId }) : OrderShipped(data)
    append(`shipment-${orderId}`, answer)
  })
