// The command beside an app that runs: it looks at its store, and follows what it appends.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'thence/sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { thence, watching } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { PlaceOrder, troubledShop } from '../kit/troubled-shop.ts'

const { folder, remove } = desk()

afterAll(remove)

describe('while an app runs', patient, () => {
  const live = join(folder, 'live.db')

  test('status reads beside it, and events tail follows it until Ctrl-C', async () => {
    await using shop = await troubledShop(sqlite({ database: new DatabaseSync(live) }))
    await shop.send(PlaceOrder({ orderId: '1' }))
    await shop.whenIdle()
    expect((await thence(['status', '--db', live])).code).toBe(0)
    const only = ['--type', 'OrderPlaced', '--json', '--follow']
    const tail = watching(['events', 'tail', '--db', live, ...only])
    expect(JSON.parse(await tail.line())).toMatchObject({ stream: 'order-1' })
    await shop.send(PlaceOrder({ orderId: '2' }))
    expect(JSON.parse(await tail.line())).toMatchObject({ stream: 'order-2' })
    expect(await tail.interrupt()).toEqual({ code: 0, stderr: '' })
  })

  test('a reader that has had enough ends the command quietly', async () => {
    await using shop = await troubledShop(sqlite({ database: new DatabaseSync(live) }))
    const tail = watching(['events', 'tail', '--db', live, '--follow', '-n', '1'])
    await tail.line()
    const ended = tail.close()
    await shop.send(PlaceOrder({ orderId: '3' }))
    expect(await ended).toBe(0)
  })
})
