// `thence store copy`, as an operator runs it: what it tells, what it refuses, and that the new store is as good as the old one.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemRuntime } from 'thence'
import { sqlite } from 'thence/sqlite'
import { virtualRuntime } from 'thence/testing'
import { expect, onTestFinished, test } from 'vitest'
import { thence } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { postgresPlace } from '../kit/postgres.ts'
import { writeTroubledStore } from '../kit/troubled-store.ts'

const troubled = async () => {
  const at = desk()
  onTestFinished(at.remove)
  await writeTroubledStore(at.file)
  const place = postgresPlace(virtualRuntime())
  onTestFinished(() => place.dispose())
  return { ...at, place, name: place.url.replace(/:[^:/@]+@/, '@') }
}

test('a file moves to PostgreSQL, and both say the same', patient, async () => {
  const { file, cli, jsonOf, place, name } = await troubled()
  const { code, stdout, stderr } = await cli('store', 'copy', '--to', place.url)
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      `${name} is the same as ${file}, row by row.\n` +
      `Start the apps on the new store, and none on the old one: ${file}.\n`,
  })
  expect(stdout).toMatch(/^TABLE {2,}ROWS {2}CHECKSUM\nevents {2,}25 {2}[0-9a-f]{16}\n/)
  const moved = async (...args: readonly string[]) =>
    JSON.parse((await thence([...args, '--store', place.url, '--json'])).stdout) as object
  expect(await moved('streams', 'list')).toEqual(await jsonOf('streams', 'list'))
  expect(await moved('streams', 'show', 'payment-1')).toEqual(
    await jsonOf('streams', 'show', 'payment-1'),
  )
  expect(await moved('dead-letters', 'list')).toEqual(await jsonOf('dead-letters', 'list'))
  expect(await moved('sagas', 'list')).toEqual(await jsonOf('sagas', 'list'))
  expect(await moved('audit', 'list', '-n', '1')).toMatchObject({
    entries: [{ action: 'store.copy', details: { from: 'sqlite', to: 'postgres' } }],
  })
  const again = await cli('store', 'copy', '--to', place.url)
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toContain('STATE_INVALID  The target is the source, or a whole copy of it')
})

test('the URL says in which order the new store gives positions', patient, async () => {
  const { cli, place } = await troubled()
  const unknown = await cli('store', 'copy', '--to', `${place.url}&order=any`)
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('order=any') })
  const copied = await cli('store', 'copy', '--to', `${place.url}&order=concurrent`)
  expect(copied).toMatchObject({ code: 0 })
  const { stdout } = await thence(['doctor', '--store', place.url, '--json'])
  expect(stdout).toContain('concurrent; the log can be read to its end')
})

test('from PostgreSQL to a file that is not there, as JSON', patient, async () => {
  const { folder, jsonOf, place, name, file } = await troubled()
  await jsonOf('store', 'copy', '--to', place.url)
  const copy = join(folder, 'copy.db')
  const { code, stdout } = await thence([
    'store',
    'copy',
    '--store',
    place.url,
    '--to',
    copy,
    '--json',
  ])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    from: name,
    to: copy,
    identity: expect.any(String),
    tables: expect.arrayContaining([
      { table: 'events', rows: 25, checksum: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]),
    rebuilds: [],
  })
  const log = (path: string) => {
    using database = new DatabaseSync(path, { readOnly: true })
    return database.prepare('SELECT * FROM thence_events').all()
  }
  expect(log(copy)).toEqual(log(file))
})

test('what is in the way is told with the store that it is about', patient, async () => {
  const { folder, file, cli, place } = await troubled()
  const nowhere = await cli('store', 'copy', '--to', 'postgres://nobody@127.0.0.1:1/shop')
  expect(nowhere.code).toBe(5)
  expect(nowhere.stderr).toContain('postgres://nobody@127.0.0.1:1/shop: ')
  expect(nowhere.stderr).not.toContain(file)
  writeFileSync(join(folder, 'notes.txt'), 'not a store')
  const other = await cli('store', 'copy', '--to', join(folder, 'notes.txt'))
  expect(other).toMatchObject({ code: 5, stderr: expect.stringContaining('STORE_CORRUPT') })
  expect((await cli('store', 'copy')).code).toBe(2)

  const running = sqlite({ database: new DatabaseSync(file) })
  await running.open(systemRuntime())
  await running.transact(({ leases }) =>
    leases.beat({ id: 'm', name: 'shop-1:7', runs: [] }, 60_000),
  )
  const busy = await cli('store', 'copy', '--to', place.url)
  expect(busy).toMatchObject({ code: 5, stdout: '' })
  expect(busy.stderr).toContain('STORE_BUSY')
  expect(busy.stderr).toContain('shop-1:7')
  const early = await thence(['status', '--store', place.url])
  expect(early).toMatchObject({ code: 5, stderr: expect.stringContaining('STORE_INCOMPLETE') })
  const doctor = await thence(['doctor', '--store', place.url])
  expect(doctor.stdout).toMatch(/copy +error +the store is being filled from another/)
  expect(doctor.code).toBe(1)
  await running.transact(({ leases }) => leases.leave('m'))
  await running.close()
  expect(await cli('store', 'copy', '--to', place.url)).toMatchObject({ code: 0 })
  expect((await thence(['doctor', '--store', place.url])).stdout).not.toContain('filled')
})
