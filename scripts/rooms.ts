// What the linter can't say about the rooms of packages/thence/src: that each has its rule in .oxlintrc.json, that none
// asks for the present time or for chance in a form oxlint doesn't see, and that a file opens by saying what it is.
// It reads text, comments and strings blanked; it doesn't try to understand the language.
import { globSync, readdirSync, readFileSync } from 'node:fs'

const source = 'packages/thence/src'
const clocks = /^(app\/system-runtime\.ts$|adapters\/|cli\/|conformance\/)/
const test = /\.test(-d)?\.ts$/

/** Each pattern with what to do instead. */
const refused: readonly (readonly [RegExp, string])[] = [
  [/\bnew Date(?!\s*\(\s*[^\s)])/g, 'the present time comes from ports/runtime.ts'],
  [/(?<!\bnew )\bDate\(/g, 'the present time comes from ports/runtime.ts'],
  [
    /\b(randomUUID|randomBytes|randomInt|getRandomValues|webcrypto)\b/g,
    'chance and ids come from ports/runtime.ts',
  ],
]

/** Blanks comments and strings and keeps every line where it was. */
export function code(text: string): string {
  const quiet = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replace(quiet, (found) => found.replace(/[^\n]/g, ' '))
}

/** The problems of one source file, `file` being its path inside packages/thence/src. */
export function problems(file: string, text: string): readonly string[] {
  const found: string[] = []
  if (!/^(#!.*\n)?\/[/*]/.test(text)) found.push('1: opens without a sentence that says what it is')
  if (clocks.test(file)) return found
  const bare = code(text)
  for (const [pattern, advice] of refused) {
    for (const { 0: match, index } of bare.matchAll(pattern)) {
      const line = bare.slice(0, index).split('\n').length
      found.push(`${line}: ${match.trim()}: ${advice}`)
    }
  }
  return found
}

/** The rooms that have no import rule of their own in the linter's configuration. */
export function unruled(rooms: readonly string[], configuration: string): readonly string[] {
  return rooms.filter((room) => !configuration.includes(`{ "files": ["${source}/${room}/**"],`))
}

function main(): void {
  const rooms = readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  const lines = unruled(rooms, readFileSync('.oxlintrc.json', 'utf8')).map(
    (room) => `${source}/${room}: no rule in .oxlintrc.json says what this room may import`,
  )
  const files = globSync('**/*.ts', { cwd: source }).filter((file) => !test.test(file))
  for (const file of files.sort()) {
    for (const problem of problems(file, readFileSync(`${source}/${file}`, 'utf8'))) {
      lines.push(`${source}/${file}:${problem}`)
    }
  }
  for (const line of lines) console.error(line)
  console.log(`rooms: ${rooms.length} rooms, ${files.length} files, ${lines.length} problems`)
  if (lines.length > 0) process.exitCode = 1
}

if (import.meta.main) main()
