// A network between a store and its server that goes silent: connections stay open, and nothing comes through any more.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Network {
  /** The URL of the server by way of this network. */
  readonly url: string
  /** From now on nothing passes, either way. */
  cut(): void
  /** Connections that are made from now on are sound. */
  mend(): void
  /** Passes nothing from the server to the client from now on; what the client sends arrives. */
  deafen(): void
}

export async function networkTo(server: string): Promise<Network> {
  const { hostname, port } = new URL(server)
  const sockets = new Set<Socket>()
  let passes = { up: true, down: true }
  const listener = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    const own = passes
    client.on('data', (data) => void (own.up && upstream.write(data)))
    upstream.on('data', (data) => void (own.down && client.write(data)))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => listener.close(resolve))
  })
  const url = new URL(server)
  url.port = String((listener.address() as AddressInfo).port)
  return {
    url: url.href,
    cut: () => Object.assign(passes, { up: false, down: false }),
    deafen: () => Object.assign(passes, { down: false }),
    mend: () => (passes = { up: true, down: true }),
  }
}
