/** The command line: what it means, and how it is refused. */
import { describe, expect, test } from 'vitest'
import { parseCommandLine, UsageError } from './args.ts'

describe('the command line', () => {
  test('without a word trades a generated day once', () => {
    expect(parseCommandLine([])).toEqual({
      seed: 1,
      once: true,
      json: false,
      live: false,
      memory: false,
      help: false,
    })
  })

  test('takes every option', () => {
    const words = ['--orders', 'o.csv.gz', '--once', '--db', 'shop.db', '--seed=7', '--json']
    expect(parseCommandLine(words)).toEqual({
      orders: 'o.csv.gz',
      db: 'shop.db',
      seed: 7,
      once: true,
      json: true,
      live: false,
      memory: false,
      help: false,
    })
    expect(parseCommandLine(['--live', '--memory'])).toMatchObject({ live: true, once: false })
    expect(parseCommandLine(['-h'])).toMatchObject({ help: true })
    const store = 'postgres://shop@localhost/shop?schema=orders'
    expect(parseCommandLine(['--store', store])).toMatchObject({ store })
  })

  test.for([
    [['--seed', 'x'], /--seed is "x": give a whole number from 0 to 4294967295/],
    [['--seed', '4294967296'], /--seed is "4294967296"/],
    [['--seed=-1'], /--seed is "-1"/],
    [['--seed', '1.5'], /--seed is "1.5"/],
    [['--order', 'x'], /Unknown option '--order'. Try --help/],
    [['orders.csv'], /Unexpected argument 'orders.csv'/],
    [['--orders'], /argument missing/],
    [['--orders='], /--orders is empty/],
    [['--db='], /--db is empty/],
    [['--json=yes'], /does not take an argument/],
    [['--once', '--live'], /--once and --live do not go together/],
    [['--live', '--orders', 'x'], /--live and --orders do not go together/],
    [['--memory', '--db', 'x'], /--memory and --db do not go together/],
    [['--store', 'shop.db'], /--store takes a URL/],
    [['--memory', '--store', 'postgres://h/d'], /--memory and --store do not go together/],
    [['--db', 'x', '--store', 'postgres://h/d'], /--db and --store do not go together/],
  ] as const)('%j is refused with exit code 2', ([words, message]) => {
    const attempt = (): unknown => parseCommandLine(words)
    expect(attempt).toThrow(UsageError)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ exitCode: 2 }))
  })
})
