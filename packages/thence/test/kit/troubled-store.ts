// A store that a real app has written, in which a bit of everything went wrong; the same on every run.
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { noTrouble, PlaceOrder, stocked } from './troubled-shop.ts'

/** What an order's note says, to do harm in a terminal. */
export const hostile = '\u001b[2J\u001b]0;owned\u0007\r\nFORGED  line\u202e\u009b31m'

/** Writes the file: a parked mail with another behind it, a view that halted, a saga that is open. */
export async function writeTroubledStore(file: string): Promise<void> {
  const trouble = noTrouble()
  trouble.mailer.add('1')
  trouble.totals.add('2')
  trouble.payment.add('3')
  await using shop = await testApp((builder) => stocked(builder, trouble), {
    database: sqlite({ database: new DatabaseSync(file) }),
  })
  for (const orderId of ['1', '1', '2', '3']) {
    await shop.app.send(PlaceOrder({ orderId }))
    await shop.settle()
  }
  await shop.app.send(PlaceOrder({ orderId: '4', note: hostile }))
  await shop.settle()
  await shop.advance('2s')
}
