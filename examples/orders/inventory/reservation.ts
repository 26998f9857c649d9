/**
 * Goods set aside for one order, all or nothing. The data says nothing of stock levels, so whether
 * there is enough is simulated.
 */
import { aggregate } from 'thence'
import type { Aggregate } from 'thence'
import type { Simulation } from '../simulation.ts'
import type { Reservation } from './messages.ts'
import { ReleaseStock, ReserveStock, StockReleased, StockReserved, StockShort } from './messages.ts'

type State =
  | { readonly status: 'none' | 'short' | 'released' }
  | ({ readonly status: 'reserved' } & Reservation)

export type ReservationCommands = 'ReserveStock' | 'ReleaseStock'

export const reservation = ({ shortOf }: Simulation): Aggregate<ReservationCommands> =>
  aggregate('reservation', {
    initial: (): State => ({ status: 'none' }),
    evolve: (on) =>
      on(StockReserved, (_, { data }) => ({ status: 'reserved', ...data }))
        .on(StockShort, () => ({ status: 'short' }))
        .on(StockReleased, () => ({ status: 'released' })),
    decide: (on) =>
      on(ReserveStock, ({ status }, { data }) => {
        if (status !== 'none') return []
        const { orderId, items } = data
        const stockCode = shortOf(orderId, Object.keys(items))
        return stockCode === undefined ? StockReserved(data) : StockShort({ orderId, stockCode })
      }).on(ReleaseStock, (state) => {
        if (state.status !== 'reserved') return []
        return StockReleased({ orderId: state.orderId, items: state.items })
      }),
    stream: ({ data }) => data.orderId,
  })
