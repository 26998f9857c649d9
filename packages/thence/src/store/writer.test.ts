/** Tests of what a writer says it has appended, also when a part of it was rolled back. */
import { expect, test } from 'vitest'
import { memory } from '../adapters/memory/database.ts'
import { event } from '../message/define.ts'
import { Codec } from '../message/codec.ts'
import { Registry } from '../message/registry.ts'
import { plain } from '../message/schema.ts'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import { Tokens } from './token.ts'
import type { Commit } from './writer.ts'
import { Appendices, isUnbroken, Writer } from './writer.ts'

const at = (position: number, count: number) => ({ stream: 's', position, version: 1, count })
const typed = (...types: string[]) => types.map((type) => ({ type }))

const Rung = event('Rung', plain<number>())
const Heard = event('Heard', plain<number>())

/** Runs `work` in one transaction and gives what would be announced. */
const announced = async (
  work: (writer: Writer) => Promise<void>,
): Promise<{ commit: Commit | undefined; head: number }> => {
  const runtime = virtualRuntime()
  const registry = new Registry()
  for (const definition of [Rung, Heard]) registry.add(definition)
  const database = memory()
  await database.open(runtime)
  return database.transact(async (transaction) => {
    const writer = new Writer(
      transaction,
      { registry, codec: new Codec(registry, true), runtime, tokens: new Tokens('here') },
      undefined,
    )
    await work(writer)
    return { commit: writer.commit, head: await transaction.events.head() }
  })
}

const append = (writer: Writer, definition: typeof Rung | typeof Heard) =>
  writer.append({ stream: 'bells', messages: [definition(1), definition(2)] })

test('appendices tell from where to where, and of which types', () => {
  const appendices = new Appendices()
  expect(appendices.commit).toBeUndefined()
  appendices.add(at(7, 2), typed('A', 'B'))
  appendices.add(at(7, 0), [])
  appendices.add(at(8, 1), typed('A'))
  expect(appendices.commit).toEqual({
    from: 6,
    to: 8,
    types: new Map([
      ['A', 2],
      ['B', 1],
    ]),
  })
  expect(appendices.length).toBe(2)
})

test('appendices tell whether others stand between them, in whatever order they came', () => {
  const appendices = new Appendices()
  appendices.add(at(7, 2), typed('A', 'B'))
  expect(isUnbroken(appendices.commit!)).toBe(true)
  appendices.add(at(4, 1), typed('A'))
  expect(appendices.commit).toMatchObject({ from: 4, to: 7 })
  expect(isUnbroken(appendices.commit!)).toBe(false)
  appendices.add(at(5, 1), typed('C'))
  expect(isUnbroken(appendices.commit!)).toBe(true)
})

test('appendices forget what was undone, to the last and to the first', () => {
  const appendices = new Appendices()
  appendices.add(at(1, 1), typed('A'))
  const before = appendices.length
  appendices.add(at(3, 2), typed('B', 'C'))
  appendices.undo(before)
  expect(appendices.commit).toEqual({ from: 1, to: 1, types: new Map([['A', 1]]) })
  appendices.add(at(2, 1), typed('D'))
  expect(appendices.commit).toEqual({
    from: 1,
    to: 2,
    types: new Map([
      ['A', 1],
      ['D', 1],
    ]),
  })
  appendices.undo(0)
  expect(appendices.commit).toBeUndefined()
})

test('a writer announces nothing of a savepoint that was rolled back', async () => {
  const error = new Error('no')
  const { commit, head } = await announced(async (writer) => {
    const failed = writer.savepoint(async () => {
      await append(writer, Rung)
      throw error
    })
    await expect(failed).rejects.toBe(error)
  })
  expect([commit, head]).toEqual([undefined, 0])
})

test('a writer announces what stands before, beside and within, without a gap', async () => {
  const { commit, head } = await announced(async (writer) => {
    await writer.savepoint(async () => {
      await append(writer, Rung)
      const inner = writer.savepoint(async () => {
        await append(writer, Heard)
        throw new Error('no')
      })
      await expect(inner).rejects.toThrow('no')
      await append(writer, Rung)
    })
  })
  expect(commit).toEqual({ from: 1, to: 4, types: new Map([['Rung', 4]]) })
  expect(head).toBe(4)
})
