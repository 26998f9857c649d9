import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'thence/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemRuntime } from 'thence'
import { adapters, startTroubled } from '../kit/troubled-run.ts'
import {
  CountOrders,
  noTrouble,
  OrderPlaced,
  PlaceOrder,
  troubledShop,
} from '../kit/troubled-shop.ts'

import * as admin from 'thence/admin'

describe.each(adapters)('on %s', (_, make) => {
  test('a fresh store needs no attention', async () => {
    const { on } = await startTroubled(make())
    const found = await admin.status(on)
    expect(found).toMatchObject({
      head: 0,
      last: null,
      attention: [],
      retries: { due: 0, parked: 0, queued: 0 },
      deadLetters: { parked: 0, redriven: 0, resolved: 0, discarded: 0 },
      sagas: [{ saga: 'fulfilment', open: 0, oldest: null }],
      nextTimer: null,
    })
    expect(found.subscriptions.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'fulfilment saga',
      'mailer handler',
      'order aggregate',
      'paid projection',
      'payment handler',
      'totals projection',
    ])
  })

  test('status names what is parked and what is halted, with what to do next', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    trouble.totals.add('2')
    const { on, place } = await startTroubled(make(), trouble)
    await place('1', '1', '2', '3')
    const { attention, subscriptions, deadLetters, retries } = await admin.status(on)
    const halted = subscriptions.find(({ name }) => name === 'totals')
    expect(halted).toMatchObject({ state: 'halted', parked: 1 })
    expect(halted?.haltedAt).toBeGreaterThan(halted?.position ?? 0)
    expect(subscriptions.find(({ name }) => name === 'mailer')).toMatchObject({
      parked: 1,
      queued: 1,
      haltedAt: null,
    })
    expect(attention.map(({ name, what }) => `${name}: ${what}`).sort()).toEqual([
      'mailer: 1 parked, 1 behind them',
      `totals: halted at position ${halted?.haltedAt}`,
    ])
    expect(attention.every(({ advice }) => advice.startsWith('thence dead-letters list'))).toBe(
      true,
    )
    expect(deadLetters.parked).toBe(2)
    expect(retries).toEqual({ due: 0, parked: 2, queued: 1 })
  })

  test('a redriven message goes through in the running app, and then what waited behind it', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    const { on, place, parked, notice } = await startTroubled(make(), trouble)
    await place('1', '1')
    const [letter] = await parked('mailer')
    trouble.mailer.clear()
    const acted = await admin.redrive(on, letter!.id)
    expect(acted).toMatchObject({ id: letter!.id, subscription: 'mailer', key: 'order-1' })
    await notice()
    expect((await admin.deadLetter(on, letter!.id)).state).toBe('resolved')
    expect((await admin.stream(on, 'mail-1')).version).toBe(2)
  })

  test('a redriven message that fails again is parked again, under the same id', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    const { on, place, parked, notice } = await startTroubled(make(), trouble)
    await place('1')
    const [letter] = await parked('mailer')
    await admin.redrive(on, letter!.id)
    await notice()
    expect(await parked('mailer')).toMatchObject([{ id: letter!.id, state: 'parked' }])
  })

  test('what is not parked can be neither redriven nor discarded', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    const { on, place, parked } = await startTroubled(make(), trouble)
    await place('1')
    const [letter] = await parked('mailer')
    await admin.discard(on, letter!.id, 'a test order')
    await expect(admin.redrive(on, letter!.id)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(admin.discard(on, letter!.id, 'again')).rejects.toMatchObject({
      code: 'STATE_INVALID',
    })
    await expect(admin.discard(on, letter!.id, ' \n')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    await expect(admin.redrive(on, 'nope')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await admin.deadLetter(on, letter!.id)).reason).toBe('a test order')
  })

  test('discarding lets the key go on and sends nothing for the message', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    const { on, place, parked, notice } = await startTroubled(make(), trouble)
    await place('1', '1')
    const [letter] = await parked('mailer')
    trouble.mailer.clear()
    await admin.discard(on, letter!.id, 'customer called')
    await notice()
    expect((await admin.stream(on, 'mail-1')).version).toBe(1)
    expect((await admin.status(on)).retries).toEqual({ due: 0, parked: 0, queued: 0 })
  })

  test('discarding the message at which a view halted lets the view go on behind it', async () => {
    const trouble = noTrouble()
    trouble.totals.add('2')
    const { on, shop, place, parked, notice } = await startTroubled(make(), trouble)
    await place('1', '2', '3')
    const [letter] = await parked('totals')
    const before = (await admin.projections(on)).find(({ name }) => name === 'totals')
    expect(before).toMatchObject({ state: 'halted', haltedAt: letter!.position })
    await admin.discard(on, letter!.id, 'cannot be added')
    await notice()
    await place('4')
    expect(await shop.ask(CountOrders({}))).toEqual({ orders: 3 })
    // It still fails: nobody tried it again.
    expect(await parked('totals')).toEqual([])
  })

  test('a rebuild that was asked for is done by the running app', async () => {
    const { on, shop, place, notice } = await startTroubled(make())
    await place('1', '2')
    const begun = { inline: false, generation: 0, version: 2 }
    expect(await admin.askRebuild(on, 'totals')).toMatchObject(begun)
    const names = async (): Promise<readonly string[]> =>
      (await admin.projections(on)).map(({ name, state }) => `${name} ${state}`)
    expect(await names()).toContain('totals@2 building')
    await notice()
    expect(await shop.ask(CountOrders({}))).toEqual({ orders: 2 })
    expect((await names()).filter((name) => name.includes('@'))).toEqual([])
    const after = (await admin.projections(on)).find(({ name }) => name === 'totals')
    expect(after).toMatchObject({ generation: 1, rebuildTo: null, state: 'caught-up' })
  })

  test('only a projection can be rebuilt', async () => {
    const { on } = await startTroubled(make())
    await expect(admin.askRebuild(on, 'mailer')).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(admin.askRebuild(on, 'total')).rejects.toThrow('Did you mean totals?')
  })

  test('a rebuild discards the letters of its projection, because it tries every message again', async () => {
    const trouble = noTrouble()
    trouble.totals.add('1')
    const { on, shop, place, parked, notice } = await startTroubled(make(), trouble)
    await place('1')
    const [letter] = await parked('totals')
    trouble.totals.clear()
    await shop.rebuild('totals')
    await notice()
    const { state, reason } = await admin.deadLetter(on, letter!.id)
    expect([state, reason]).toEqual(['discarded', 'The projection was rebuilt.'])
    await expect(admin.redrive(on, letter!.id)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    expect((await admin.status(on)).attention).toEqual([])
  })

  test('open sagas are listed with their timers, ended ones on demand', async () => {
    const trouble = noTrouble()
    trouble.payment.add('slow')
    const { on, place } = await startTroubled(make(), trouble)
    await place('quick', 'slow')
    expect(await admin.sagas(on)).toMatchObject([
      {
        instance: 'fulfilment-slow',
        status: 'running',
        steps: [{ step: 'payment', status: 'doing', attempt: 1 }],
      },
    ])
    const all = await admin.sagas(on, { all: true })
    expect(all.map(({ key, status }) => `${key} ${status}`)).toEqual([
      'quick completed',
      'slow running',
    ])
    const rest = await admin.sagas(on, { all: true, after: 'fulfilment-quick' })
    expect(rest.map(({ key }) => key)).toEqual(['slow'])
    const view = await admin.saga(on, 'fulfilment-slow', { limit: 1 })
    expect(view.timers).toMatchObject([{ kind: 'timeout', name: 'payment', attempt: 1 }])
    expect(view).toMatchObject({ version: 2, messages: [{ type: 'ChargePayment' }] })
    const { sagas, nextTimer } = await admin.status(on)
    expect(sagas).toMatchObject([{ saga: 'fulfilment', open: 1 }])
    expect(nextTimer).toBe(view.timers[0]?.due)
    await expect(admin.saga(on, 'fulfilment-slo')).rejects.toThrow('Did you mean fulfilment-slow?')
    await expect(admin.sagas(on, { saga: 'fullfilment' })).rejects.toThrow(
      'Did you mean fulfilment?',
    )
  })

  test('the log is paged by position, type, tag and stream, both ways', async () => {
    const { on, place, shop } = await startTroubled(make())
    await place('1', '2', '3')
    await shop.append({
      stream: 'order-1',
      events: OrderPlaced({ orderId: '1' }, { tags: ['late'] }),
    })
    const types = ['OrderPlaced']
    const first = await admin.events(on, { types, limit: 2 })
    expect(first.messages.map(({ stream }) => stream)).toEqual(['order-1', 'order-2'])
    const next = await admin.events(on, { types, after: first.through })
    expect(next.messages.map(({ stream }) => stream)).toEqual(['order-3', 'order-1'])
    const late = await admin.events(on, { tags: ['late'] })
    expect(late.messages).toMatchObject([{ stream: 'order-1', version: 2, data: { orderId: '1' } }])
    const stream = { stream: 'order-1' }
    const last = late.messages[0]!.position
    const versions = async (options: admin.EventsOptions) =>
      (await admin.events(on, { ...stream, ...options })).messages.map(({ version }) => version)
    expect(await versions({})).toEqual([1, 2])
    expect(await versions({ after: last - 1 })).toEqual([2])
    expect(await versions({ after: last })).toEqual([])
    expect(await versions({ backwards: true })).toEqual([2, 1])
    expect(await versions({ backwards: true, before: last })).toEqual([1])
    expect(await versions({ backwards: true, after: last - 1 })).toEqual([2])
    expect(await versions({ types: ['Other'] })).toEqual([])
    expect((await admin.message(on, String(last))).id).toBe(late.messages[0]!.id)
    await expect(admin.message(on, '999999')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(admin.stream(on, 'oder-1')).rejects.toThrow('Did you mean order-1?')
    const names = (await admin.streams(on, { prefix: 'order-', after: 'order-1' })).map(
      (one) => one.stream,
    )
    expect(names).toEqual(['order-2', 'order-3'])
  })
})

test('a message behind a long pause is behind, by the clock that is given', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thence-admin-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const connect = () => sqlite({ database: new DatabaseSync(join(folder, 'shop.db')) })
  const shop = await troubledShop(connect())
  await shop.send(PlaceOrder({ orderId: '1' }))
  await shop.whenIdle()
  await shop.stop()
  const database = connect()
  onTestFinished(() => database.close())
  const runtime = systemRuntime()
  await database.open(runtime)
  const { messages } = await admin.events({ database }, { types: ['OrderPlaced'] })
  await database.transact(({ checkpoints }) => checkpoints.restart('mailer', 0))
  const on = { database, runtime: { now: () => messages[0]!.time + 60_000 } }
  const mailer = (await admin.subscriptions(on)).find(({ name }) => name === 'mailer')
  expect(mailer).toMatchObject({ state: 'behind', behindMs: 60_000, position: 0 })
  const { attention } = await admin.status(on)
  expect(attention.map(({ name, what }) => `${name}: ${what}`)).toEqual([
    'app: No process runs; there wait: 1 subscription',
    `mailer: ${mailer?.behind} behind`,
  ])
})
