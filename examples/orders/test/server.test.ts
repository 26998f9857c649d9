/** The shop on PostgreSQL, as its users start it: the same books as in a file, also after a second start. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Pool } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { booksOf, lastJson, run } from './child.ts'
import { temporaryPath } from './temporary.ts'

const orders = 24

/** Orders of two pieces; of every sixth one piece comes back. */
const invoices = (): string => {
  const path = temporaryPath('orders.csv')
  const lines = [
    'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
  ]
  const row = (invoice: string, pieces: number, index: number): void => {
    const code = String.fromCharCode(65 + (index % 5))
    const time = `2010-12-01 ${String(10 + Math.floor(index / 6))}:26:00`
    const customer = 17_850 + (index % 7)
    lines.push(`${invoice},${code},a ${code},${pieces},${time},1.25,${customer},France`)
  }
  for (let index = 0; index < orders; index += 1) {
    row(String(536_365 + index), 2, index)
    if (index % 6 === 5) row(`C${536_365 + index}`, -1, index)
  }
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

test('the books are those of a file, and a second start adds nothing', async () => {
  const server = new Pool({ connectionString: inject('postgres'), max: 1 })
  const schema = `x_${randomUUID().replaceAll('-', '')}`
  onTestFinished(async () => {
    await server.query(`DROP SCHEMA IF EXISTS ${schema}, ${schema}_views CASCADE`)
    await server.end()
  })
  const store = `${inject('postgres')}?schema=${schema}`
  const words = ['--orders', invoices(), '--seed', '4', '--json']
  const inFile = await run(...words, '--db', temporaryPath('shop.db'))
  expect(lastJson(inFile)).toMatchObject({ orders, cancellations: orders / 6, deadLetters: 0 })

  const onServer = await run(...words, '--store', store)
  expect(onServer).toMatchObject({ code: 0 })
  expect(booksOf(onServer)).toEqual(booksOf(inFile))
  expect(onServer.stdout + onServer.stderr).not.toContain(`:${new URL(store).password}@`)
  expect(onServer.stdout).toMatch(/-- status --store 'postgres:\/\/.*schema=x_/)

  const again = await run(...words, '--store', store)
  expect(booksOf(again)).toEqual(booksOf(inFile))
}, 60_000)
