// A shop in which things go wrong, on a virtual clock, with an operator beside it.
import { DatabaseSync } from 'node:sqlite'
import type { Database } from 'thence'
import * as admin from 'thence/admin'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { onTestFinished } from 'vitest'
import type { Trouble } from './troubled-shop.ts'
import { noTrouble, PlaceOrder, stocked } from './troubled-shop.ts'

export const adapters: readonly (readonly [string, () => Database])[] = [
  ['memory', () => memory()],
  ['sqlite', () => sqlite({ database: new DatabaseSync(':memory:') })],
]

/** Starts it until the end of the test. */
export const startTroubled = async (database: Database, trouble: Trouble = noTrouble()) => {
  const running = await testApp((builder) => stocked(builder, trouble), { database })
  onTestFinished(() => running.stop())
  const { app: shop, runtime } = running
  const on = { database, runtime }
  const place = async (...ids: readonly string[]) => {
    for (const orderId of ids) await shop.send(PlaceOrder({ orderId }))
    await running.settle()
  }
  /** So much as an app needs to notice what an operator did. */
  const notice = () => running.advance('3s')
  const parked = (subscription: string) => admin.deadLetters(on, { subscription, state: 'parked' })
  return { shop, trouble, place, parked, notice, on }
}
