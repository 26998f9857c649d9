/** Tests of how errors are written down. */
import { expect, test } from 'vitest'
import { describe } from './describe.ts'

const throwing = (error: Error, field: string): Error =>
  Object.defineProperty(error, field, {
    get: () => {
      throw new Error('Do not look.')
    },
  })

test('an error is told with its name, code, message, stack and cause', () => {
  const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 7 })
  const told = describe(error)
  expect(told).toMatchObject({ name: 'TypeError', code: '7', message: 'outer' })
  expect(told.stack).toContain('TypeError: outer')
  expect(told.stack).toContain('Caused by: Error: inner')
  expect(describe(Object.assign(new Error('x'), { code: {} })).code).toBeNull()
})

test('what is no error is told as a text', () => {
  const bare: unknown = Object.create(null)
  for (const [thrown, message] of [
    ['text', 'text'],
    [undefined, 'undefined'],
    [Symbol('x'), 'Symbol(x)'],
    [bare, '[object Object]'],
  ] as const)
    expect(describe(thrown)).toEqual({ name: 'thrown value', code: null, message, stack: '' })
})

test('fields that are no texts are told as well as can be', () => {
  const error = Object.assign(new Error('x', { cause: new Error('y') }), {
    name: Symbol('odd'),
    message: { why: 1 },
    stack: 7,
  })
  Object.assign(error.cause as Error, { stack: { at: 1 } })
  expect(describe(error)).toEqual({
    name: 'Symbol(odd)',
    code: null,
    message: '[object Object]',
    stack: '7\nCaused by: [object Object]',
  })
  const silent = Object.assign(new Error('x'), { stack: undefined })
  expect(describe(silent).stack).toBe('')
})

test('it never throws, whatever it looks at', () => {
  for (const field of ['name', 'message', 'stack', 'code', 'cause'])
    expect(describe(throwing(new Error('x'), field)).message, field).toEqual(expect.any(String))
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  expect(describe(proxy).name).toBe('thrown value')
})

test('nothing is longer than a row can bear, and all of it can be stored', () => {
  const long = `\u0000\ud800${'x'.repeat(100_000)}`
  const told = describe(Object.assign(new Error(long), { name: long, code: long, stack: long }))
  const texts = [told.name, told.code ?? '', told.message, told.stack]
  expect(texts.map((text) => text.length)).toEqual([256, 256, 4096, 8192])
  for (const text of texts)
    expect([text.isWellFormed(), text.includes('\0')]).toEqual([true, false])
})
