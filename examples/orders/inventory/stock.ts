/**
 * Pieces per stock code, by what happened to them. Opening stock is unknown, so there is no level
 * on hand, only movements.
 */
import { documents, projection } from 'thence'
import type { Documents, ReadOnlyView } from 'thence'
import type { Items } from '../lots.ts'
import { itemsOf, itemsOfLots } from '../lots.ts'
import { OrderShipped } from '../shipping/messages.ts'
import type { StockLevel, StockSummary } from './messages.ts'
import {
  GetStock,
  GetStockSummary,
  StockAdjusted,
  StockReleased,
  StockReserved,
  StockRestocked,
  UnpricedBooked,
} from './messages.ts'

type View = Documents<StockLevel>
/** What one piece adds to each count. */
type Move = Partial<Record<keyof StockLevel, 1 | -1>>

const none: StockLevel = { reserved: 0, shipped: 0, returned: 0, adjusted: 0, unpriced: 0 }
const kinds = Object.keys(none) as (keyof StockLevel)[]

const moved = (level: StockLevel, pieces: number, move: Move): StockLevel => {
  const next = { ...level }
  for (const kind of kinds) next[kind] += (move[kind] ?? 0) * pieces
  return next
}

const move = async (view: View, items: Items, by: Move): Promise<void> => {
  for (const [stockCode, pieces] of Object.entries(items))
    await view.update(stockCode, (level = none) => moved(level, pieces, by))
}

const summary = async (view: ReadOnlyView<View>): Promise<StockSummary> => {
  let sum = none
  let stockCodes = 0
  for await (const { document } of view.list()) {
    stockCodes += 1
    const next = { ...sum }
    for (const kind of kinds) next[kind] += document[kind]
    sum = next
  }
  return { stockCodes, ...sum }
}

export const stock = projection('stock', {
  view: documents<StockLevel>(),
  on: (on) =>
    on(StockReserved, ({ data }, view) => move(view, data.items, { reserved: 1 }))
      .on(StockReleased, ({ data }, view) => move(view, data.items, { reserved: -1 }))
      .on(OrderShipped, ({ data }, view) =>
        move(view, itemsOfLots(data.lots), { reserved: -1, shipped: 1 }),
      )
      .on(StockRestocked, ({ data }, view) => move(view, data.items, { returned: 1 }))
      .on(StockAdjusted, ({ data }, view) => move(view, itemsOf(data.lines), { adjusted: 1 }))
      .on(UnpricedBooked, ({ data }, view) => move(view, itemsOf(data.lines), { unpriced: 1 })),
  answers: (on) =>
    on(GetStock, async ({ stockCode }, view) => (await view.get(stockCode)) ?? null).on(
      GetStockSummary,
      (_, view) => summary(view),
    ),
})
