/**
 * Rows of one store copied to another, table by table: what is there already is not copied again, and what came of it is
 * compared row by row.
 */
import { createHash } from 'node:crypto'
import { ThenceError } from '../errors.ts'
import type { CopiedRow, CopiedTable, CopiedValue, Copying, ReadRows } from '../ports/copying.ts'
import { copiedLog, copiedTables, copiedTags } from '../ports/copying.ts'

export interface CopyProgress {
  /** Rows are read and written, or read in both stores and compared. */
  readonly phase: 'copy' | 'verify'
  /** Rows that are done, of those of the phase. */
  readonly done: number
  readonly total: number
}

export interface Copies {
  readonly source: Copying
  readonly target: Copying
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A table that is the same in both stores. */
export interface CopiedContents {
  readonly table: string
  readonly rows: number
  /** SHA-256 of its rows in their order, each as JSON and a line feed; in hexadecimal digits. */
  readonly checksum: string
}

const limit = 2000
const maxBytes = 4 * 1024 * 1024

const page = (after: readonly CopiedValue[] | undefined): ReadRows =>
  after === undefined ? { limit, maxBytes } : { limit, maxBytes, after }

const keyOf = ({ key }: CopiedTable, row: CopiedRow | undefined): readonly CopiedValue[] =>
  (row ?? []).slice(0, key.length)

const stopIfAsked = ({ signal }: Copies): void => {
  if (signal?.aborted !== true) return
  throw new ThenceError(
    'ABORTED',
    'The copy was interrupted and the target is not whole. Copy again: it goes on where it was.',
    { cause: signal.reason },
  )
}

const quietly = (copies: Copies): Copies => ({ ...copies, onProgress: undefined })

/** Counts what is done of a phase. */
export class Count {
  readonly #copies: Copies
  readonly #phase: CopyProgress['phase']
  readonly #total: number
  #done = 0

  constructor(copies: Copies, phase: CopyProgress['phase'], total: number) {
    this.#copies = copies
    this.#phase = phase
    this.#total = total
  }

