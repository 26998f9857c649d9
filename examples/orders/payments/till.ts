/** What was taken and given back, in sums. */
import { documents, projection } from 'thence'
import type { Documents } from 'thence'
import type { Till } from './messages.ts'
import { GetTill, PaymentCharged, PaymentRefunded, ReturnRefunded } from './messages.ts'

const empty: Till = { chargedMills: 0, refundedMills: 0, returnedMills: 0 }

const add = (view: Documents<Till>, sum: keyof Till, mills: number): Promise<void> =>
  view.update('till', (before = empty) => ({ ...before, [sum]: before[sum] + mills }))

export const till = projection('till', {
  view: documents<Till>(),
  on: (on) =>
    on(PaymentCharged, ({ data }, view) => add(view, 'chargedMills', data.amountMills))
      .on(PaymentRefunded, ({ data }, view) => add(view, 'refundedMills', data.amountMills))
      .on(ReturnRefunded, ({ data }, view) => add(view, 'returnedMills', data.amountMills)),
  answers: (on) => on(GetTill, async (_, view) => (await view.get('till')) ?? empty),
})
