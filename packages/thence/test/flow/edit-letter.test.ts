// A message that failed is corrected: a new message, linked to the old one, for the subscription that failed and nobody else.
import { documents, event, handler, plain, projection, query } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Kind } from '../kit/places.ts'
import { all, kinds, run } from '../kit/places.ts'

const shape = z.object({ order: z.string(), amount: z.number().positive() })
const Paid = event('Paid', shape)
const Booked = event('Booked', shape)
const Total = query('Total', { input: plain<null>(), output: plain<number>() })

/** Books payments; refuses orders named `bad`. Another handler and a view take the same events. */
const ledger = async ({ make }: Kind) => {
  const place = make()
  const given: { id: string; order: string; metadata: unknown; position: number }[] = []
  const others: string[] = []
  const books = handler('books', Paid, {
    retry: { attempts: 1 },
    run: ({ id, data, metadata, position }, { append }) => {
      given.push({ id, order: data.order, metadata, position })
      if (data.order === 'bad') throw new Error('no such order')
      append('ledger', Booked(data))
    },
  })
  const totals = projection('totals', {
    view: documents<{ sum: number }>(),
    on: (on) =>
      on(Paid, ({ data }, view) =>
        view.update('all', (one) => ({ sum: (one?.sum ?? 0) + data.amount })),
      ),
    answers: (on) => on(Total, async (_, view) => (await view.get('all'))?.sum ?? 0),
  })
  const test_ = await run(place, (app) =>
    app
      .use(books, totals)
      .handle('others', Paid, ({ data }) => void others.push(data.order))
      .messages(Booked),
  )
  const on = { database: test_.app.database, runtime: place.runtime, actor: 'ann' }
  const pay = async (...orders: readonly string[]) => {
    const events = orders.map((order) =>
      Paid({ order, amount: 5 }, { metadata: { user: { tenant: 't' } } }),
    )
    await test_.app.append({ stream: 'payments', events })
    await test_.settle()
  }
  const letter = async () => admin.deadLetter(on, (await admin.deadLetters(on))[0]!.id)
  return { test: test_, on, pay, given, others, letter }
}

