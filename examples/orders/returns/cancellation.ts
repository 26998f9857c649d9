/**
 * A cancellation as it came in. It does not name the order it cancels: the customer's account finds
 * it. A guest has no account, so all of it becomes an unmatched credit at once.
 */
import { aggregate } from 'thence'
import type { Lots } from '../lots.ts'
import { counted, lotOf } from '../lots.ts'
import type { Slip } from '../slip.ts'
import { isNew } from '../slip.ts'
import { BookCancellation, CancellationBooked, CreditUnmatched } from './messages.ts'

/** The pieces that come back, as positive numbers. */
export const claimedLots = ({ lines }: Pick<Slip, 'lines'>): Lots =>
  counted(lines.map((line) => [lotOf(line), 0 - line.quantity]))

export const cancellation = aggregate('cancellation', {
  initial: (): Slip | null => null,
  evolve: (on) =>
    on(CancellationBooked, (_, { data }) => data).on(CreditUnmatched, (state) => state),
  decide: (on) =>
    on(BookCancellation, (booked, { data }) => {
      if (!isNew(booked, data)) return []
      if (data.customerId !== null) return CancellationBooked(data)
      const credit = { cancellationNo: data.invoiceNo, lots: claimedLots(data) }
      return [CancellationBooked(data), CreditUnmatched(credit)]
    }),
  stream: ({ data }) => data.invoiceNo,
})
