/** Tests of what is thrown for what the server says. */
import { expect, test } from 'vitest'
import { isOvertaken, isUnknown, storeError } from './errors.ts'

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

test.each([
  ['in English', { message: 'duplicate key value violates unique constraint "events_id_key"' }],
  [
    'in another language',
    { message: 'doppelter Schlüsselwert verletzt Unique-Constraint »events_id_key«' },
  ],
  ['of `pg`', { message: 'of its own', constraint: 'events_id_key' }],
  ['of `postgres`', { message: 'of its own', constraint_name: 'events_id_key' }],
  ['about what was done once', { message: 'of its own', constraint: 'inbox_pkey' }],
])(
  'that another was first with an id is known by what the server says %s',
  (_, { message, ...told }) => {
    const error = Object.assign(new Error(message), { code: '23505', ...told })
    expect(isOvertaken(error)).toBe(true)
    expect(storeError(error)).toMatchObject({ code: 'STORE_BUSY' })
  },
)

test.each([
  ['of another table', { message: 'violates "my_events_id_key"' }],
  [
    'of a table that the library names',
    { message: 'with "events_id_key" in it', constraint: 'orders_pkey' },
  ],
])('a key %s is nobody else’s id', (_, { message, ...told }) => {
  const error = Object.assign(new Error(message), { code: '23505', ...told })
  expect(isOvertaken(error)).toBe(false)
})

test('a server that has no room for more locks is told with what to raise', () => {
  const error = Object.assign(new Error('out of shared memory'), {
    code: '53200',
    severity: 'ERROR',
  })
  expect(storeError(error)).toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining('max_locks_per_transaction'),
  })
})