describe.each(kinds)('on $name', (kind) => {
  test('the correction goes to the subscription that failed, before what waited, and to nobody else', async () => {
    const { test: app, on, pay, given, others, letter } = await ledger(kind)
    await pay('bad', 'b')
    const before = await letter()
    const acted = await admin.edit(on, before.id, {
      data: { order: 'good', amount: 7 },
      reason: 'typo',
    })
    await app.advance('2s')
    expect(given.map(({ order }) => order)).toEqual(['bad', 'good', 'b'])
    const booked = await all(app.app.stream('ledger'))
    expect(booked.map(({ data }) => data)).toEqual([
      { order: 'good', amount: 7 },
      { order: 'b', amount: 5 },
    ])
    expect(others).toEqual(['bad', 'b'])
    expect(await app.app.ask(Total(null))).toBe(10)
    expect(await letter()).toMatchObject({
      id: before.id,
      state: 'resolved',
      edited: true,
      message: { id: before.message.id, data: { order: 'bad', amount: 5 } },
      editedMessage: { id: acted.messageId, data: { order: 'good', amount: 7 } },
    })
  })

  test('it is a new message that names the old one, and what follows has its cause in the log', async () => {
    const { test: app, on, pay, given, letter } = await ledger(kind)
    await pay('bad')
    const { message, id } = await letter()
    const { messageId } = await admin.edit(on, id, { data: { order: 'good', amount: 7 } })
    await app.advance('2s')
    expect(messageId).not.toBe(message.id)
    expect(given.at(-1)).toEqual({
      id: messageId,
      order: 'good',
      position: message.position,
      metadata: {
        correlationId: message.id,
        causationId: message.id,
        edits: message.id,
        user: { tenant: 't' },
      },
    })
    const [booked] = await all(app.app.stream('ledger'))
    expect(booked?.metadata).toEqual({
      correlationId: message.id,
      causationId: messageId,
      user: { tenant: 't' },
    })
    const { lines } = await admin.causes(on, booked!.id)
    expect(
      lines.map((line) => ('type' in line ? `${line.depth} ${line.type}` : line.line)),
    ).toEqual(['0 Paid', '1 $edited', '2 Booked'])
    expect((await admin.message(on, messageId)).data).toMatchObject({
      letter: id,
      subscription: 'books',
      type: 'Paid',
      data: { order: 'good', amount: 7 },
    })
  })

  test('data that does not fit is parked again with the reason, and can be corrected again', async () => {
    const { test: app, on, pay, given, letter } = await ledger(kind)
    await pay('bad')
    const { id } = await letter()
    await admin.edit(on, id, { data: { order: 'good', amount: -1 } })
    await app.advance('2s')
    const refused = await letter()
    expect(refused).toMatchObject({ id, state: 'parked', errorCode: 'MESSAGE_UNREADABLE' })
    expect(refused.errorMessage).toContain('amount')
    expect(refused.message.data).toEqual({ order: 'bad', amount: 5 })
    expect(given.map(({ order }) => order)).toEqual(['bad'])
    await admin.edit(on, id, { data: { order: 'good', amount: 1 } })
    await app.advance('2s')
    expect(await letter()).toMatchObject({ id, state: 'resolved' })
    expect(given.map(({ order }) => order)).toEqual(['bad', 'good'])
  })

  test('redriving it again sends what was corrected last', async () => {
    const { test: app, on, pay, given, letter } = await ledger(kind)
    await pay('bad')
    const { id } = await letter()
    const { messageId } = await admin.edit(on, id, { data: { order: 'bad', amount: 9 } })
    await app.advance('2s')
    expect(await letter()).toMatchObject({
      state: 'parked',
      edited: true,
      message: { data: { amount: 5 } },
    })
    await admin.redrive(on, id)
    await app.advance('2s')
    expect(given.map((one) => one.id).slice(1)).toEqual([messageId, messageId])
  })

  test('what cannot be stored, or does not fit the definition given, is refused and changes nothing', async () => {
    const { on, pay, letter } = await ledger(kind)
    await pay('bad')
    const { id } = await letter()
    const refused = (options: admin.EditOptions, code: string) =>
      expect(admin.edit(on, id, options)).rejects.toMatchObject({ code })
    await refused({ data: { order: '\u0000', amount: 1 } }, 'VALUE_NOT_STORABLE')
    await refused({ data: undefined }, 'VALUE_NOT_STORABLE')
    await refused({ data: { order: 'x', amount: -1 }, definition: Paid }, 'SCHEMA_INVALID')
    await refused({ data: { order: 'x', amount: 1 }, definition: Booked }, 'CONFIG_INVALID')
    await expect(admin.edit(on, 'nope', { data: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await letter()).toMatchObject({ state: 'parked', edited: false })
    expect(await admin.audit(on)).toEqual([])
    expect((await admin.streams(on, { prefix: '$edits' })).length).toBe(0)
  })

  test('the act is written down, and one that is not parked cannot be corrected', async () => {
    const { on, pay, letter } = await ledger(kind)
    await pay('bad')
    const { id } = await letter()
    const { messageId } = await admin.edit(on, id, {
      data: { order: 'x', amount: 1 },
      reason: 'typo',
    })
    await expect(admin.edit(on, id, { data: 1 })).rejects.toMatchObject({ code: 'STATE_INVALID' })
    expect(await admin.audit(on)).toMatchObject([
      {
        actor: 'ann',
        action: 'dead-letter.edit',
        target: id,
        reason: 'typo',
        details: { subscription: 'books', messageId },
      },
    ])
  })

  test('a view that halted goes on with the correction, and a rebuild reads the log again', async () => {
    const place = kind.make()
    const sums = projection('sums', {
      view: documents<{ sum: number }>(),
      retry: { attempts: 1 },
      on: (on) =>
        on(Paid, ({ data }, view) => {
          if (data.order === 'bad') throw new Error('no such order')
          return view.update('all', (one) => ({ sum: (one?.sum ?? 0) + data.amount }))
        }),
      answers: (on) => on(Total, async (_, view) => (await view.get('all'))?.sum ?? 0),
    })
    const app = await run(place, (builder) => builder.use(sums))
    const on = { database: app.app.database, runtime: place.runtime }
    const events = ['a', 'bad', 'b'].map((order) => Paid({ order, amount: 1 }))
    await app.app.append({ events })
    await app.settle()
    const [letter] = await admin.deadLetters(on)
    await admin.edit(on, letter!.id, { data: { order: 'good', amount: 10 } })
    await app.advance('2s')
    expect(await app.app.ask(Total(null))).toBe(12)
  })

  test('a message that is no longer in the log is given as its letter has kept it', async () => {
    const { test: app, on, pay, given, letter } = await ledger(kind)
    await pay('bad')
    const { id } = await letter()
    const trim = { through: 1, limit: 1 }
    await on.database.transact(({ events }) => events.trim('payments', trim))
    await admin.redrive(on, id)
    await app.advance('2s')
    expect(given.map(({ order }) => order)).toEqual(['bad', 'bad'])
    await admin.edit(on, id, { data: { order: 'good', amount: 1 } })
    await app.advance('2s')
    expect(given.map(({ order }) => order)).toEqual(['bad', 'bad', 'good'])
    expect(await letter()).toMatchObject({ state: 'resolved' })
  })
})
