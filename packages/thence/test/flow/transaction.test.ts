// A user's own transaction: what it appends, sends and writes commits together or not at all.
import { describe, expect, it } from 'vitest'
import { all, kinds, look, sqlText } from '../kit/places.ts'
import type { Tested } from '../kit/sums.ts'
import { Add, Added, everything, Note, start, Sum, types } from '../kit/sums.ts'

const kept = (test: Tested): Promise<string | undefined> =>
  look(test)(({ documents: rows }) => rows.get('mine', 'row'))

describe.each(kinds)('a transaction on $name', ({ make }) => {
  it('commits all that it does, and what follows happens after it', async () => {
    const test = await start(make())
    const result = await test.app.transaction(everything)
    expect(result).toMatchObject({ value: 'done', position: 4, duplicate: false })
    expect(await test.app.ask(Sum(), { after: result.token })).toBe(6)
    await test.runtime.until(test.app.until(result.token, { handler: 'notes' }))
    expect(await types(test)).toEqual(['Added', 'Added', 'Added', 'Note', 'Noted'])
    expect(await kept(test)).toBe('{"kept":true}')
    await test.advance('1m')
    expect((await types(test)).slice(5)).toEqual(['Note', 'Noted'])
  })

  it('keeps nothing if its work throws, and wakes nobody', async () => {
    const test = await start(make())
    await test.settle()
    const error = new Error('after all')
    const thrown = test.app.transaction(async (tx) => {
      await everything(tx)
      throw error
    })
    await expect(thrown).rejects.toBe(error)
    const sync = test.app.transaction(() => {
      throw error
    })
    await expect(sync).rejects.toBe(error)
    await test.advance('1m')
    expect(await types(test)).toEqual([])
    expect(await test.app.ask(Sum())).toBe(0)
    expect(await kept(test)).toBeUndefined()
    expect(await look(test)(({ timers }) => timers.list({ limit: 9 }))).toEqual([])
  })

  it('sees what it has done, and nobody else does before the commit', async () => {
    const place = make()
    const test = await start(place)
    await test.app.send(Add({ n: 1 }))
    const seen: unknown[] = []
    const { value } = await test.app.transaction(async (tx) => {
      const own = await tx.send(Add({ n: 7 }))
      expect(own).toMatchObject({ stream: 'counter-one', version: 2, position: 2 })
      await tx.append({ stream: 'counter-one', events: Added({ n: 1 }), expected: 2 })
      await expect(tx.send(Add({ n: 2 }))).rejects.toMatchObject({ code: 'REJECTED' })
      for await (const { data, version } of tx.stream('counter-one')) seen.push([version, data])
      for await (const { version } of tx.stream('counter-one', { backwards: true, limit: 1 }))
        seen.push(version)
      await tx.documents.put('mine', 'row', '1')
      return tx.documents.get('mine', 'row')
    })
    expect(seen).toEqual([[1, { n: 1 }], [2, { n: 7 }], [3, { n: 1 }], 3])
    expect(value).toBe('1')
    expect(await test.app.ask(Sum())).toBe(9)
  })

  it('goes on when one of its calls was refused, which left nothing behind', async () => {
    const test = await start(make())
    await test.app.transaction(async (tx) => {
      const refused = async (call: Promise<unknown>, error: object): Promise<void> =>
        expect(call).rejects.toMatchObject(error)
      await tx.append({ stream: 's', events: Added({ n: 1 }) })
      await refused(tx.append({ stream: 's', events: Added({ n: 2 }), expected: 'none' }), {
        code: 'VERSION_CONFLICT',
      })
      await refused(tx.send(Add({ n: 11 })), { code: 'REJECTED' })
      // Its view refuses it after it was written.
      await refused(tx.append({ stream: 's', events: Added({ n: 13 }) }), {
        message: 'No thirteens.',
      })
      await refused(tx.append({ stream: '', events: Added({ n: 1 }) }), { code: 'NAME_INVALID' })
      await refused(tx.send(Added({ n: 1 }) as never), { code: 'CONFIG_INVALID' })
      await refused(tx.send(Note({ n: 1 }), { at: 'soon' }), { code: 'CONFIG_INVALID' })
      await tx.append({ stream: 's', events: Added({ n: 4 }), expected: 1 })
    })
    const log = await all(test.app.log())
    expect(log.map(({ data, version }) => [version, data])).toEqual([
      [1, { n: 1 }],
      [2, { n: 4 }],
    ])
    expect(await test.app.ask(Sum())).toBe(5)
  })

  it('does one thing after the other, so that what is refused takes nothing else along', async () => {
    const test = await start(make())
    await test.app.transaction(async (tx) => {
      const calls = await Promise.allSettled([
        tx.append({ stream: 's', events: Added({ n: 1 }) }),
        tx.append({ stream: 's', events: Added({ n: 13 }) }),
        tx.documents.put('mine', 'row', '2'),
        tx.send(Add({ n: 11 })),
        tx.append({ stream: 's', events: Added({ n: 2 }), expected: 1 }),
      ])
      expect(calls.map(({ status }) => status === 'fulfilled')).toEqual([
        true,
        false,
        true,
        false,
        true,
      ])
    })
    expect(await kept(test)).toBe('2')
    expect(await test.app.ask(Sum())).toBe(3)
  })

  it('decides a command with an id once, wherever it was sent before', async () => {
    const test = await start(make())
    const add = Add({ n: 2 }, { id: 'mine' })
    const { value: first } = await test.app.transaction((tx) => tx.send(add))
    expect(first).toMatchObject({ duplicate: false, version: 1 })
    const again = { ...first, duplicate: true }
    expect(await test.app.send(add)).toEqual(again)
    expect((await test.app.transaction((tx) => tx.send(add))).value).toEqual(again)
    const postponed = await test.app.transaction((tx) => tx.send(add, { in: '1s' }))
    expect(postponed.value).toMatchObject({ duplicate: true })
    const note = Note({ n: 1 }, { id: 'noted' })
    const { value: later } = await test.app.transaction((tx) => tx.send(note, { in: '1s' }))
    expect((await test.app.transaction((tx) => tx.send(note, { in: '1h' }))).value).toEqual({
      ...later,
      duplicate: true,
    })
  })

  it('wakes the clock for what it keeps for later', async () => {
    const test = await start(make())
    await test.settle()
    await test.app.transaction((tx) => tx.send(Note({ n: 1 }), { in: 30 }))
    await test.runtime.advance(35)
    expect(await types(test)).toContain('Note')
  })

  it('takes snapshots of what it decided, when that is committed', async () => {
    const test = await start(make())
    const snapshot = () => look(test)(({ snapshots }) => snapshots.load('counter-one', 'counter/1'))
    const undone = test.app.transaction(async (tx) => {
      for (let n = 0; n < 3; n += 1) await tx.send(Add({ n: 1 }))
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await test.settle()
    expect(await snapshot()).toBeUndefined()
    await test.app.transaction(async (tx) => {
      for (let n = 0; n < 3; n += 1) await tx.send(Add({ n: 1 }))
    })
    await test.settle()
    expect(await snapshot()).toMatchObject({ version: 2, state: '{"sum":2}' })
  })

  it('gives where it stands if it appends nothing', async () => {
    const test = await start(make())
    const { position } = await test.app.append({ events: Added({ n: 1 }) })
    const empty = await test.app.transaction((tx) => tx.send(Add({ n: 0 })))
    expect(empty).toMatchObject({ position, value: { events: [], version: 0 } })
    expect(await test.app.ask(Sum(), { after: empty.token })).toBe(1)
    expect(await test.app.transaction(() => undefined)).toMatchObject({ value: undefined })
  })
})

const withSql = kinds.filter(({ sql }) => sql)
const withoutSql = kinds.filter(({ sql }) => !sql)

it.each(withSql)(
  'a transaction writes rows of the user’s own, which a broken constraint does not undo, on $name',
  async ({ make }) => {
    const test = await start(make())
    await test.app.transaction(async ({ sql: rows }) => {
      await rows.run('CREATE TABLE mine (id TEXT PRIMARY KEY)')
    })
    const { value } = await test.app.transaction(async (tx) => {
      await tx.sql.run(sqlText('INSERT INTO mine VALUES (?1)'), 'a')
      await tx.append({ events: Added({ n: 1 }) })
      const again = tx.sql.run(sqlText('INSERT INTO mine VALUES (?1)'), 'a')
      await expect(again).rejects.toMatchObject({ code: 'SQL_FAILED' })
      return tx.sql.all('SELECT id FROM mine')
    })
    expect(value).toEqual([{ id: 'a' }])
    const undone = test.app.transaction(async (tx) => {
      await tx.sql.run(sqlText('INSERT INTO mine VALUES (?1)'), 'b')
      throw new Error('undo')
    })
    await expect(undone).rejects.toThrow('undo')
    const rows = await look(test)(({ sql: reading }) => reading.all('SELECT id FROM mine'))
    expect(rows).toEqual([{ id: 'a' }])
  },
)

it.each(withoutSql)(
  'a transaction has no SQL where the adapter has none, on $name',
  async ({ make }) => {
    const test = await start(make())
    const call = test.app.transaction((tx) => tx.sql.run('SELECT 1'))
    await expect(call).rejects.toMatchObject({ code: 'CAPABILITY_MISSING' })
  },
)
