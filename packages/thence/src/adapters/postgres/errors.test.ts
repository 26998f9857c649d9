/** Tests of what is thrown for what the server says. */
import { expect, test } from 'vitest'
import { isUnknown } from './errors.ts'

const said = (code: string, severity: string): Error =>
  Object.assign(new Error('no space left'), { code, severity })

test.each([
  ['a disk that is full for one statement', said('53100', 'ERROR'), false],
  [
    'a disk that is full for the log of the server, which breaks down',
    said('53100', 'PANIC'),
    true,
  ],
  ['a fault of the disk for one statement', said('58030', 'ERROR'), false],
  ['a fault of the disk that ends the session', said('58030', 'FATAL'), true],
  ['a deadlock', said('40P01', 'ERROR'), false],
  ['a session that waited too long in its transaction', said('25P03', 'FATAL'), false],
  ['a session that an operator ends', said('57P01', 'FATAL'), true],
  ['a connection that is cut', new Error('Connection terminated unexpectedly'), true],
])('%s: whether a commit that failed like that may have been done', (_, error, unknown) => {
  expect(isUnknown(error)).toBe(unknown)
})
