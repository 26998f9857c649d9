// What can be stored is read back identically; what cannot is refused at the door, with the path and the reason.
import * as fc from 'fast-check'
import { command, event, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { all, kinds, run } from '../kit/places.ts'

const Noted = event('Noted', plain<unknown>())
const Note = command('Note', plain<unknown>())

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
const circle: Record<string, unknown> = {}
circle['self'] = circle

class Money {
  readonly mills = 1
}

const hostile: readonly (readonly [string, unknown, string])[] = [
  ['NUL in a text', { a: 'x\u0000y' }, 'a'],
  ['NUL in a key', { 'a\u0000': 1 }, 'a\u0000'],
  ['a lone high surrogate', { a: 'x\ud800' }, 'a'],
  ['a lone low surrogate', { a: ['\udc00'] }, 'a.0'],
  ['a lone surrogate in a key', { '\ud800': 1 }, '\ud800'],
  ['NaN', { a: { b: Number.NaN } }, 'a.b'],
  ['infinity', { a: [1, Infinity] }, 'a.1'],
  ['minus infinity', [-Infinity], '0'],
  ['minus zero', { a: -0 }, 'a'],
  ['an integer beyond 2^53', { a: 2 ** 53 }, 'a'],
  ['an integer beyond -2^53', { a: -(2 ** 53) }, 'a'],
  ['a huge number', { a: 1e300 }, 'a'],
  ['a bigint', { a: 1n }, 'a'],
  ['a function', { a: () => 1 }, 'a'],
  ['a symbol', { a: Symbol('x') }, 'a'],
  ['undefined in an array', { a: [undefined] }, 'a.0'],
  // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
  ['a hole in an array', { a: [1, , 3] }, 'a.1'],
  ['nothing at all', undefined, ''],
  ['a date', { a: new Date(0) }, 'a'],
  ['a map', { a: new Map() }, 'a'],
  ['a set', { a: new Set([1]) }, 'a'],
  ['bytes', { a: new Uint8Array(2) }, 'a'],
  ['an instance of a class', { a: new Money() }, 'a'],
  ['an error', { a: new Error('x') }, 'a'],
  ['a boxed text', { a: Object('x') as unknown }, 'a'],
  ['a value with toJSON', { a: { toJSON: () => 1 } }, 'a.toJSON'],
  ['a key named __proto__', { a: JSON.parse('{"__proto__":1}') as unknown }, 'a'],
  ['too many levels', nested(70), Array(64).fill('0').join('.')],
  ['a circle', circle, Array(64).fill('self').join('.')],
  ['more than a mebibyte', { a: 'x'.repeat(1024 * 1024) }, ''],
]

const json = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 6 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)

/** Whether JSON carries it without loss; written apart from the code that is tested. */
const carried = (value: unknown): boolean => {
  const text = JSON.stringify(value)
  if (/\\u0000|\\ud[89a-f]|"__proto__":/.test(text)) return false
  const numbers = text.replace(/"(?:\\.|[^"\\])*"/g, '').match(/-?\d[\d.eE+-]*/g) ?? []
  return numbers.every((one) => !Number.isInteger(Number(one)) || Number.isSafeInteger(Number(one)))
}

describe.each(kinds)('a value on $name', ({ name, make }) => {
  it.each(hostile)(
    'with %s is refused as an event and as a command',
    async (...[, value, path]) => {
      const test = await run(make(), (app) =>
        app.messages(Noted).handle('ear', Note, () => undefined),
      )
      const refusal = { code: 'VALUE_NOT_STORABLE', details: { path } }
      await expect(test.app.append({ events: Noted(value) })).rejects.toMatchObject(refusal)
      await expect(test.app.send(Note(value))).rejects.toMatchObject(refusal)
      const inMetadata = Noted(1, { metadata: { user: { a: [value] as never } } })
      await expect(test.app.append({ events: inMetadata })).rejects.toMatchObject({
        code: 'VALUE_NOT_STORABLE',
      })
      expect(await all(test.app.log())).toEqual([])
      await test.app.append({ events: Noted('and life goes on') })
    },
  )

  it('that is refused in the middle of an append takes the whole append with it, and no other', async () => {
    const test = await run(make(), (app) => app.messages(Noted))
    const results = await Promise.allSettled([
      test.app.append({ events: Noted(1) }),
      test.app.append({ events: [Noted(2), Noted(Number.NaN), Noted(3)] }),
      test.app.append({ events: Noted(4) }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((await all(test.app.log())).map(({ data }) => data)).toEqual([1, 4])
  })

  it('of JSON is read back identically', async () => {
    const test = await run(make(), (app) => app.messages(Noted), { freeze: false })
    const lists = fc.array(json, { minLength: 1, maxLength: 9 })
    await fc.assert(
      fc.asyncProperty(lists, async (given) => {
        const events = given.map((one) => Noted(one))
        const result = await test.app.append({ stream: 'notes', events }).catch(String)
        fc.pre(typeof result !== 'string' || given.every(carried))
        if (typeof result === 'string') throw new Error(`refused: ${result}`)
        expect(result.events.map(({ data }) => data)).toStrictEqual(given)
        const from = result.version - given.length + 1
        const read = await all(test.app.stream('notes', { from }))
        expect(read.map(({ data }) => data)).toStrictEqual(given)
      }),
      { numRuns: name === 'memory' ? 300 : 100 },
    )
  })

  it.each([
    ['an emoji', '\u{1f600}'],
    ['a combining mark', 'e\u0301'],
    ['a bidirectional override', '\u202eabc'],
    ['a line separator', 'a\u2028b'],
    ['a quote and a backslash', `"'\\`],
    ['SQL', "'; DROP TABLE events; --"],
    ['the largest integer', Number.MAX_SAFE_INTEGER],
    ['the smallest number', Number.MIN_VALUE],
    ['a fraction', 0.1 + 0.2],
    ['an empty text', ''],
    ['an empty key', { '': { '': [] } }],
    ['a key like a method', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
    ['null', null],
    ['sixty-four levels', nested(63)],
  ])('with %s is kept', async (_, value) => {
    const test = await run(make(), (app) => app.messages(Noted))
    await test.app.append({ events: Noted(value) })
    expect((await all(test.app.log()))[0]?.data).toStrictEqual(value)
  })

  it('that is undefined in an object counts as absent', async () => {
    const test = await run(make(), (app) => app.messages(Noted))
    await test.app.append({ events: Noted({ a: undefined, b: 1 }) })
    expect((await all(test.app.log()))[0]?.data).toStrictEqual({ b: 1 })
  })
})
