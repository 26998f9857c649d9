// Many dead letters on the command line: groups, a plan, a job and how it is watched; a correction, and a discard taken back.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'thence/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk } from '../kit/desk.ts'
import type { Trouble } from '../kit/troubled-shop.ts'
import { noTrouble, PlaceOrder, troubledShop } from '../kit/troubled-shop.ts'

const patient = { timeout: 120_000 }

/** A store in which the mails of so many orders are parked. */
const parked = async (orders: number) => {
  const { folder, file, cli, jsonOf, remove } = desk()
  onTestFinished(remove)
  const run = (trouble: Trouble) =>
    troubledShop(sqlite({ database: new DatabaseSync(file) }), trouble)
  const trouble = noTrouble()
  const ids = Array.from({ length: orders }, (_, index) => `${index + 1}`)
  for (const id of ids) trouble.mailer.add(id)
  {
    await using shop = await run(trouble)
    for (const orderId of ids) await shop.send(PlaceOrder({ orderId }))
    await shop.whenIdle()
  }
  const states = async () => (await jsonOf('status')).deadLetters
  return { folder, run, cli, jsonOf, states }
}

describe('many dead letters', patient, () => {
  test('are shown by how they failed, and a plan tells how many would go', async () => {
    const { cli, jsonOf, states } = await parked(3)
    expect(plain((await cli('dead-letters', 'groups')).stdout)).toMatchInlineSnapshot(`
      "GROUP  SUBSCRIPTION  LETTERS  FIRST  LAST  SAMPLE  KIND  ERROR
      ede487fc88a2b771  mailer  3  WHEN  WHEN  UUID  transient  Error: No mail for 3"
    `)
    const { groups } = await jsonOf('dead-letters', 'groups', '--subscription', 'mailer')
    const group = groups[0].fingerprint
    const dry = await cli('dead-letters', 'redrive', '--group', group, '--dry-run')
    expect(plain(dry.stdout)).toMatchInlineSnapshot(`
      "3 parked messages would be sent through again.

      ID  SUBSCRIPTION  KEY  MESSAGE  ERROR
      UUID  mailer  order-1  OrderPlaced  Error: No mail for 1
      UUID  mailer  order-2  OrderPlaced  Error: No mail for 2
      UUID  mailer  order-3  OrderPlaced  Error: No mail for 3"
    `)
    expect(
      await jsonOf('dead-letters', 'redrive', '--all', '--limit', '2', '--dry-run'),
    ).toMatchObject({ total: 2 })
    expect(await states()).toMatchObject({ parked: 3 })
    expect((await jsonOf('jobs', 'list')).jobs).toEqual([])
  })

  test('are redriven by a job in the running app, which is watched to its end', async () => {
    const { run, cli, jsonOf, states } = await parked(3)
    await using _shop = await run(noTrouble())
    const words = ['dead-letters', 'redrive', '--subscription', 'mailer', '--rate', '50/s', '--yes']
    const { code, stdout } = await cli(...words, '--watch', '--as', 'ann')
    expect({ code, stdout: plain(stdout) }).toEqual({
      code: 0,
      stdout: 'redrive job UUID is done: 3 of 3 went through.',
    })
    expect(await states()).toMatchObject({ parked: 0, resolved: 3 })
    const { jobs } = await jsonOf('jobs', 'list', '--kind', 'redrive')
    expect(jobs).toMatchObject([{ state: 'done', total: 3, ended: 3, actor: 'ann' }])
    expect(plain((await cli('jobs', 'list')).stdout)).toMatchInlineSnapshot(`
      "ID  KIND  STATE  BEGAN  BY  PROGRESS
      UUID  redrive  done  WHEN  ann  3 of 3 went through"
    `)
    expect(plain((await cli('jobs', 'show', jobs[0].id)).stdout)).toMatchInlineSnapshot(`
      "redrive job UUID is done: 3 of 3 went through.
      began  TIME (WHEN)
      by  ann
      moved  TIME (WHEN)
      asked  {"filter":{"subscription":"mailer"},"limit":null,"canary":true,"rate":50,"stopAfter":5,"stopShare":0.2,"inFlight":500,"until":TIME}"
    `)
  })

  test('that fail again stop the job, and the watch ends with an error', async () => {
    const { run, cli, states } = await parked(3)
    const trouble = noTrouble()
    trouble.mailer.add('1')
    await using _shop = await run(trouble)
    const { code, stdout, stderr } = await cli(
      'dead-letters',
      'redrive',
      '--all',
      '--yes',
      '--watch',
    )
    expect(code).toBe(1)
    expect(plain(stdout)).toContain('is stopped: 0 of 3 went through, 1 failed again.')
    expect(stdout).toContain('The one that went first failed again: Error: No mail for 1')
    expect(stderr).toContain('STATE_INVALID  The job stopped by itself.')
    expect(await states()).toMatchObject({ parked: 3 })
  })

  test('wait for an app if none runs; meanwhile the job can be paused and cancelled', async () => {
    const { cli, jsonOf } = await parked(2)
    const begun = await cli('dead-letters', 'redrive', '--all', '--yes')
    expect(plain(begun.stdout)).toBe(
      'redrive job UUID is waiting: 0 of 2 went through.\nIt waits: no app runs.',
    )
    expect(begun.stderr).toContain('else the next one at its start')
    const { jobs } = await jsonOf('jobs', 'list', '--state', 'running')
    const { id } = jobs[0]
    const watched = await cli('jobs', 'watch', id)
    expect(watched).toMatchObject({ code: 0 })
    expect(watched.stderr).toContain('No running app has taken it up')
    expect(plain((await cli('jobs', 'pause', id, '--reason', 'lunch')).stdout)).toContain(
      'is paused',
    )
    expect(await jsonOf('jobs', 'resume', id)).toMatchObject({
      state: 'waiting',
      waits: 'no app runs',
    })
    expect(await jsonOf('jobs', 'cancel', id)).toMatchObject({ state: 'cancelled' })
    expect(await cli('jobs', 'resume', id)).toMatchObject({ code: 1 })
    expect(await cli('jobs', 'show', 'nope')).toMatchObject({ code: 3 })
    const acts = (await jsonOf('audit', 'list', '--target', id)).entries
    expect(acts.map(({ action }: { action: string }) => action)).toEqual([
      'job.cancel',
      'job.resume',
      'job.pause',
      'job.start',
    ])
  })

  test('are only redriven if it is said which', async () => {
    const { cli, jsonOf, states } = await parked(2)
    const usage = { code: 2, stdout: '' }
    expect(await cli('dead-letters', 'redrive')).toMatchObject(usage)
    expect(await cli('dead-letters', 'redrive', '--all')).toMatchObject(usage)
    expect(await cli('dead-letters', 'redrive', 'x', '--all')).toMatchObject(usage)
    expect(await cli('dead-letters', 'redrive', '--all', '--rate', 'fast')).toMatchObject(usage)
    expect(await cli('dead-letters', 'redrive', '--since', 'once')).toMatchObject(usage)
    const both = await cli('dead-letters', 'redrive', '--all', '--id', 'x', '--yes')
    expect(both).toMatchObject({ ...usage, stderr: expect.stringContaining('--all and --id') })
    const none = await cli('dead-letters', 'redrive', '--until', '2h')
    expect(none).toMatchObject({ code: 3 })
    expect(none.stderr).toContain('No parked dead letter matches.')
    for (const verb of ['list', 'groups'])
      expect((await cli('dead-letters', verb, '--kind', 'permanent')).stdout).toBe('')
    expect(
      await jsonOf('dead-letters', 'redrive', '--kind', 'permanent', '--dry-run'),
    ).toMatchObject({ total: 0 })
    expect(
      await jsonOf('dead-letters', 'redrive', '--kind', 'transient', '--dry-run'),
    ).toMatchObject({ total: 2 })
    expect(await states()).toMatchObject({ parked: 2 })
  })
})

