/** Tests of what fingerprints see and what they do not. */
import { expect, test } from 'vitest'
import { describe as tell } from './describe.ts'
import { fingerprintOf, normalise, topFrame } from './fingerprint.ts'

test.each([
  ['order 17 not found', 'order 18 not found'],
  ['order-17 of ann@example.org', 'order-9 of bob@example.org'],
  ['no row 01a2073a-b8e3-75ef-bd8f-d20582576d8f', 'no row 01a2074f-ed0b-7308-a170-b8242ef4910e'],
  ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED 10.0.0.7:6000'],
  ["open '/var/data/a.txt'", "open '/home/ann/b.txt'"],
  ['GET https://a.example/x/1?y=2 failed', 'GET https://b.example/z failed'],
  ['C:\\data\\a.txt is locked', 'D:\\other\\b.txt is locked'],
  ['at 2026-01-02T03:04:05.678Z it was late', 'at 2027-11-12T13:14:15.000Z it was late'],
  ['two\n  lines 1', 'two lines 2'],
  ['order 1404 not found', 'order 14 not found'],
  ['order 099 not found', 'order 600 not found'],
  ['order A-404 not found', 'order A-503 not found'],
  ['waited 404ms', 'waited 503ms'],
])('%j and %j are the same failure', (one, other) => {
  expect(normalise(one)).toBe(normalise(other))
})

test.each([
  ['order 17 not found', 'customer 17 not found'],
  ["cannot read 'street' of undefined", "cannot read 'name' of undefined"],
  ['read and/or write', 'read or write'],
  ['service answers 404', 'service answers 503'],
  ['HTTP 429: slow down', 'HTTP 400: slow down'],
  ['status=404.', 'status=410.'],
])('%j and %j are two failures', (one, other) => {
  expect(normalise(one)).not.toBe(normalise(other))
})

test('what is left of a message is what a person reads in it', () => {
  expect(normalise('No mail for order-17 (ann@example.org): see /tmp/mail/17.log, line 3.')).toBe(
    'No mail for <id> (<id>): see <path> line <id>.',
  )
})

test('the frame is the function and the file, wherever they are', () => {
  const at = (line: string): string =>
    topFrame(`Error: no\n    at ${line}\n    at other (b.ts:1:1)`)
  expect(at('sendMail (file:///app/src/mail.ts:10:5)')).toBe('sendMail mail.ts')
  expect(at('sendMail (/srv/other/mail.ts:99:1)')).toBe('sendMail mail.ts')
  expect(at('async Mailer.send (C:\\app\\mail.ts:1:2)')).toBe('Mailer.send mail.ts')
  expect(at('/app/src/mail.ts:10:5')).toBe('mail.ts')
  expect(at('node:internal/fs:1:2')).toBe('other b.ts')
  expect(topFrame('')).toBe('')
  expect(topFrame('Error: no frames')).toBe('')
})

test('kinds tell failures apart that look the same', () => {
  const error = tell(Object.assign(new Error('no answer'), { stack: '' }))
  const kinds = ['transient', 'permanent', 'bug'] as const
  expect(new Set(kinds.map((kind) => fingerprintOf('mail', error, kind))).size).toBe(3)
})

test('subscription, name, code and frame tell failures apart, lines do not', () => {
  const error = (name: string, code?: string, stack = 'E\n    at f (a.ts:1:1)'): string => {
    const made = Object.assign(new Error('no'), { name, stack, ...(code && { code }) })
    return fingerprintOf('mail', tell(made), 'bug')
  }
  const all = [
    error('Error'),
    error('TypeError'),
    error('Error', 'E_FULL'),
    error('Error', undefined, 'E\n    at g (a.ts:1:1)'),
    fingerprintOf('ledger', tell(Object.assign(new Error('no'), { stack: '' })), 'bug'),
  ]
  expect(new Set(all).size).toBe(all.length)
  expect(error('Error', undefined, 'E\n    at f (a.ts:7:3)')).toBe(all[0])
  expect(all[0]).toMatch(/^[\da-f]{16}$/)
})

test('a long message full of almost-paths is looked at quickly', () => {
  const begin = performance.now()
  for (const text of ['/'.repeat(4000), 'a://'.repeat(1000), '@1'.repeat(2000), '.'.repeat(4000)])
    normalise(text)
  topFrame(`    at ${'('.repeat(4000)}\n    at ${' '.repeat(4000)}\n    at ${':1'.repeat(2000)}`)
  expect(performance.now() - begin).toBeLessThan(2000)
})
