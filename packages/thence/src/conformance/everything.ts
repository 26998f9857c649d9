/** Writes something through every port, and reads everything back: for cases about what moves together or not at all. */
import { strict as assert } from 'node:assert'
import type { Transaction } from '../ports/database.ts'
import { message } from './samples.ts'

/** Writes in all ports; different names give different rows, and change rows that all names share. */
export async function writeEverything(transaction: Transaction, name: string): Promise<void> {
  const verdict = await transaction.events.append({
    stream: 'shared',
    once: { consumer: 'once', id: name },
    messages: [message(`event of ${name}`, { tags: [name] })],
  })
  assert.equal(verdict.outcome, 'appended')
  await transaction.events.append({ stream: name, messages: [message(`other of ${name}`)] })
  await transaction.events.append({ stream: 'trimmed', messages: [message(`gone of ${name}`)] })
  await transaction.events.trim('trimmed', { through: 1000, limit: 1000 })
  await transaction.events.append({
    stream: `ended ${name}`,
    messages: [message(`end of ${name}`)],
  })
  await transaction.events.tombstone(`ended ${name}`)
  await transaction.sizes.measure(2)
  await writeProgress(transaction, name)
  await writeRest(transaction, name)
}

async function writeProgress(transaction: Transaction, name: string): Promise<void> {
  const { checkpoints, leases, retries, deadLetters } = transaction
  await leases.beat({ id: name, name, runs: [name] }, 1000)
  await leases.take(`lease of ${name}`, name)
  await checkpoints.claim(name, { partition: 1, epoch: 1 })
  const seen = (await checkpoints.load('shared')) ?? { position: 0, generation: 0 }
  assert.equal(await checkpoints.move('shared', seen, seen.position + 1), true)
  await checkpoints.restart(name, 5)
  await checkpoints.ask(name)
  const position = seen.position + 1
  const row = {
    subscription: 'shared',
    key: name,
    hash: 3,
    messageId: name,
    attempts: 0,
    due: 7,
    history: [],
  }
  await retries.put({ ...row, position, state: 'due' })
  await retries.put({ ...row, position: position + 100, state: 'queued' })
  await retries.settle({ subscription: 'shared', position, attempts: 0 }, 9)
  await deadLetters.add({
    id: `letter of ${name}`,
    subscription: 'shared',
    key: name,
    state: 'parked',
    message: { ...message(`event of ${name}`), stream: 'shared', version: 1, position },
    edited: null,
    fingerprint: 'f',
    kind: 'transient',
    replay: false,
    errorName: 'Error',
    errorCode: null,
    errorMessage: name,
    stack: '',
    attempts: [],
    time: 1,
    changed: 1,
    reason: null,
    job: null,
  })
  await deadLetters.trim(1e15, 1)
  await deadLetters.mark(`letter of ${name}`, { from: 'parked', to: 'redriven' })
}

async function writeRest(transaction: Transaction, name: string): Promise<void> {
  const { inbox, timers, snapshots, documents, audit, jobs } = transaction
  const outcome = { stream: name, version: 1, position: 1, count: 1 }
  assert.equal(await inbox.remember('consumer', name, { ...outcome, digest: name }), true)
  await inbox.trim(1, 1)
  await inbox.conclude('consumer', name, { ...outcome, result: JSON.stringify(name) })
  const timer = { owner: 'shared', due: 5, stream: name, message: message(`timer of ${name}`) }
  await timers.cancelAll('shared')
  await timers.set({ ...timer, id: name })
  await timers.set({ ...timer, id: 'shared', owner: name })
  const version = ((await snapshots.load('shared', 'tag'))?.version ?? 0) + 1
  await snapshots.save({ stream: 'shared', version, tag: 'tag', state: JSON.stringify(name) })
  await snapshots.save({ stream: name, version, tag: 'cleared', state: '{}' })
  await snapshots.clear(name)
  await documents.clear('cleared')
  await documents.put('cleared', name, '{}')
  await documents.put('documents', name, '{}')
  await documents.put('documents', 'shared', JSON.stringify(name))
  await documents.delete('documents', `not ${name}`)
  const entry = { actor: name, action: 'write', target: 'shared', details: '{}', reason: null }
  await audit.trim(1, 1)
  await audit.add({ ...entry, id: `late ${name}`, time: 1 })
  await audit.add({ ...entry, id: `early ${name}`, time: 0 })
  const job = {
    kind: 'k',
    spec: '{}',
    progress: '{}',
    total: null,
    next: 0,
    version: 1,
    actor: name,
  }
  const ended = { ...job, state: 'done', error: null, created: 1, updated: 1 } as const
  await jobs.trim(2, 1)
  await jobs.save({ ...ended, id: `job ${name}` }, 0)
  await jobs.save({ ...ended, id: `job ${name}`, updated: 2 }, 1)
  await jobs.save({ ...ended, id: `old ${name}` }, 0)
}

/** All that {@link writeEverything} may have written under `names`. */
export async function readEverything(
  transaction: Transaction,
  names: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const { events, inbox, snapshots } = transaction
  const limit = 1000
  const remembered: unknown[] = []
  const found: unknown[] = []
  for (const name of names) {
    remembered.push(await inbox.recall('once', name), await inbox.recall('consumer', name))
    found.push(
      await events.find({ id: `event of ${name}` }),
      await events.readStream(name, { limit }),
    )
    found.push((await events.readAll({ query: [{ tags: [name] }], limit })).messages)
  }
  return {
    log: (await events.readAll({ limit })).messages,
    head: await events.head(),
    streams: await events.streams({ limit }),
    truncated: await events.truncated(),
    sizes: (await transaction.sizes.read(limit)).categories,
    found,
    remembered,
    snapshot: await snapshots.load('shared', 'tag'),
    ...(await readTables(transaction)),
  }
}

async function readTables(transaction: Transaction): Promise<Record<string, unknown>> {
  const { checkpoints, leases, retries, deadLetters, timers, documents, audit, jobs } = transaction
  const limit = 1000
  return {
    checkpoints: await checkpoints.list(),
    leases: await leases.list(),
    members: await leases.members(),
    retries: await retries.take('shared', { now: 1000, limit }),
    summary: await retries.summary(),
    letters: await deadLetters.list({ limit }),
    counts: await deadLetters.counts(),
    timers: await timers.list({ limit }),
    cleared: await documents.list('cleared', { limit }),
    documents: await documents.list('documents', { limit }),
    audit: await audit.list({ limit }),
    jobs: await jobs.list({ limit }),
  }
}

/** Tries to change `value` and everything in it; what is frozen refuses. */
export function tamper(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const item of Object.values(value)) tamper(item)
  for (const key of Object.keys(value)) Reflect.set(value, key, 'tampered')
  if (Array.isArray(value) && !Object.isFrozen(value)) value.push('tampered')
}