describe('giving many up', patient, () => {
  test('says how many there are, asks, gives them up with one note in the audit log', async () => {
    const { cli, jsonOf, states } = await parked(3)
    const discard = (...words: readonly string[]) => cli('dead-letters', 'discard', ...words)
    const usage = { code: 2, stdout: '' }
    const which = ['--kind', 'transient', '--subscription', 'mailer']
    expect(await discard('--reason', 'a test')).toMatchObject(usage)
    expect(await discard('x', ...which, '--reason', 'a test')).toMatchObject(usage)
    expect(await discard(...which, '--yes')).toMatchObject(usage)
    expect((await discard(...which, '--reason', 'a test')).stderr).toContain(
      'This gives 3 parked messages up. Say so with --yes.',
    )
    expect((await discard(...which, '--dry-run')).stdout).toContain(
      '3 parked messages would be discarded.',
    )
    expect(await states()).toMatchObject({ parked: 3 })
    expect(await discard('--kind', 'bug', '--reason', 'a test', '--yes')).toMatchObject({ code: 3 })
    const { code, stdout } = await discard(...which, '--reason', 'a test', '--yes', '--as', 'ann')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Discarded: 3 messages.\n' })
    expect(await states()).toMatchObject({ parked: 0, discarded: 3 })
    expect((await jsonOf('audit', 'list')).entries).toMatchObject([
      {
        actor: 'ann',
        action: 'dead-letter.discard-many',
        target: 'mailer',
        reason: 'a test',
        details: { total: 3, subscription: 'mailer', kind: 'transient' },
      },
    ])
  })
})

