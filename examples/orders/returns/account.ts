/**
 * What one customer was sent and has returned. A return is matched exactly: same stock code, same
 * price, from the newest order that is earlier in the file and still has pieces left, then the next
 * newest. What fits no order is not guessed at but booked as a credit without a match.
 */
import { aggregate } from 'thence'
import type { Lots } from '../lots.ts'
import { CreditUnmatched, PurchaseReturned, PurchaseShipped, SettleReturn } from './messages.ts'
import type { Purchase } from './messages.ts'

/** `lots` are those still in the customer's hands. */
interface Account {
  readonly purchases: readonly Purchase[]
  readonly settled: readonly string[]
}

/** Pieces of one lot taken from one order. */
interface Taken {
  readonly orderId: string
  readonly lot: string
  readonly pieces: number
}

interface Match {
  readonly taken: readonly Taken[]
  /** Pieces that no order has. */
  readonly left: number
}

const newestFirst = (purchases: readonly Purchase[], before: number): readonly Purchase[] =>
  purchases.filter(({ sequence }) => sequence < before).toSorted((a, b) => b.sequence - a.sequence)

const match = (candidates: readonly Purchase[], lot: string, pieces: number): Match => {
  const taken: Taken[] = []
  let left = pieces
  for (const { orderId, lots } of candidates) {
    if (left <= 0) break
    const found = Math.min(left, lots[lot] ?? 0)
    if (found <= 0) continue
    taken.push({ orderId, lot, pieces: found })
    left -= found
  }
  return { taken, left }
}

const byOrder = (taken: readonly Taken[]): { orderId: string; lots: Lots }[] => {
  const orders = new Map<string, Record<string, number>>()
  for (const { orderId, lot, pieces } of taken)
    orders.set(orderId, { ...orders.get(orderId), [lot]: pieces })
  return [...orders].map(([orderId, lots]) => ({ orderId, lots }))
}

const without = (lots: Lots, returned: Lots): Lots => {
  const next = { ...lots }
  for (const [lot, pieces] of Object.entries(returned)) next[lot] = (next[lot] ?? 0) - pieces
  return next
}

export const account = aggregate('account', {
  initial: (): Account => ({ purchases: [], settled: [] }),
  evolve: (on) =>
    on(PurchaseShipped, (state, { data }) => ({
      ...state,
      purchases: [...state.purchases, data],
    }))
      .on(PurchaseReturned, ({ purchases, settled }, { data }) => {
        const returned = new Map(data.orders.map(({ orderId, lots }) => [orderId, lots]))
        return {
          purchases: purchases.map((one) => ({
            ...one,
            lots: without(one.lots, returned.get(one.orderId) ?? {}),
          })),
          settled: [...settled, data.cancellationNo],
        }
      })
      .on(CreditUnmatched, (state, { data }) => ({
        ...state,
        settled: [...state.settled, data.cancellationNo],
      })),
  decide: (on) =>
    on(SettleReturn, ({ purchases, settled }, { data }) => {
      const { cancellationNo, sequence, lots } = data
      if (settled.includes(cancellationNo)) return []
      const candidates = newestFirst(purchases, sequence)
      const matches = Object.entries(lots).map(
        ([lot, pieces]) => [lot, match(candidates, lot, pieces)] as const,
      )
      const taken = matches.flatMap(([, found]) => found.taken)
      const left = Object.fromEntries(
        matches.filter(([, found]) => found.left !== 0).map(([lot, found]) => [lot, found.left]),
      )
      return [
        ...(taken.length === 0
          ? []
          : [PurchaseReturned({ cancellationNo, orders: byOrder(taken) })]),
        ...(Object.keys(left).length === 0 && taken.length > 0
          ? []
          : [CreditUnmatched({ cancellationNo, lots: left })]),
      ]
    }),
  stream: ({ data }) => data.customerId,
})
