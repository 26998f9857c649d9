/**
 * A short name for a text: the same text has the same name on every machine, and two texts hardly ever share one.
 */
import { hash } from 'node:crypto'

/** 16 hexadecimal digits of the text's SHA-256. */
export const digest = (text: string): string => hash('sha256', text, 'hex').slice(0, 16)
