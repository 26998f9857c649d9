/** Faults of being told what others append. */
import type { Listener, Listening } from '../../src/ports/listening.ts'
import type { Fault } from './plant.ts'

const of = (
  name: string,
  replace: (listen: (listener: Listener) => Listening, listener: Listener) => Listening,
): Fault => ({
  name,
  database: (healthy) => ({
    listen: (listener) => replace((one) => healthy.listen!(one), listener),
  }),
})

export const listeningFaults: readonly Fault[] = [
  of('nobody hears of what is appended', (listen, listener) =>
    listen({
      ...listener,
      heard: (head) => {
        if (head === undefined) listener.heard()
      },
    }),
  ),
  of('whoever begins to listen is not told to look', (listen, listener) =>
    listen({
      ...listener,
      heard: (head) => {
        if (head !== undefined) listener.heard(head)
      },
    }),
  ),
  of('whoever begins to listen is told inside the call', (listen, listener) => {
    listener.heard()
    return listen(listener)
  }),
  of('a head is told that nobody can read', (listen, listener) =>
    listen({ ...listener, heard: (head) => listener.heard(head && head + 1) }),
  ),
  of('a stop stops nothing', (listen, listener) => {
    const { live } = listen(listener)
    return { live, stop: async () => undefined }
  }),
]
