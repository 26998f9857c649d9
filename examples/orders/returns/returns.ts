/** Every cancellation with what was found of it, and the sums over all of them. */
import { documents, projection } from 'thence'
import type { Documents, ReadOnlyView } from 'thence'
import type { Lots } from '../lots.ts'
import { lotsMills } from '../lots.ts'
import { claimedLots } from './cancellation.ts'
import type { Return, ReturnSummary } from './messages.ts'
import {
  CancellationBooked,
  CreditUnmatched,
  GetReturn,
  GetReturnSummary,
  PurchaseReturned,
} from './messages.ts'

type View = Documents<Return>

const piecesOf = (lots: Lots): number =>
  Object.values(lots).reduce((sum, pieces) => sum + pieces, 0)

const change = (
  view: View,
  cancellationNo: string,
  part: (before: Return) => Partial<Return>,
): Promise<void> =>
  view.update(cancellationNo, (before) => before && { ...before, ...part(before) })

const outcomeOf = (one: Return): 'open' | 'matched' | 'partlyMatched' | 'unmatched' => {
  if (one.returnedPieces + one.creditedPieces !== one.claimedPieces) return 'open'
  if (one.returnedPieces === 0) return 'unmatched'
  return one.creditedPieces === 0 ? 'matched' : 'partlyMatched'
}

const summary = async (view: ReadOnlyView<View>): Promise<ReturnSummary> => {
  const counts = { cancellations: 0, matched: 0, partlyMatched: 0, unmatched: 0, open: 0 }
  const mills = { claimedMills: 0, returnedMills: 0, creditedMills: 0 }
  for await (const { document } of view.list()) {
    counts.cancellations += 1
    counts[outcomeOf(document)] += 1
    mills.claimedMills += document.claimedMills
    mills.returnedMills += document.returnedMills
    mills.creditedMills += document.creditedMills
  }
  return { ...counts, ...mills }
}

export const returns = projection('returns', {
  view: documents<Return>(),
  on: (on) =>
    on(CancellationBooked, ({ data }, view) => {
      const claimed = claimedLots(data)
      return view.put(data.invoiceNo, {
        customerId: data.customerId,
        claimedPieces: piecesOf(claimed),
        claimedMills: lotsMills(claimed),
        returnedPieces: 0,
        returnedMills: 0,
        creditedPieces: 0,
        creditedMills: 0,
      })
    })
      .on(PurchaseReturned, async ({ data }, view) => {
        for (const { lots } of data.orders)
          await change(view, data.cancellationNo, (before) => ({
            returnedPieces: before.returnedPieces + piecesOf(lots),
            returnedMills: before.returnedMills + lotsMills(lots),
          }))
      })
      .on(CreditUnmatched, ({ data }, view) =>
        change(view, data.cancellationNo, () => ({
          creditedPieces: piecesOf(data.lots),
          creditedMills: lotsMills(data.lots),
        })),
      ),
  answers: (on) =>
    on(GetReturn, async ({ cancellationNo }, view) => (await view.get(cancellationNo)) ?? null).on(
      GetReturnSummary,
      (_, view) => summary(view),
    ),
})
