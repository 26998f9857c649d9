/**
 * A short name for a text: the same text has the same name on every machine, and two texts hardly ever share one.
 */
import { createHash } from 'node:crypto'

/** 16 hexadecimal digits of the text's SHA-256. */
export const digest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16)
