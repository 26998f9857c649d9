// A server that ends a connection in the packet in which it greets it, as one does that is killed while others connect: that must not end the
// process, which nobody could catch.
import { createServer, type AddressInfo } from 'node:net'
import { Pool } from 'pg'
import { postgres } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'

/** A message of PostgreSQL's protocol. */
const packet = (kind: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.write(kind)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const authenticated = packet('R', Buffer.alloc(4))
const ready = packet('Z', Buffer.from('I'))
const ended = packet(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'),
)

/** Greets and ends whoever connects. */
const hasty = async (): Promise<number> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, ended])))
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

it('a connection that is ended as it begins is an error of whoever asked, no end of the process', async () => {
  const pool = new Pool({ host: '127.0.0.1', port: await hasty(), user: 'thence' })
  const database = postgres({ pool })
  onTestFinished(() => database.close())
  const opening = (async () => database.open(virtualRuntime()))()
  await expect(opening).rejects.toMatchObject({ code: 'STORE_FAILED' })
})
