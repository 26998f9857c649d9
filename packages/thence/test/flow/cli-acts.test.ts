// What an operator does with the command while an app runs beside it, and while none does.
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'thence/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { watching } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import type { Trouble } from '../kit/troubled-shop.ts'
import { CountOrders, MailSent, noTrouble, PlaceOrder, troubledShop } from '../kit/troubled-shop.ts'

const place = () => {
  const { file, cli, jsonOf, remove } = desk()
  onTestFinished(remove)
  return {
    file,
    cli,
    jsonOf,
    run: (trouble: Trouble) => troubledShop(sqlite({ database: new DatabaseSync(file) }), trouble),
    letter: async (subscription: string) => {
      const words = ['dead-letters', 'list', '--subscription', subscription, '--state', 'all']
      return (await jsonOf(...words)).deadLetters[0]
    },
  }
}

type Shop = Awaited<ReturnType<typeof troubledShop>>

const order = async (shop: Shop, ...ids: readonly string[]) => {
  for (const orderId of ids) await shop.send(PlaceOrder({ orderId }))
  await shop.whenIdle()
}

/** Resolves when so many mails are in the log: it follows it as an operator would. */
const mailed = async (file: string, times: number): Promise<void> => {
  const tail = watching(['events', 'tail', '--type', MailSent.type, '--follow', '--db', file])
  for (let seen = 0; seen < times; seen += 1) await tail.line()
  await tail.interrupt()
}

describe('dead-letters redrive', patient, () => {
  test('a running app sends the message through, and then what waited behind it', async () => {
    const { file, run, cli, letter } = place()
    const trouble = noTrouble()
    trouble.mailer.add('1')
    await using shop = await run(trouble)
    await order(shop, '1', '1')
    trouble.mailer.clear()
    const { id } = await letter('mailer')
    const { code, stdout, stderr } = await cli('dead-letters', 'redrive', id)
    expect(code).toBe(0)
    expect(stdout).toBe('Redriven: mailer, key order-1, position 1.\n')
    expect(stderr).toContain('within a second')
    expect(stderr).toContain(`See what became of it: thence dead-letters show ${id}`)
    await mailed(file, 2)
    expect((await letter('mailer')).state).toBe('resolved')
    expect(await cli('dead-letters', 'redrive', id)).toMatchObject({ code: 1, stdout: '' })
  })

  test('if no app runs, the next one does it at its start', async () => {
    const { file, run, jsonOf, letter } = place()
    const trouble = noTrouble()
    trouble.mailer.add('1')
    {
      await using shop = await run(trouble)
      await order(shop, '1')
    }
    const { id } = await letter('mailer')
    expect(await jsonOf('dead-letters', 'redrive', id)).toEqual({
      redriven: 1,
      id,
      subscription: 'mailer',
      key: 'order-1',
      position: 1,
      waits: 'no app runs',
    })
    expect((await letter('mailer')).state).toBe('redriven')
    await using _shop = await run(noTrouble())
    await mailed(file, 1)
    expect((await letter('mailer')).state).toBe('resolved')
  })
})

describe('dead-letters discard', patient, () => {
  test('lets the key go on without the message', async () => {
    const { file, run, cli, letter } = place()
    const trouble = noTrouble()
    trouble.mailer.add('1')
    await using shop = await run(trouble)
    await order(shop, '1', '1')
    const { id } = await letter('mailer')
    trouble.mailer.clear()
    const words = ['dead-letters', 'discard', id, '--reason', 'the customer called']
    const { code, stdout } = await cli(...words)
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Discarded: mailer, key order-1, position 1.\n',
    })
    await mailed(file, 1)
    expect(await letter('mailer')).toMatchObject({
      state: 'discarded',
      reason: 'the customer called',
    })
  })

  test.each(['runs', 'does not run'])(
    'lets a view that halted go on behind the message, while an app %s',
    async (how) => {
      const { run, cli, jsonOf, letter } = place()
      const trouble = noTrouble()
      trouble.totals.add('2')
      const shop = await run(trouble)
      await order(shop, '1', '2', '3')
      if (how !== 'runs') await shop.stop()
      const [, halted] = (await jsonOf('projections', 'list')).projections
      const { id, position } = await letter('totals')
      expect(halted).toMatchObject({ name: 'totals', state: 'halted', haltedAt: position })
      expect(await cli('dead-letters', 'discard', id, '--reason', 'no sum')).toMatchObject({
        code: 0,
      })
      const now = how === 'runs' ? shop : await run(trouble)
      const last = await now.send(PlaceOrder({ orderId: '4' }))
      const after = { after: last.position, timeout: 30_000 }
      expect(await now.ask(CountOrders({}), after)).toEqual({ orders: 3 })
      await now.stop()
      expect(await letter('totals')).toMatchObject({ state: 'discarded' })
      const { attention } = await jsonOf('status')
      expect(attention.filter(({ name }: { name: string }) => name !== 'app')).toEqual([])
    },
  )
})
