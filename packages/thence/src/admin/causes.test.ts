import { memory } from 'thence/memory'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemRuntime } from '../app/system-runtime.ts'
import type { NewMessage } from '../ports/events.ts'
import type { Causes } from './causes.ts'
import { causes } from './causes.ts'

interface Said {
  readonly id: string
  readonly type?: string
  readonly by?: string
}

const encoded = ({ id, type = 'Said', by }: Said): NewMessage => ({
  id,
  kind: 'event',
  type,
  schemaVersion: 1,
  data: '{}',
  correlationId: id === 'root' ? null : 'root',
  causationId: by ?? null,
  metadata: null,
  tags: [],
  time: 1,
})

const why = async (said: readonly Said[], which: string): Promise<Causes> => {
  const database = memory()
  onTestFinished(() => database.close())
  await database.open(systemRuntime())
  await database.append(said.map((one) => ({ stream: 's', messages: [encoded(one)] })))
  return causes({ database }, which)
}

const told = ({ lines }: Causes): number =>
  lines.reduce((total, line) => total + (line.line === 'message' ? 1 : line.messages), 0)

const drawn = ({ lines }: Causes): readonly string[] =>
  lines.map((line) => {
    const space = '  '.repeat(line.depth)
    if (line.line === 'message') return `${space}${line.id}${line.asked ? ' *' : ''}`
    return line.line === 'group'
      ? `${space}${line.count} ${line.type} (${line.messages})`
      : `${space}… ${line.messages}`
  })

describe('causes', () => {
  test('tell the whole tree, whichever of its messages is asked for', async () => {
    const said = [
      { id: 'root' },
      { id: 'a', by: 'root' },
      { id: 'b', by: 'root' },
      { id: 'a1', by: 'a' },
      { id: 'b1', by: 'b' },
    ]
    expect(drawn(await why(said, 'b'))).toEqual(['root', '  a', '    a1', '  b *', '    b1'])
    expect(drawn(await why(said, '1'))[0]).toBe('root *')
  })

  test('make one line of thousands of siblings, but tell the one that was asked for', async () => {
    const many = Array.from({ length: 1240 }, (_, index) => ({
      id: `r${index}`,
      type: 'StockReserved',
      by: 'root',
    }))
    const said = [{ id: 'root' }, ...many, { id: 'after', by: 'r7', type: 'Told' }]
    expect(drawn(await why(said, 'root'))).toEqual(['root *', '  1240 StockReserved (1241)'])
    const found = await why(said, 'r7')
    expect(drawn(found)).toEqual(['root', '  1239 StockReserved (1239)', '  r7 *', '    after'])
    expect(told(found)).toBe(found.total)
  })

  test('cut a chain without end, and keep both ends of the way to what was asked for', async () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => ({
      id: `c${index}`,
      by: index === 0 ? 'root' : `c${index - 1}`,
    }))
    const said = [{ id: 'root' }, ...chain]
    const fromRoot = await why(said, 'root')
    expect(fromRoot.lines.length).toBeLessThan(40)
    expect(told(fromRoot)).toBe(20_001)
    const deep = await why(said, 'c15000')
    expect(told(deep)).toBe(20_001)
    const lines = drawn(deep).map((line) => line.trim())
    expect(lines.slice(0, 2)).toEqual(['root', 'c0'])
    expect(lines).toContain('c14999')
    expect(lines).toContain('c15000 *')
    expect(lines).toContain('c15001')
  })

  test('never run in circles, whatever the ids say', async () => {
    const said = [
      { id: 'root', by: 'b' },
      { id: 'a', by: 'b' },
      { id: 'b', by: 'a' },
      { id: 'self', by: 'self' },
      { id: 'orphan', by: 'nowhere' },
    ]
    expect(drawn(await why(said, 'b'))).toEqual(['root', 'a', '  b *', 'self', 'orphan'])
  })

  test('stay readable for a tree that is wide and deep, and count every message', async () => {
    const said: Said[] = [{ id: 'root' }]
    for (let index = 0; index < 3000; index += 1)
      said.push({ id: `n${index}`, type: `T${index % 7}`, by: said[index >> 2]!.id })
    const found = await why(said, 'n2')
    expect(found.lines.length).toBeLessThan(600)
    expect(told(found)).toBe(3001)
    expect(found.lines.some((line) => line.line === 'message' && line.asked)).toBe(true)
  })

  test('say that there is no such message', async () => {
    await expect(why([{ id: 'root' }], 'nope')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
