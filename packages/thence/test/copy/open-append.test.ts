// A store of the order `concurrent` is copied while an append to it is open: what stands above that is left for the next call.
import { copyStore } from 'thence/admin'
import { virtualRuntime } from 'thence/testing'
import { expect, test } from 'vitest'
import { holdingOwn, open, place, request } from '../kit/open-append.ts'
import { leave } from './stores.ts'

test('the log is copied up to an open append, and later from there', async () => {
  const at = place()
  const source = await open(at)
  const target = await open(place(), {}, virtualRuntime({ seed: 2 }))
  await source.transact(({ leases }) => leases.beat({ id: 'm', name: 'shop-1', runs: [] }, 60_000))
  await source.append([request('a', 'first')])
  const held = await holdingOwn(at, source, request('b', 'second'))
  await source.append([request('c', 'third')])
  const copying = (): Promise<unknown> => copyStore({ database: source }, target)
  const ids = async (): Promise<readonly string[]> => {
    const page = await target.read(({ events }) => events.readAll({ limit: 10 }))
    return page.messages.map(({ id }) => id)
  }
  await expect(copying()).rejects.toMatchObject({ code: 'STORE_BUSY' })
  expect(await ids()).toEqual(['first'])
  await held.commit()
  await leave(source)
  await copying()
  expect(await ids()).toEqual(['first', 'second', 'third'])
})

test('what was committed above an append that is still open is not left out of a whole copy', async () => {
  const at = place()
  const source = await open(at)
  const target = await open(place(), {}, virtualRuntime({ seed: 2 }))
  const held = await holdingOwn(at, source, request('b', 'first'))
  await source.append([request('c', 'second')])
  const copying = (): Promise<unknown> => copyStore({ database: source }, target)
  const { rows } = await held.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  await expect(copying()).rejects.toMatchObject({
    code: 'STORE_BUSY',
    message: expect.stringMatching(
      new RegExp(`up to position 0, .* open, by .*${rows[0]?.pid}.*pg_terminate_backend`),
    ),
  })
  await expect(target.identity()).rejects.toMatchObject({ code: 'STORE_INCOMPLETE' })
  await held.undo()
  await copying()
  const { messages } = await target.read(({ events }) => events.readAll({ limit: 10 }))
  expect(messages).toMatchObject([{ id: 'second', position: 2 }])
})
