/** What to look at after a run: commands that work on the history it left. */
import type { Place } from './place.ts'
import type { Shop } from './shop.ts'
import type { Books } from './summary.ts'

export async function next(shop: Shop, { orders }: Books, place: Place): Promise<string> {
  const { shippingFailed, outOfStock, shipped } = orders.first
  const orderId = shippingFailed ?? outOfStock ?? shipped
  const thence = (words: string): string =>
    `  npm run thence -- ${words} ${place.option} '${place.name}'`
  const lines = ['Try next:', thence('status')]
  if (orderId === undefined) return lines.join('\n')
  lines.push(thence(`streams show fulfilment-${orderId}`))
  for await (const { id } of shop.stream(`payment-${orderId}`, { backwards: true, limit: 1 }))
    lines.push(thence(`why ${id}`))
  return lines.join('\n')
}
