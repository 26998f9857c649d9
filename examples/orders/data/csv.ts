/**
 * Streams the rows of an order file (CSV, gzipped or plain) in constant memory: the file is read
 * only as fast as the rows are taken. The first line that cannot be read exactly ends the stream
 * with a DataError; nothing is skipped.
 */
import { createReadStream } from 'node:fs'
import type { ReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse'
import type { Parser } from 'csv-parse'
import { DataError } from './data-error.ts'
import { rowParser } from './row.ts'
import type { Row } from './row.ts'

export interface RowFile {
  readonly path: string
  /** Size of the file on disk, so compressed when it is gzip. */
  readonly bytesTotal: number
  /** Bytes of the file read so far by the newest `rows()`, up to a few chunks ahead of its rows. */
  bytesRead(): number
  /** The rows in file order; each call reads from the start. Leaving the loop closes the file. */
  rows(): AsyncGenerator<Row, void, undefined>
}

/** Small, so that the bytes read stay close to the rows handed out. */
const CHUNK_BYTES = 16 * 1024
/** A quote that is never closed would otherwise collect the rest of the file in memory. */
const MAX_ROW_BYTES = 64 * 1024

/** Looks at the file (gzip is told by its content, not its name); throws `file-unreadable`. */
export async function openRows(path: string): Promise<RowFile> {
  const { bytesTotal, gzip } = await inspect(path)
  let file: ReadStream | undefined
  return {
    path,
    bytesTotal,
    bytesRead: () => file?.bytesRead ?? 0,
    async *rows() {
      file = createReadStream(path, { highWaterMark: CHUNK_BYTES })
      yield* typedRows(parserOf(file, gzip), path)
    },
  }
}

async function inspect(path: string): Promise<{ bytesTotal: number; gzip: boolean }> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const { size } = await file.stat()
    const { buffer } = await file.read(new Uint8Array(2), 0, 2, 0)
    return { bytesTotal: size, gzip: buffer[0] === 0x1f && buffer[1] === 0x8b }
  } catch (cause) {
    throw asDataError(cause, path)
  } finally {
    await file?.close()
  }
}

function parserOf(file: ReadStream, gzip: boolean): Parser {
  const parser = parse({
    bom: true,
    info: true,
    max_record_size: MAX_ROW_BYTES,
    skip_empty_lines: true,
  })
  // The callback is required; an error of any stage reaches the reader through the parser.
  const done = (): void => undefined
  if (gzip) pipeline(file, createGunzip(), parser, done)
  else pipeline(file, parser, done)
  return parser
}

interface ParsedRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

async function* typedRows(parser: Parser, path: string): AsyncGenerator<Row, void, undefined> {
  let toRow: ReturnType<typeof rowParser> | undefined
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
      if (toRow === undefined) toRow = rowParser(record, path)
      else yield toRow(record, info.lines)
    }
  } catch (cause) {
    throw asDataError(cause, path)
  }
  if (toRow === undefined) rowParser([], path)
}

/** What a failing stage of the stream means for the person who has the file. */
function asDataError(cause: unknown, path: string): unknown {
  if (cause instanceof CsvError) return malformed(cause, path)
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'Z_BUF_ERROR') {
    const message = 'the gzip data ends too early: the file is incomplete. Fetch it again.'
    return new DataError('file-truncated', message, { path, cause })
  }
  if (code.startsWith('Z_')) {
    const message = `the gzip data is damaged (${messageOf(cause)}). Fetch the file again.`
    return new DataError('file-corrupt', message, { path, cause })
  }
  if (code === 'ENOENT') {
    const message = 'there is no such file. Check the path, or leave out --orders.'
    return new DataError('file-unreadable', message, { path, cause })
  }
  if (/^E[A-Z]+$/.test(code)) {
    const message = `cannot read the file (${messageOf(cause)}). Give a CSV file, gzipped or not.`
    return new DataError('file-unreadable', message, { path, cause })
  }
  return cause
}

function malformed(cause: CsvError, path: string): DataError {
  const { lines } = cause
  const line = typeof lines === 'number' ? lines : undefined
  const problem = cause.message.replace(/ (on|at) line \d+/, '')
  const advice = 'Quote cells that contain commas or quotes, and double the quotes inside them.'
  return new DataError('malformed-row', `${problem}. ${advice}`, { path, line, cause })
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
