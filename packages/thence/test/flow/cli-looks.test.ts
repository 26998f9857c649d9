// What the command shows of a store that a real app has written.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plain, thence } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { hostile, writeTroubledStore } from '../kit/troubled-store.ts'

const { file, cli, jsonOf, remove } = desk()

beforeAll(() => writeTroubledStore(file))

afterAll(remove)

describe('a person sees', patient, () => {
  test('the state of everything, what is stuck first', async () => {
    const { code, stdout, stderr } = await cli('status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(plain(stdout).replace(file, 'shop.db')).toMatchInlineSnapshot(`
      "shop.db · position 25 · SIZE · last fulfilment.finished WHEN

      NEEDS ATTENTION  WHAT  SINCE  NEXT
      app  No process runs; there wait: timers, 1 open saga  WHEN  Start the app; nothing is lost.
      mailer  1 parked, 1 behind them  WHEN  thence dead-letters list --subscription mailer
      totals  halted at position 8  WHEN  thence dead-letters list --subscription totals
      timers  a timer is overdue  WHEN  No process runs; start the app.

      SUBSCRIPTION  KIND  STATE  POSITION  BEHIND  OLDEST  DUE  PARKED  QUEUED
      fulfilment  saga  caught up  25  -  -  -  -  -
      mailer  handler  caught up  25  -  -  -  1  1
      order  aggregate  caught up  25  -  -  -  -  -
      paid  projection  inline  0  -  -  -  -  -
      payment  handler  caught up  25  -  -  -  -  -
      totals  projection  halted at 8  7  18  SPAN  -  1  -

      No process runs.

      retries  0 due, 1 queued
      dead letters  2 parked, 0 redriven, 0 resolved, 0 discarded
      sagas  fulfilment 1 open, the oldest began WHEN
      timers  next WHEN
      rows  inbox 0, documents 17, snapshots 0, dead letters 2, retries 3, timers 1, jobs 0, audit 0

      CATEGORY  MESSAGES  SIZE  STREAMS  REMOVED  UP TO
      fulfilment  14  SIZE  4  -  -
      order  5  SIZE  4  -  -
      mail  3  SIZE  3  -  -
      payment  3  SIZE  3  -  -"
    `)
  })

  test('one stream', async () => {
    const { stdout } = await cli('streams', 'show', 'fulfilment-1')
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "VERSION  POSITION  TIME  TYPE  ID  DATA
      1  2  TIME  fulfilment.started  UUID  {"id":"UUID","type":"Or…
      2  3  TIME  ChargePayment  UUID  {"orderId":"1"}
      3  5  TIME  fulfilment.stepDone  UUID  {"step":"payment","id":"019b76da-a800-7a6d-b9e3-6181f55…
      4  6  TIME  fulfilment.finished  UUID  {"outcome":"completed"}"
    `)
  })

  test('the streams that begin alike, and how to go on', async () => {
    const { stdout, stderr } = await cli('streams', 'list', 'order-', '-n', '2')
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "STREAM  VERSION  POSITION  LAST
      order-1  2  7  WHEN
      order-2  1  8  WHEN"
    `)
    expect(stderr).toBe(
      `There may be more: thence streams list order- --after order-2 --db ${file}\n`,
    )
  })

  test('a dead letter with its why', async () => {
    const [letter] = (await jsonOf('dead-letters', 'list')).deadLetters
    const list = await cli('dead-letters', 'list')
    expect(plain(list.stdout)).toMatchInlineSnapshot(`
      "ID  STATE  SUBSCRIPTION  KEY  MESSAGE  POSITION  PARKED  KIND  ERROR
      UUID  parked  mailer  order-1  OrderPlaced  1  WHEN  transient  Error: No mail for 1
      UUID  parked  totals  OrderPlaced  8  WHEN  bug  TypeError: Cannot add 2"
    `)
    const { stdout } = await cli('dead-letters', 'show', letter.id)
    const [before, stack] = stdout.split(/^ {4}at /m, 2)
    expect(plain(before!)).toMatchInlineSnapshot(`
      "dead letter UUID  parked
      subscription  mailer
      key  order-1
      parked  TIME (WHEN)
      kind  transient
      group  ede487fc88a2b771

      message
      OrderPlaced  event, schema version 1
      position  1
      id  UUID
      stream  order-1, version 1
      time  TIME (WHEN)
      correlation  UUID
      causation  UUID
      data
      {
        "orderId": "1"
      }

      attempts
      TIME  Error: No mail for 1

      error
      Error: No mail for 1"
    `)
    expect(stack).toContain('troubled-shop.ts')
  })

  test('an open saga', async () => {
    expect(plain((await cli('sagas', 'list')).stdout)).toMatchInlineSnapshot(`
      "INSTANCE  STATUS  AT  BEGAN  LAST
      fulfilment-3  running  payment doing  WHEN  WHEN"
    `)
    expect(plain((await cli('sagas', 'show', 'fulfilment-3')).stdout)).toMatchInlineSnapshot(`
      "fulfilment-3  running
      began  TIME (WHEN)
      last  TIME (WHEN)

      STEP  STATUS  ATTEMPT
      payment  doing  1

      TIMER  KIND  DUE
      payment  timeout  WHEN

      VERSION  POSITION  TIME  TYPE  ID  DATA
      1  16  TIME  fulfilment.started  UUID  {"id":"UUID","type":"Ord…
      2  17  TIME  ChargePayment  UUID  {"orderId":"3"}"
    `)
  })

  test('why a message is there', async () => {
    const { messages } = await jsonOf('streams', 'show', 'payment-1')
    const { stdout } = await cli('why', messages[0].id)
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "MESSAGE  STREAM  POSITION  TIME  ID
      OrderPlaced  order-1  1  WHEN  UUID
      │  parked in mailer: Error: No mail for 1  UUID
      ├─ fulfilment.started  fulfilment-1  2  WHEN  UUID
      └─ ChargePayment (command)  fulfilment-1  3  WHEN  UUID
         └─ PaymentCharged  ◀  payment-1  4  WHEN  UUID
            ├─ fulfilment.stepDone  fulfilment-1  5  WHEN  UUID
            └─ fulfilment.finished  fulfilment-1  6  WHEN  UUID"
    `)
  })

  test('what did not follow, and why', async () => {
    const { stdout } = await cli('why', '1')
    expect(plain(stdout)).toContain('parked in mailer: Error: No mail for 1  UUID\n')
    const letters = (await jsonOf('dead-letters', 'list')).deadLetters
    const [letter, halted] = letters
    const marksOf = async (which: string) =>
      (await jsonOf('why', which)).lines.find(({ asked }: { asked?: true }) => asked).marks
    const none = { letter: null, error: null }
    expect(await marksOf('1')).toEqual([
      {
        subscription: 'mailer',
        state: 'parked',
        letter: letter.id,
        error: 'Error: No mail for 1',
        behind: null,
      },
    ])
    expect(await marksOf(String(halted.position))).toMatchObject([
      { subscription: 'totals', state: 'parked', error: 'TypeError: Cannot add 2' },
    ])
    expect(plain((await cli('why', '7')).stdout)).toContain('waits in mailer behind position 1')
    expect(await marksOf('7')).toEqual([
      { subscription: 'mailer', state: 'queued', behind: 1, ...none },
    ])
  })

  test('the last messages of the log', async () => {
    const { stdout } = await cli('events', 'tail', '--type', 'OrderPlaced', '-n', '2')
    expect(stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(plain(stdout)).toContain('order-3')
  })

  test('the projections', async () => {
    expect(plain((await cli('projections', 'list')).stdout)).toMatchInlineSnapshot(`
      "SUBSCRIPTION  KIND  STATE  POSITION  BEHIND  OLDEST  DUE  PARKED  QUEUED
      paid  projection  inline  0  -  -  -  -  -
      totals  projection  halted at 8  7  18  SPAN  -  1  -"
    `)
  })
})

describe.concurrent('a program reads', patient, () => {
  test('status as one document', async () => {
    const status = await jsonOf('status')
    expect(Object.keys(status)).toEqual([
      'file',
      'bytes',
      'store',
      'now',
      'head',
      'last',
      'attention',
      'subscriptions',
      'processes',
      'retries',
      'deadLetters',
      'sagas',
      'jobs',
      'nextTimer',
      'sizes',
    ])
    expect(status).toMatchObject({ file, store: 'sqlite', deadLetters: { parked: 2 } })
  })

  test('the tail of the log line by line', async () => {
    const { stdout } = await cli('events', 'tail', '--json', '-n', '3')
    const messages = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(messages).toHaveLength(3)
    expect(Object.keys(messages[0])).toEqual([
      'position',
      'id',
      'kind',
      'type',
      'schemaVersion',
      'stream',
      'version',
      'time',
      'correlationId',
      'causationId',
      'tags',
      'metadata',
      'data',
    ])
    const later = await cli('events', 'tail', '--json', '--after', String(messages[0].position))
    expect(later.stdout.trimEnd().split('\n')).toHaveLength(2)
  })

  test('lists with where to go on', async () => {
    const first = await jsonOf('streams', 'list', '-n', '3')
    expect(first.next).toBe(first.streams[2].stream)
    const next = await jsonOf('streams', 'list', '--after', first.next)
    expect(next).toMatchObject({ next: null })
    expect((await jsonOf('sagas', 'list', '--all')).sagas).toHaveLength(4)
    expect((await jsonOf('subscriptions', 'list')).subscriptions).toHaveLength(6)
    expect((await jsonOf('projections', 'list')).projections).toMatchObject([
      { name: 'paid', state: 'inline' },
      { name: 'totals', state: 'halted' },
    ])
  })

  test('the store from the environment, and data without colour', async () => {
    const env = { THENCE_DB: file, FORCE_COLOR: '1' }
    const coloured = await thence(['status'], { env })
    expect(coloured.stdout).toContain('\u001b[')
    const plainly = await thence(['status', '--no-color'], { env })
    expect(plainly.stdout).not.toContain('\u001b[')
    const { stdout } = await thence(['status'], { env: { THENCE_DB: file } })
    expect(stdout).not.toContain('\u001b[')
  })
})

test('what a message says can neither move the cursor nor forge a line', patient, async () => {
  const { messages } = await jsonOf('streams', 'show', 'order-4')
  expect(messages[0].data.note).toBe(hostile)
  const outputs = await Promise.all([
    cli('streams', 'show', 'order-4'),
    cli('events', 'tail', '--stream', 'order-4'),
    cli('events', 'show', messages[0].id),
    cli('events', 'show', messages[0].id, '--json'),
    cli('why', messages[0].id),
    cli('sagas', 'show', 'fulfilment-4'),
  ])
  for (const { code, stdout } of outputs) {
    expect(code).toBe(0)
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(stdout).not.toMatch(/^FORGED/m)
  }
})
