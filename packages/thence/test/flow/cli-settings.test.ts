// Pausing a subscription and setting its failure policy on the command line.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { writeTroubledStore } from '../kit/troubled-store.ts'

const { file, cli, remove } = desk()

beforeAll(() => writeTroubledStore(file))

afterAll(remove)

test('a paused subscription says so, and status begins with it', patient, async () => {
  const words = ['subscriptions', 'pause', 'mailer', '--reason', 'server moves', '--as', 'ann']
  const { code, stdout, stderr } = await cli(...words)
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'mailer is paused by ann.\n' })
  expect(stderr).toContain('within a second')
  const status = plain((await cli('status')).stdout)
  expect(status).toContain(
    'mailer  paused by ann: server moves  WHEN  thence subscriptions resume mailer',
  )
  expect(status).toContain('mailer  handler  paused  25')
  const resumed = await cli('subscriptions', 'resume', 'mailer', '--json')
  expect(JSON.parse(resumed.stdout)).toEqual({
    subscription: 'mailer',
    paused: null,
    policy: null,
  })
  const again = { code: 0, stdout: 'mailer is not paused.\n', stderr: '' }
  expect(await cli('subscriptions', 'resume', 'mailer')).toEqual(again)
})

test('a policy is shown in a column of its own while one is set', patient, async () => {
  expect(plain((await cli('subscriptions', 'list')).stdout)).not.toContain('POLICY')
  const { stdout } = await cli('subscriptions', 'policy', 'payment', 'park-message')
  expect(stdout).toBe('A message of payment that fails for good: park-message.\n')
  const listed = plain((await cli('subscriptions', 'list')).stdout).split('\n')
  expect(listed[0]).toMatch(/QUEUED {2}PARTITIONS {2}POLICY$/)
  expect(listed.find((one) => one.startsWith('payment'))).toMatch(/ {2}park-message$/)
  expect(listed.find((one) => one.startsWith('mailer'))).toMatch(/ {2}-$/)
  await cli('subscriptions', 'policy', 'payment', 'default')
  expect(plain((await cli('subscriptions', 'list')).stdout)).not.toContain('POLICY')
})

test('what cannot be set is refused', patient, async () => {
  expect(await cli('subscriptions', 'policy', 'payment', 'later')).toMatchObject({ code: 2 })
  expect(await cli('subscriptions', 'pause', 'mailr')).toMatchObject({ code: 3 })
  expect(await cli('subscriptions', 'pause', 'paid')).toMatchObject({ code: 1 })
})

test('a type is given up by name, and what is not taken is refused', patient, async () => {
  const shown = JSON.parse((await cli('subscriptions', 'show', 'mailer', '--json')).stdout) as {
    readonly types: readonly string[]
  }
  const [type = ''] = shown.types
  expect(plain((await cli('subscriptions', 'show', 'mailer')).stdout)).toContain(type)
  const { code, stdout } = await cli('subscriptions', 'drop-type', 'mailer', type)
  expect({ code, stdout }).toEqual({ code: 0, stdout: `mailer may go on without ${type}.\n` })
  expect(await cli('subscriptions', 'drop-type', 'mailer', type)).toMatchObject({ code: 2 })
  expect(await cli('subscriptions', 'drop-type', 'mailr', type)).toMatchObject({ code: 3 })
  const audit = await cli('audit', 'list', '--json')
  expect(audit.stdout).toContain('subscription.drop-type')
})
