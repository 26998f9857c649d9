// What is said of an order: placed, and then paid, stocked and shipped, each step with its failure and its way back.
import { command, event, plain } from 'thence'

export type Order = { readonly id: string }
const shape = plain<Order>()
export const Placed = event('Placed', shape)
export const Charge = command('Charge', shape)
export const Charged = event('Charged', shape)
export const Declined = event('Declined', shape)
export const Refund = command('Refund', shape)
export const Refunded = event('Refunded', shape)
export const Reserve = command('Reserve', shape)
export const Reserved = event('Reserved', shape)
export const Short = event('Short', shape)
export const Release = command('Release', shape)
export const Ship = command('Ship', shape)
export const Shipped = event('Shipped', shape)
export const Lost = event('Lost', shape)
export const Recall = command('Recall', shape)
