// `thence torture`: the traps by name, Thence's own stores on a server, and a store that a module makes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { thence } from '../kit/command.ts'
import { patient } from '../kit/desk.ts'

const server = (): readonly string[] => ['--store', inject('postgres')]

const schemas = async (): Promise<readonly object[]> => {
  const client = new Client(inject('postgres'))
  await client.connect()
  const { rows } = await client.query(
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'torture_%'",
  )
  await client.end()
  return rows
}

test('names its traps', patient, async () => {
  const { code, stdout } = await thence(['torture', '--list', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout).traps).toContain('a commit is slow, and others append meanwhile')
})

test.each(['sequenced', 'concurrent'])(
  'Thence holds on a server in the order %s, and leaves nothing there',
  patient,
  async (order) => {
    const few = '--seed 3 --seeds 1 --writers 4 --subscribers 2 --appends 2 --no-color'.split(' ')
    const words = ['torture', ...server(), '--order', order, '--only', 'in', ...few]
    const { code, stdout, stderr } = await thence(words)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^held {8}interleaving of seed 3$/m)
    expect(stdout).toMatch(/0 broken, 0 stalled, \d+ not driven; interleavings from seed 3\n$/)
    expect(code).toBe(0)
    expect(await schemas()).toEqual([])
  },
)

const forgetful = `
let log = []
export const torture = async () => ({
  connect: async () => {
    let at = 0
    return {
      append: async ({ stream, ids }) => {
        log.push(...ids.map((id) => ({ id, stream })))
        if (log.length > 3) log.pop()
        return 'appended'
      },
      reader: () => ({ next: async (limit) => log.slice(at, (at += limit)) }),
      close: async () => undefined,
    }
  },
  dispose: () => void (log = []),
})
`

test('a store of a module that loses events is told of, with 1', patient, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thence-torture-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'store.mjs'), forgetful)
  const words = ['torture', 'store.mjs', '--only', 'on one stream', '--seeds', '0', '--json']
  const { code, stdout } = await thence(words, { cwd: folder })
  expect(JSON.parse(stdout)).toMatchObject({
    held: false,
    results: [{ outcome: 'broken', problems: [{ kind: 'lost' }] }],
  })
  expect(code).toBe(1)
})

test('what is no store to torture is told, with 2', patient, async () => {
  expect(await thence(['torture', '--db', 'shop.db'])).toMatchObject({ code: 2, stdout: '' })
  const { code, stderr } = await thence(['torture', '--seeds', 'many'])
  expect(code).toBe(2)
  expect(stderr).toContain('It must be a whole number from 0.')
})

test('what no trap is called is told, with the traps that there are and 2', patient, async () => {
  const { code, stdout, stderr } = await thence(['torture', ...server(), '--only', 'nosuch'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('has "nosuch" in its name')
  expect(stderr).toContain('\na commit is slow, and others append meanwhile\n')
})
