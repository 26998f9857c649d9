// What is told when the server cannot be reached or does not let in who asks: what is wrong, what to do, who said so, and
// whether trying again can help.
import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { Pool } from 'pg'
import { postgres } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { freePort } from '../kit/postgres-server.ts'

const name = `role_${randomUUID().replaceAll('-', '')}`
const server = new Pool({ connectionString: inject('postgres'), max: 1 })

beforeAll(async () => {
  await server.query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret'`)
  await server.query(`CREATE DATABASE ${name}`)
  await server.query(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`)
  await server.query(`CREATE ROLE ${name}_idle NOLOGIN PASSWORD 'secret'`)
})
afterAll(async () => {
  await server.query(`DROP DATABASE ${name}`)
  await server.query(`DROP ROLE ${name}`)
  await server.query(`DROP ROLE ${name}_idle`)
  await server.end()
})

/** What opening a store there fails with. */
const refusal = async (change: (url: URL) => void): Promise<unknown> => {
  const url = new URL(inject('postgres'))
  change(url)
  // `pg` leaves the server waiting for a password that it does not have.
  const socket = new Socket()
  const pool = new Pool({ connectionString: url.href, max: 1, stream: () => socket })
  const database = postgres({ pool })
  try {
    await database.open(virtualRuntime())
    return 'It was let in.'
  } catch (error) {
    return error
  } finally {
    await database.close()
    socket.destroy()
  }
}

const as = (url: URL, user: string, password: string): void => {
  url.username = user
  url.password = password
}

it.each<[string, RegExp, (url: URL) => void]>([
  [
    'a wrong password',
    /^The password is missing or wrong.* PGPASSWORD.* PostgreSQL says: password authentication failed/,
    (url) => as(url, name, 'wrong'),
  ],
  [
    'no password',
    /password.* (?:missing or wrong|none was given).* PGPASSWORD.* says: /,
    (url) => as(url, name, ''),
  ],
  [
    'a role that is not there',
    /the server has no such role.* PostgreSQL says: /,
    (url) => as(url, 'nobody_of_that_name', 'secret'),
  ],
  [
    'a role that may not log in',
    /^The server does not let this role in.* PostgreSQL says: .*not permitted to log in/,
    (url) => as(url, `${name}_idle`, 'secret'),
  ],
  [
    'a database that is not there',
    /^The server has no database of that name.*CREATE DATABASE.* PostgreSQL says: .*"nothing_here"/,
    (url) => void (url.pathname = 'nothing_here'),
  ],
  [
    'a role that may not connect',
    /^The role may not connect to this database.*GRANT CONNECT.* PostgreSQL says: permission denied/,
    (url) => {
      as(url, name, 'secret')
      url.pathname = name
    },
  ],
])('%s is refused for good, by the server', async (_, message, change) => {
  expect(await refusal(change)).toMatchObject({
    code: 'STORE_REFUSED',
    retryable: false,
    message: expect.stringMatching(message),
  })
})

it('a server without TLS of which TLS is asked', async () => {
  expect(await refusal((url) => url.searchParams.set('ssl', 'true'))).toMatchObject({
    code: 'STORE_REFUSED',
    message: expect.stringMatching(/^The server offers no TLS.* sslmode\. The driver says: /),
  })
})

it('a server that is not there is named by its place, and may come', async () => {
  const port = String(await freePort())
  const error = await refusal((url) => void (url.port = port))
  const message = `No server listens at 127.0.0.1:${port}. Is it running, and are host and port those of the server? The driver says: connect ECONNREFUSED 127.0.0.1:${port}.`
  expect(error).toMatchObject({ code: 'STORE_FAILED', retryable: true, message })
})

it('a host that is not known is named', async () => {
  const error = await refusal((url) => void (url.hostname = 'database.invalid'))
  expect(error).toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringMatching(
      /host.* database\.invalid .*Check the host.*The driver says: getaddrinfo/,
    ),
  })
})
