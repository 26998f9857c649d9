/** Tests of what is told when the server did not speak: `pg` and the network have words and codes of their own. */
import { expect, test } from 'vitest'
import { storeError } from './errors.ts'

const failed = (message: string, fields: object = {}): Error =>
  Object.assign(new Error(message), fields)
const away = (address: string, port?: number): Error =>
  failed(`connect ECONNREFUSED ${address}`, { code: 'ECONNREFUSED', address, port })

test.each([
  [
    'no password for a server that asks by SCRAM',
    failed('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
    {
      code: 'STORE_REFUSED',
      message: expect.stringMatching(
        /^The server asks for a password, and none was given\. Give it in PGPASSWORD.* The driver says: SASL/,
      ),
    },
  ],
  [
    'several addresses of one host',
    Object.assign(new AggregateError([away('::1', 5432), away('127.0.0.1', 5432)], ''), {
      code: 'ECONNREFUSED',
    }),
    {
      code: 'STORE_FAILED',
      message: expect.stringMatching(
        /^No server listens at \[::1\]:5432\. .* The driver says: connect ECONNREFUSED ::1; connect/,
      ),
    },
  ],
  [
    'a network without a way',
    failed('connect EHOSTUNREACH', { code: 'EHOSTUNREACH', address: '10.0.0.1', port: 5432 }),
    {
      code: 'STORE_FAILED',
      message: expect.stringMatching(
        /^The server cannot be reached at 10\.0\.0\.1:5432\. Check host and port.* The driver says: /,
      ),
    },
  ],
  [
    'a server that does not answer in time',
    failed('Connection terminated due to connection timeout'),
    {
      code: 'STORE_FAILED',
      message: expect.stringMatching(/^The server cannot be reached\. Check/),
    },
  ],
  [
    'a pool that is used up',
    failed('timeout exceeded when trying to connect'),
    {
      code: 'STORE_FAILED',
      message: expect.stringMatching(
        /^No connection came in time: all those of the pool are in use/,
      ),
    },
  ],
  [
    'a connection that is cut',
    failed('Connection terminated unexpectedly'),
    {
      code: 'STORE_FAILED',
      message: expect.stringMatching(
        /^The store failed\. The driver says: Connection terminated unexpectedly\.$/,
      ),
    },
  ],
  [
    'a right that is missing',
    failed('permission denied for table events', { code: '42501', routine: 'aclcheck_error' }),
    {
      code: 'STORE_REFUSED',
      message: expect.stringMatching(
        /^The role may not do this\. .* PostgreSQL says: permission denied for table events\.$/,
      ),
    },
  ],
])('%s is told with what to do and who said it', (_, error, told) => {
  expect(storeError(error)).toMatchObject({ ...told, cause: error })
})
