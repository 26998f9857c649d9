/** A debt that will not be paid, or is after all: booked once. */
import { aggregate } from 'thence'
import type { Slip } from '../slip.ts'
import { isNew } from '../slip.ts'
import { BadDebtBooked, BookBadDebt } from './messages.ts'

export const badDebt = aggregate('badDebt', {
  initial: (): Slip | null => null,
  evolve: (on) => on(BadDebtBooked, (_, { data }) => data),
  decide: (on) =>
    on(BookBadDebt, (booked, { data }) => (isNew(booked, data) ? BadDebtBooked(data) : [])),
  stream: ({ data }) => data.invoiceNo,
})
