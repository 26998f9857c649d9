/**
 * Text from outside made safe to store and to print.
 */

const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** One line without control or format characters, at most `limit` characters. */
export function cleanText(text: string, limit: number): string {
  const line = text.toWellFormed().replace(unsafe, ' ')
  return line.length <= limit ? line : `${line.slice(0, limit - 1).toWellFormed()}…`
}

/** A word as one would type it in a shell. */
export const quoted = (text: string, limit = 4096): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${cleanText(text, limit).replaceAll("'", "'\\''")}'`

/** Any text without what a database cannot store: NUL and lone surrogates; lines are kept. */
export function storableText(text: string, limit: number): string {
  return text.slice(0, limit).toWellFormed().replaceAll('\u0000', '\ufffd')
}
