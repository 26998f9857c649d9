/**
 * A file that messages are appended to, one JSON document per line, as `events tail --json` prints them. What was
 * written is on the disk before the store forgets it.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ThenceError } from '../errors.ts'
import type { MessageView } from '../message/view.ts'
import { json } from './text.ts'

const newline = 0x0a

/** A line that a power cut has torn stays one line, and its message comes again. */
const endsInside = (file: number): boolean => {
  const { size } = fstatSync(file)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== newline
}

/** A new file is only there after a power cut if its directory was written, too. */
const syncDirectory = (path: string): void => {
  const directory = openSync(dirname(resolve(path)), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

const unwritable = (path: string, cause: unknown): ThenceError => {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ThenceError(
    'CONFIG_INVALID',
    `--archive is ${resolve(path)}, which cannot be written to, so nothing was removed: ${why}. Give a file in a directory ` +
      'that is there and may be written to.',
    { cause },
  )
}

/** @throws CONFIG_INVALID if there is no such directory, or it may not be written to. */
const open = (path: string): number => {
  try {
    return openSync(path, 'a+')
  } catch (cause) {
    throw unwritable(path, cause)
  }
}

/** A file is made when the first message goes; whether it can be is known before. */
const mayOpen = (path: string): void => {
  if (existsSync(path)) return closeSync(open(path))
  try {
    accessSync(dirname(resolve(path)), constants.W_OK)
  } catch (cause) {
    throw unwritable(path, cause)
  }
}

export class ArchiveFile {
  readonly #path: string
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
    mayOpen(path)
  }

  /** Returns when everything is on the disk. */
  write(messages: readonly MessageView[]): void {
    const file = (this.#file ??= this.#begin())
    const text = Buffer.from(messages.map((message) => `${json(message)}\n`).join(''))
    for (let written = 0; written < text.length;) written += writeSync(file, text, written)
    fsyncSync(file)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }

  #begin(): number {
    const file = open(this.#path)
    if (process.platform !== 'win32') syncDirectory(this.#path)
    if (endsInside(file)) writeSync(file, '\n')
    return file
  }
}