describe('one dead letter', patient, () => {
  test('is corrected, and the new message goes through', async () => {
    const { folder, run, cli, jsonOf } = await parked(1)
    const [{ id }] = (await jsonOf('dead-letters', 'list')).deadLetters
    const usage = { code: 2, stdout: '' }
    expect(await cli('dead-letters', 'edit', id)).toMatchObject(usage)
    expect(await cli('dead-letters', 'edit', id, '--data', '{')).toMatchObject(usage)
    expect(await cli('dead-letters', 'edit', id, '--file', 'none.json')).toMatchObject(usage)
    writeFileSync(join(folder, 'fixed.json'), '{ "orderId": "2" }')
    const edited = await cli('dead-letters', 'edit', id, '--file', 'fixed.json', '--reason', 'typo')
    expect(plain(edited.stdout)).toBe(
      'Edited: mailer, key order-1, position 1; the new message is UUID.',
    )
    expect(edited.stderr).toContain(`See what became of it: thence dead-letters show ${id}`)
    const trouble = noTrouble()
    trouble.mailer.add('1')
    await using shop = await run(trouble)
    await shop.whenIdle()
    const letter = await jsonOf('dead-letters', 'show', id)
    expect(letter).toMatchObject({
      state: 'resolved',
      edited: true,
      message: { data: { orderId: '1' } },
      editedMessage: { data: { orderId: '2' }, causationId: letter.message.id },
    })
    expect(plain((await cli('dead-letters', 'show', id)).stdout)).toContain('edited message')
  })

  test('is watched until it failed again, went through, or nobody takes it', async () => {
    const { run, cli, jsonOf } = await parked(1)
    const [{ id }] = (await jsonOf('dead-letters', 'list')).deadLetters
    const trouble = noTrouble()
    trouble.mailer.add('1')
    {
      await using _shop = await run(trouble)
      const wrong = await cli('dead-letters', 'edit', id, '--data', '{ "orderId": 7 }', '--watch')
      expect(wrong.code).toBe(1)
      expect(wrong.stdout).toMatch(/^Edited: mailer/)
      expect(wrong.stderr).toMatch(/^STATE_INVALID {2}It failed again, and is parked: .*orderId/)
      expect(wrong.stderr).toContain(`See: thence dead-letters show ${id}`)
      trouble.mailer.clear()
      const words = ['dead-letters', 'edit', id, '--data', '{ "orderId": "2" }', '--watch']
      expect(await cli(...words)).toMatchObject({ code: 0, stderr: 'It went through.\n' })
    }
    expect(await jsonOf('dead-letters', 'show', id)).toMatchObject({ state: 'resolved' })
    const later = await parked(1)
    const [letter] = (await later.jsonOf('dead-letters', 'list')).deadLetters
    expect(await later.cli('dead-letters', 'redrive', letter.id, '--watch')).toMatchObject({
      code: 0,
      stdout: 'Redriven: mailer, key order-1, position 1.\n',
      stderr: 'It waits: no app runs.\n',
    })
  })

  test('is discarded, restored, and goes through', async () => {
    const { run, cli, jsonOf } = await parked(1)
    const [{ id }] = (await jsonOf('dead-letters', 'list')).deadLetters
    await cli('dead-letters', 'discard', id, '--reason', 'a test')
    const { stdout, stderr } = await cli('dead-letters', 'restore', id)
    expect(stdout).toBe('Restored: mailer, key order-1, position 1.\n')
    expect(stderr).toContain('does not wait for it')
    expect(await cli('dead-letters', 'restore', id)).toMatchObject({ code: 1 })
    expect(await jsonOf('dead-letters', 'redrive', id)).toMatchObject({ redriven: 1, id })
    await using shop = await run(noTrouble())
    await shop.whenIdle()
    expect(await jsonOf('dead-letters', 'show', id)).toMatchObject({ state: 'resolved' })
  })
})
