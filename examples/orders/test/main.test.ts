/** The command as people and programs use it: output, exit codes, mistakes, Ctrl-C, second starts. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { absent, SAMPLE, skipReason } from '../data/real-data.ts'
import { booksOf, lastJson, run, start } from './child.ts'
import { temporaryPath } from './temporary.ts'

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const line = '1,A,a,2,2010-12-01 08:26:00,1.255,17850,France'

const csv = (...lines: readonly string[]): string => {
  const path = temporaryPath('orders.csv')
  writeFileSync(path, `${[header, ...lines].join('\n')}\n`)
  return path
}

const slow = { timeout: 60_000 }

test('without any option it trades a made-up day and says what to try next', slow, async () => {
  const ended = await run()
  expect(ended).toMatchObject({ code: 0, signal: null })
  const lines = ended.stdout.trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(24)
  expect(ended.stdout).toContain('answers are simulated, seed 1')
  expect(ended.stdout).toMatch(/Orders +3,000: .* shipped, .* declined, .* out of stock, .* lost/)
  expect(ended.stdout).toMatch(/Try next:\n +npm run thence -- status --db .*orders\.db/)
  expect(ended.stderr).toMatch(/trading 100 %/)
})

test('with --json the last line is the summary as one object', slow, async () => {
  const db = temporaryPath('shop.db')
  const ended = await run('--orders', csv(line), '--once', '--db', db, '--seed', '3', '--json')
  expect(ended.code).toBe(0)
  expect(lastJson(ended)).toMatchObject({
    rows: 1,
    invoices: 1,
    orders: 1,
    cancellations: 0,
    badDebts: 0,
    stockAdjustments: 0,
    zeroPrice: 0,
    netMills: 2510,
    netMillsByMonth: { '2010-12': 2510 },
    netMillsByCountry: { France: 2510 },
    open: 0,
    shippedMills: 2510,
    deadLetters: 0,
    seed: 3,
    source: 'orders.csv',
    database: db,
    seconds: expect.any(Number) as number,
    messages: expect.any(Number) as number,
  })
})

test('--help prints the usage', slow, async () => {
  const ended = await run('--help')
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(ended.stdout).toContain('Usage: npm start')
})

test.each([
  ['--sed 1', 2, /^Unknown option '--sed'/],
  ['--seed x', 2, /give a whole number/],
  ['--live --once', 2, /do not go together/],
  ['--db /no/such/folder/x.db', 2, /Give a file in a folder that exists/],
  ['--orders /no/such/file.csv', 1, /there is no such file/],
] as const)('%s is a mistake: exit code %d and one clear line', slow, async (...row) => {
  const [words, code, says] = row
  const ended = await run(...words.split(' '))
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(says)
  expect(ended.stderr).not.toMatch(/^ +at /m)
})

test('a file of another kind is told in one line, before anything is kept', slow, async () => {
  const [orders, db] = [temporaryPath('letter.txt'), temporaryPath('shop.db')]
  writeFileSync(orders, 'Dear Sir or Madam\n')
  const ended = await run('--orders', orders, '--db', db)
  expect(ended).toMatchObject({ code: 1, stdout: '' })
  expect(ended.stderr).toMatch(/^.*letter\.txt, line 1: the header lacks .*\n$/)
  expect(existsSync(db)).toBe(false)
})

test('a --db that is no database is refused and left as it is', slow, async () => {
  const db = temporaryPath('letter.txt')
  writeFileSync(db, 'Dear Sir or Madam, '.repeat(100))
  const ended = await run('--orders', csv(line), '--db', db)
  expect(ended.code).toBe(1)
  expect(ended.stderr).not.toMatch(/^ +at /m)
  expect(readFileSync(db, 'utf8')).toBe('Dear Sir or Madam, '.repeat(100))
})

test('a history is not mixed with another file or another seed', slow, async () => {
  const db = temporaryPath('shop.db')
  const orders = csv(line)
  expect((await run('--orders', orders, '--db', db)).code).toBe(0)
  const seed = await run('--orders', orders, '--db', db, '--seed', '2')
  expect(seed).toMatchObject({ code: 2, stdout: '' })
  expect(seed.stderr).toContain('This history was begun with --seed 1.')
  const file = await run('--orders', csv(line, line.replace('1,A', '2,A')), '--db', db)
  expect(file.code).toBe(2)
  expect(file.stderr).toContain('This history trades orders.csv')
})

test('books that do not balance end with exit code 1 and say where', slow, async () => {
  const db = temporaryPath('shop.db')
  const orders = csv(line)
  expect((await run('--orders', orders, '--db', db)).code).toBe(0)
  const store = new DatabaseSync(db)
  const { changes } = store
    .prepare(
      "UPDATE thence_documents SET value = json_set(value, '$.chargedMills', 1) WHERE collection = 'till'",
    )
    .run()
  store.close()
  expect(changes).toBe(1)
  const ended = await run('--orders', orders, '--db', db, '--json')
  expect(ended.code).toBe(1)
  expect(ended.stderr).toContain(
    'The books do not balance: charged − refunded mills (till) = shipped mills (orders): 1, but should be 2510',
  )
  expect(lastJson(ended)).toMatchObject({ chargedMills: 1 })
})

test('a file that breaks off in the middle ends with exit code 1 and the line', slow, async () => {
  const db = temporaryPath('shop.db')
  const ended = await run('--orders', csv(line, '2,A,a,many,2010-12-01 08:27:00,1,,UK'), '--db', db)
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/orders\.csv, line 3: Quantity is "many"/)
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s closes a live shop with balanced books, and it can go on later',
  slow,
  async (signal) => {
    const db = temporaryPath('shop.db')
    const live = async (chunks: number) => {
      const shop = start('--live', '--db', db, '--json')
      let seen = 0
      shop.onError((text) => {
        if (text.endsWith('invoices traded') && ++seen === chunks) shop.process.kill(signal)
      })
      return shop.ended
    }
    const first = await live(3)
    expect(first).toMatchObject({ code: 0, signal: null })
    expect(lastJson(first)).toMatchObject({ open: 0, deadLetters: 0 })
    const traded = Number(lastJson(first)['invoices'])
    expect(traded).toBeGreaterThan(0)
    const second = await live(2)
    expect(second.code).toBe(0)
    expect(Number(lastJson(second)['invoices'])).toBeGreaterThan(traded)
  },
)

describe.skipIf(absent.length > 0)(`the sample of three days${skipReason}`, () => {
  test('a second start on a finished file changes nothing', slow, async () => {
    const words = ['--orders', SAMPLE, '--once', '--json', '--db', temporaryPath('shop.db')]
    const first = await run(...words)
    expect(first.code).toBe(0)
    const second = await run(...words)
    expect(second.code).toBe(0)
    expect(booksOf(second)).toEqual(booksOf(first))
    expect(second.stdout).toContain('nothing new')
  })

  test('in memory it comes to the same books', slow, async () => {
    const words = ['--orders', SAMPLE, '--once', '--json']
    const onFile = await run(...words, '--db', temporaryPath('shop.db'))
    const inMemory = await run(...words, '--memory')
    expect(inMemory.code).toBe(0)
    expect(booksOf(inMemory)).toEqual(booksOf(onFile))
  })
})
