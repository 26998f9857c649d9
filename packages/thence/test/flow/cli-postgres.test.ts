// The command on a store in PostgreSQL: what it shows, what it does, how it migrates, and that it never tells a password.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { virtualRuntime } from 'thence/testing'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Environment } from '../kit/command.ts'
import { plain, thence, watching } from '../kit/command.ts'
import { patient } from '../kit/desk.ts'
import { postgresPlace } from '../kit/postgres.ts'
import { CountOrders, MailSent, noTrouble, troubledShop } from '../kit/troubled-shop.ts'
import { writeTrouble } from '../kit/troubled-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'thence-cli-'))
const runtime = virtualRuntime()
const place = postgresPlace(runtime)
const { url } = place
/** As it is told to people. */
const name = url.replace(/:[^:/@]+@/, '@')

beforeAll(() => writeTrouble(place.connect(), runtime), 60_000)

afterAll(async () => {
  await place.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const cli = (...args: readonly string[]) => thence([...args, '--store', url], { cwd: folder })

const jsonOf = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await cli(...args, '--json')
  if (code !== 0 || stderr !== '') throw new Error(`It ended with ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

describe('a person sees', patient, () => {
  test('the state of everything', async () => {
    const { code, stdout, stderr } = await cli('status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const text = plain(stdout)
    expect(text.split('\n')[0]).toBe(`${name} · position 25 · SIZE · last fulfilment.finished WHEN`)
    expect(text).toContain('\nmailer  1 parked, 1 behind them  WHEN  thence dead-letters list')
    expect(text).toContain('\nfulfilment  14  SIZE  4  -  -\n')
    expect((await jsonOf('status')).bytes).toBeGreaterThan(100_000)
  })

  test('the log, a stream, and why a message is there', async () => {
    const { stdout } = await cli('events', 'tail', '-n', '3')
    expect(plain(stdout).split('\n')).toHaveLength(3)
    const { stderr } = await cli('streams', 'list', 'order-', '-n', '2')
    expect(stderr).toBe(
      `There may be more: thence streams list order- --after order-2 --store '${name}'\n`,
    )
    const { messages } = await jsonOf('streams', 'show', 'payment-1')
    expect(messages).toMatchObject([{ type: 'PaymentCharged', version: 1 }])
    expect((await cli('why', messages[0].id)).stdout).toContain('OrderPlaced')
    expect((await jsonOf('streams', 'list', 'order-')).streams).toHaveLength(4)
  })

  test('dead letters, sagas, subscriptions, sizes, retention and metrics', async () => {
    const { deadLetters } = await jsonOf('dead-letters', 'list')
    expect(deadLetters).toMatchObject([{ subscription: 'mailer' }, { subscription: 'totals' }])
    expect((await cli('dead-letters', 'show', deadLetters[0].id)).stdout).toContain('No mail for 1')
    expect((await jsonOf('sagas', 'list')).sagas).toHaveLength(1)
    expect((await jsonOf('subscriptions', 'list')).subscriptions).toHaveLength(6)
    expect((await jsonOf('metrics')).sizes.categories).toHaveLength(4)
    expect(await cli('retention', 'show')).toMatchObject({ code: 0 })
    expect(await cli('audit', 'list')).toMatchObject({ code: 0 })
  })
})

test(
  'an operator redrives a letter and rebuilds a view beside a running app',
  patient,
  async () => {
    await using shop = await troubledShop(place.connect({ clock: 'database' }), noTrouble())
    const tail = watching(['events', 'tail', '--type', MailSent.type, '--follow', '--store', url])
    expect(await cli('dead-letters', 'redrive', '--all', '--yes', '--watch')).toMatchObject({
      code: 0,
    })
    await tail.line()
    expect((await tail.interrupt()).code).toBe(0)
    await shop.whenIdle()
    expect((await jsonOf('dead-letters', 'list')).deadLetters).toEqual([])
    expect(await cli('rebuild', 'totals')).toMatchObject({ code: 0 })
    expect(await shop.ask(CountOrders({}))).toEqual({ orders: 5 })
    const { entries } = await jsonOf('audit', 'list')
    expect(entries.map(({ action }: { action: string }) => action)).toContain('projection.switched')
  },
)

describe('migrate', patient, () => {
  const other = postgresPlace()
  afterAll(() => other.dispose())

  test('prints the SQL with the name of the schema and runs nothing, then makes a store', async () => {
    const on = (...args: readonly string[]) => thence([...args, '--store', other.url])
    expect((await on('status')).stderr).toContain(
      'There are no tables of Thence. If it is to become a store, run: thence migrate',
    )
    const dry = await on('migrate', '--dry-run')
    expect(dry.code).toBe(0)
    expect(dry.stdout).toContain('-- migration 1: tables')
    expect(dry.stdout).toContain(`CREATE TABLE "${other.schema}".events`)
    const pool = other.pool()
    onTestFinished(() => pool.end())
    const made = 'SELECT to_regnamespace($1) IS NOT NULL AS there'
    expect((await pool.query(made, [other.schema])).rows).toEqual([{ there: false }])
    // What is printed is what makes the tables, for those who run SQL by hand.
    await pool.query(`BEGIN; ${dry.stdout}; ROLLBACK`)
    const both = await Promise.all([on('migrate', '--json'), on('migrate', '--json')])
    const applied = both.map(({ code, stdout }) => [code, JSON.parse(stdout).applied.length])
    const all = JSON.parse((await on('migrate', '--json')).stdout).current
    expect(applied).toEqual(
      expect.arrayContaining([
        [0, 0],
        [0, all],
      ]),
    )
    expect(await on('status')).toMatchObject({ code: 0 })
    const roles = await on('migrate', '--roles', 'shop', '--reader', 'ops')
    expect(roles.stdout).toContain(
      `GRANT USAGE, CREATE ON SCHEMA "${other.schema}_views" TO "shop"`,
    )
    expect(roles.stdout).toContain(`GRANT USAGE ON SCHEMA "${other.schema}" TO "shop";`)
    expect(roles.stdout).toContain(
      `GRANT SELECT ON ALL TABLES IN SCHEMA "${other.schema}" TO "ops";`,
    )
    const doctor = await on('doctor', '--json')
    const { findings, attention } = JSON.parse(doctor.stdout)
    expect(findings[0]).toMatchObject({ check: 'schema', state: 'ok' })
    expect(doctor.code).toBe(attention > 0 ? 1 : 0)
  })
})

describe('a store that cannot be opened', patient, () => {
  const ask = (text: string, options?: Environment) => thence(['status', '--store', text], options)

  test('is told by its URL without the password', async () => {
    const wrong = new URL(url)
    wrong.port = '1'
    wrong.password = 'hunter2'
    const refused = await ask(wrong.href)
    expect(refused).toMatchObject({ code: 5, stdout: '' })
    expect(refused.stderr).toMatch(/^STORE_FAILED {2}postgres:\/\/thence@127\.0\.0\.1:1\/.*REFUSED/)
    expect(refused.stderr).not.toContain('hunter2')
    const debug = await ask(wrong.href, { env: { THENCE_DEBUG: '1' } })
    expect(debug.stderr).not.toContain('hunter2')
    const unreadable = await ask('postgres://me:hunter2@[half/x')
    expect(unreadable).toMatchObject({ code: 2 })
    expect(unreadable.stderr).not.toContain('hunter2')
  })

  test.each([
    [
      'shema=my_shop',
      /no parameter shema\. There are schema, views, order, and of pg: host, .*sslmode/,
    ],
    ['schema=shop&Order=concurrent', /no parameter Order\./],
    ['sslmode=disable&pasword=hunter2', /no parameter pasword\./],
  ])('is not sought with ?%s, which nobody knows', async (parameters, told) => {
    const refused = await ask(`${inject('postgres')}?${parameters}`)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(told)
    expect(refused.stderr).not.toContain('hunter2')
  })

  test('takes what is for pg', async () => {
    expect(await ask(`${url}&application_name=ops&connect_timeout=9`)).toMatchObject({ code: 0 })
  })

  test.each(['mysql://me:hunter2@x/y', 'file:///shop.db', 'sqlite://shop.db'])(
    'is not sought at %s',
    async (text) => {
      for (const option of ['--store', '--db']) {
        const { code, stderr } = await thence(['status', option, text], { cwd: folder })
        expect(code).toBe(2)
        expect(stderr).toMatch(
          /There is no store at (mysql|file|sqlite):\/\/\..* postgres:\/\/ or /,
        )
        expect(stderr).not.toContain('hunter2')
      }
    },
  )

  test('is named by the environment as well, but not twice', async () => {
    const env = { THENCE_STORE: url }
    expect(await thence(['status'], { env, cwd: folder })).toMatchObject({ code: 0 })
    const twice = await thence(['status', '--db', 'a', '--store', url])
    expect(twice).toMatchObject({ code: 2 })
    const file = await thence(['status', '--db', inject('postgres')])
    expect(file.stderr).toContain('--db takes a file')
  })

  test('needs pg, which is sought in the project where the command is run', async () => {
    const own = join(folder, 'node_modules', 'pg')
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'index.js'), "throw new Error('the driver of the project')")
    onTestFinished(() => rmSync(own, { recursive: true }))
    expect((await ask(url, { cwd: folder })).stderr).toContain('the driver of the project')
    const hidden = join(folder, 'hide.cjs')
    writeFileSync(
      hidden,
      `const module_ = require('node:module')
const find = module_._resolveFilename
module_._resolveFilename = function (name, ...rest) {
  if (name === 'pg') throw Object.assign(new Error('none'), { code: 'MODULE_NOT_FOUND' })
  return find.call(this, name, ...rest)
}`,
    )
    const env = { NODE_OPTIONS: `--require=${hidden}` }
    const missing = await ask(url, { env, cwd: folder })
    expect(missing.code).toBe(2)
    expect(missing.stderr).toMatch(/^CONFIG_INVALID {2}.*Run: npm install pg/)
  })
})
