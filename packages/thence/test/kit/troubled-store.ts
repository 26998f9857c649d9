// A store that a real app has written, in which a bit of everything went wrong; the same on every run.
import { DatabaseSync } from 'node:sqlite'
import type { Database } from 'thence'
import { sqlite } from 'thence/sqlite'
import type { VirtualRuntime } from 'thence/testing'
import { testApp, virtualRuntime } from 'thence/testing'
import { noTrouble, PlaceOrder, stocked } from './troubled-shop.ts'

/** What an order's note says, to do harm in a terminal. */
export const hostile = '\u001b[2J\u001b]0;owned\u0007\r\nFORGED  line\u202e\u009b31m'

/** Writes the file: a parked mail with another behind it, a view that halted, a saga that is open. */
export const writeTroubledStore = (file: string): Promise<void> =>
  writeTrouble(sqlite({ database: new DatabaseSync(file) }), virtualRuntime())

/** The same in any store, which it closes. */
export async function writeTrouble(database: Database, runtime: VirtualRuntime): Promise<void> {
  const trouble = noTrouble()
  trouble.mailer.add('1')
  trouble.totals.add('2')
  trouble.payment.add('3')
  await using shop = await testApp((builder) => stocked(builder, trouble), {
    database,
    runtime,
  })
  for (const orderId of ['1', '1', '2', '3']) {
    await shop.app.send(PlaceOrder({ orderId }))
    await shop.settle()
  }
  await shop.app.send(PlaceOrder({ orderId: '4', note: hostile }))
  await shop.settle()
  await shop.advance('2s')
}
