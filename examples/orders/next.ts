/** What to look at after a run: commands that work on the history it left. */
import type { Shop } from './shop.ts'
import type { Books } from './summary.ts'

export async function next(shop: Shop, { orders }: Books, path: string): Promise<string> {
  const { shippingFailed, outOfStock, shipped } = orders.first
  const orderId = shippingFailed ?? outOfStock ?? shipped
  const thence = (words: string): string => `  npm run thence -- ${words} --db ${path}`
  const lines = ['Try next:', thence('status')]
  if (orderId === undefined) return lines.join('\n')
  lines.push(thence(`streams show fulfilment-${orderId}`))
  for await (const { id } of shop.stream(`payment-${orderId}`, { backwards: true, limit: 1 }))
    lines.push(thence(`why ${id}`))
  return lines.join('\n')
}