  add(rows: number): void {
    this.#done += rows
    // What was written meanwhile was not counted at the beginning.
    const total = Math.max(this.#total, this.#done)
    this.#copies.onProgress?.({ phase: this.#phase, done: this.#done, total })
  }
}

const countAll = async (copying: Copying, tables: readonly CopiedTable[]): Promise<number> => {
  let rows = 0
  for (const table of tables) rows += await copying.count(table)
  return rows
}

/** Copies the rows behind the last that the target has. */
async function copyTable(copies: Copies, table: CopiedTable, count: Count): Promise<void> {
  const { source, target } = copies
  let after = await target.lastKey(table)
  if (after !== undefined) count.add(await target.count(table))
  for (;;) {
    stopIfAsked(copies)
    const rows = await source.rows(table, { ...page(after), settled: true })
    if (rows.length > 0) await target.write(table, rows)
    count.add(rows.length)
    if (rows.length === 0 || table.key.length === 0) return
    after = keyOf(table, rows.at(-1))
  }
}

/** Counts what there is to copy. */
export const counting = async (copies: Copies): Promise<Count> =>
  new Count(copies, 'copy', await countAll(copies.source, [copiedLog, ...copiedTables]))

/** The log, as far as it goes now. */
export const copyLog = (copies: Copies, count: Count): Promise<void> =>
  copyTable(copies, copiedLog, count)

/** Everything, and what the last of those wrote to the log who ran while it was copied. */
export async function copyTables(copies: Copies, count: Count): Promise<void> {
  const quiet = quietly(copies)
  await copyTable(quiet, copiedLog, new Count(quiet, 'copy', 0))
  for (const table of copiedTables) await copyTable(copies, table, count)
}

/** A table as it was compared: `differs` is the key of the first row that is not the same. */
interface Compared extends CopiedContents {
  readonly differs: readonly CopiedValue[] | undefined
}

const lines = (rows: readonly CopiedRow[]): readonly string[] =>
  rows.map((row) => `${JSON.stringify(row)}\n`)

async function compare(copies: Copies, table: CopiedTable, count: Count): Promise<Compared> {
  const { source, target } = copies
  const hash = createHash('sha256')
  let rows = 0
  let after: readonly CopiedValue[] | undefined
  for (;;) {
    stopIfAsked(copies)
    const pages = await Promise.all([
      source.rows(table, page(after)),
      target.rows(table, page(after)),
    ])
    const [left, right] = [lines(pages[0]), lines(pages[1])]
    const first = Math.max(left.length, right.length)
    const index = Array.from({ length: first }, (_, at) => at).find((at) => left[at] !== right[at])
    for (const line of left) hash.update(line)
    rows += left.length
    count.add(left.length)
    const known = { table: table.name, rows }
    if (index !== undefined) {
      const row = pages[0][index] ?? pages[1][index]
      return { ...known, checksum: '', differs: keyOf(table, row) }
    }
    if (left.length === 0 || table.key.length === 0)
      return { ...known, checksum: hash.digest('hex'), differs: undefined }
    after = keyOf(table, pages[0].at(-1))
  }
}

const atKey = ({ key }: CopiedTable, differs: readonly CopiedValue[]): string =>
  key.map((name, index) => `${name} ${String(differs[index])}`).join(', ')

const logDiffers = (table: CopiedTable, differs: readonly CopiedValue[]): ThenceError =>
  new ThenceError(
    'STORE_CORRUPT',
    `The logs of both stores differ at ${atKey(table, differs)}: messages were removed from the source, or put into the ` +
      'target, since the copy was begun. Copy anew, to a target that is empty.',
    { details: { table: table.name, key: differs } },
  )

/** Behind the last message of the target the source has more: nothing is wrong with what was copied. */
async function goesOn(
  copies: Copies,
  last: readonly CopiedValue[] | undefined,
): Promise<ThenceError> {
  const open = await copies.source.openAppend?.()
  const position = Number(last?.[0] ?? 0)
  const text =
    open === undefined
      ? 'It was written to while it was copied. Stop whatever appends to it, then copy again: only what is new is copied.'
      : `There an append is open, by ${open.who}; its transaction is ${open.age} old. Let it end, or end it if it is lost: ` +
        `${open.end}. Then copy again: only what is new is copied.`
  return new ThenceError(
    'STORE_BUSY',
    `The log is copied up to position ${position}, but that of the source goes on. ${text}`,
    { details: { position, ...(open !== undefined && { open: open.who }) } },
  )
}

/** The first of both logs that is not the same: what is wrong with them, or that one of them has grown. */
async function whyDiffers(
  copies: Copies,
  table: CopiedTable,
  differs: readonly CopiedValue[],
): Promise<ThenceError> {
  const last = await copies.target.lastKey(copiedLog)
  const position = Number(differs[table.key.indexOf('position')])
  return position > Number(last?.[0] ?? 0) ? goesOn(copies, last) : logDiffers(table, differs)
}

const stillDiffers = (table: CopiedTable, differs: readonly CopiedValue[]): ThenceError =>
  new ThenceError(
    'STORE_BUSY',
    `The table ${table.name} differs at ${atKey(table, differs)}, though it was just copied: something writes to one of ` +
      'the stores. Stop it, then copy again.',
    { details: { table: table.name, key: differs } },
  )

/** The same rows in both; what differs, because it was copied before the source changed, is copied anew once. */
async function verified(copies: Copies, table: CopiedTable, count: Count): Promise<CopiedContents> {
  const { differs, ...contents } = await compare(copies, table, count)
  if (differs === undefined) return contents
  if (table === copiedLog || table === copiedTags) throw await whyDiffers(copies, table, differs)
  await copies.target.clear(table)
  const quiet = quietly(copies)
  await copyTable(quiet, table, new Count(quiet, 'copy', 0))
  const again = await compare(quiet, table, new Count(quiet, 'verify', 0))
  if (again.differs !== undefined) throw stillDiffers(table, again.differs)
  return { table: again.table, rows: again.rows, checksum: again.checksum }
}

/**
 * Compares all that was copied.
 * @throws STORE_CORRUPT, STORE_BUSY where it is not the same
 */
export async function verifyAll(copies: Copies): Promise<readonly CopiedContents[]> {
  const tables = [copiedLog, copiedTags, ...copiedTables]
  const count = new Count(copies, 'verify', await countAll(copies.source, tables))
  const contents: CopiedContents[] = []
  for (const table of tables) contents.push(await verified(copies, table, count))
  return contents
}
