// A discard taken back, and letters of messages that nobody can read.
import { event } from 'thence'
import type { AnyDefinition } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { kinds, run } from '../kit/places.ts'
import { returned } from '../kit/post-office.ts'
import { adapters, startTroubled } from '../kit/troubled-run.ts'
import { noTrouble } from '../kit/troubled-shop.ts'

describe.each(kinds)('on $name', (kind) => {
  test('a letter that was discarded can be restored; its key has gone on and does not wait', async () => {
    const { on, test: app, post, letters, delivered, counts } = await returned(kind, 1)
    await post({ n: 2, to: 'house-1' })
    const [letter] = await letters()
    await admin.discard(on, letter!.id, 'moved')
    await app.advance('2s')
    expect(await delivered()).toEqual([2])
    expect(await admin.restore(on, letter!.id, { reason: 'found' })).toMatchObject({
      id: letter!.id,
      subscription: 'carrier',
    })
    expect(await counts()).toMatchObject({ parked: 1, discarded: 0 })
    await post({ n: 3, to: 'house-1' })
    expect(await delivered()).toEqual([2, 3])
    await admin.redrive(on, letter!.id)
    await app.advance('2s')
    expect(await delivered()).toEqual([2, 3, 1])
    expect(await counts()).toMatchObject({ parked: 0, resolved: 1 })
    const acts = (await admin.audit(on, { target: letter!.id })).map(({ action }) => action)
    expect(acts).toEqual(['dead-letter.redrive', 'dead-letter.restore', 'dead-letter.discard'])
  })

  test('only what was discarded can be restored', async () => {
    const { on, letters } = await returned(kind, 1)
    const [letter] = await letters()
    await expect(admin.restore(on, letter!.id)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(admin.restore(on, 'nope')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('what cannot be read lands there too, byte for byte, and goes through when a program can read it', async () => {
    const place = kind.make()
    const given: unknown[] = []
    const first = event('Noted', z.object({ old: z.string() }))
    const second = first.upcast(z.object({ n: z.number() }), ({ old }) => ({ n: Number(old) }))
    const third = second.upcast(z.object({ n: z.number(), x: z.number() }), ({ n }) => ({
      n,
      x: 0,
    }))
    const start = (definition: AnyDefinition) =>
      run(place, (app) => app.handle('reader', definition, ({ data }) => void given.push(data)))
    const app = await start(second)
    const texts = {
      broken: { schemaVersion: 2, data: '{"n": ' },
      newer: { schemaVersion: 3, data: '{"n":  7 , "x": 1e2}' },
      older: { schemaVersion: 1, data: '{"old": "seven"}' },
    }
    const metadata = '{"user": {"a":  1}}'
    const plainly = {
      kind: 'event',
      type: 'Noted',
      correlationId: null,
      causationId: null,
    } as const
    const requests = Object.entries(texts).map(([id, text]) => ({
      stream: id,
      messages: [{ id, ...plainly, ...text, metadata, tags: ['t'], time: 1 }],
    }))
    await app.app.database.append(requests)
    await app.settle()
    expect(given).toEqual([])
    const letters = await app.app.database.read(({ deadLetters }) => deadLetters.list({ limit: 9 }))
    const log = await app.app.database.read(({ events }) => events.readAll({ limit: 9 }))
    expect(letters.map(({ message }) => message)).toEqual(log.messages)
    expect(letters.map(({ message, errorCode, key }) => [message.data, errorCode, key])).toEqual([
      [texts.broken.data, 'MESSAGE_UNREADABLE', 'broken'],
      [texts.newer.data, 'MESSAGE_FROM_FUTURE', 'newer'],
      [texts.older.data, 'MESSAGE_UNREADABLE', 'older'],
    ])
    await app.stop()
    const newer = await start(third)
    const on = { database: newer.app.database, runtime: place.runtime }
    await admin.startRedrive(on, { canary: false })
    await newer.advance('5s')
    expect(given).toEqual([{ n: 7, x: 100 }])
    const [broken, , older] = letters
    await admin.edit(on, older!.id, { data: { old: '8' } })
    await admin.edit(on, broken!.id, { data: { n: 9, x: 9 }, definition: third })
    await newer.advance('5s')
    expect(given.slice(1)).toEqual(
      expect.arrayContaining([
        { n: 8, x: 0 },
        { n: 9, x: 9 },
      ]),
    )
    expect((await admin.status(on)).deadLetters).toMatchObject({ parked: 0, resolved: 3 })
  })
})

describe.each(adapters)('on %s', (_, make) => {
  test("a projection's letter cannot be restored: the view is to be rebuilt", async () => {
    const trouble = noTrouble()
    trouble.totals.add('1')
    const { on, place, parked } = await startTroubled(make(), trouble)
    await place('1')
    const [letter] = await parked('totals')
    await admin.discard(on, letter!.id, 'x')
    await expect(admin.restore(on, letter!.id)).rejects.toThrow('rebuild it')
  })
})
