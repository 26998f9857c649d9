// Refuses a regular expression as a value inside `toMatchObject`: vitest compares its properties, of which it has none, so it matches
// anything. `expect.stringMatching(/…/)` is what was meant. It reads text and walks over strings, comments and brackets.
import { globSync, readFileSync } from 'node:fs'

const skipped = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/y
const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y
const calls = /\.toMatchObject\(/g
/** After what a slash begins a regular expression that is a value. */
const before = /[([{,:]/
const isComment = (text: string): boolean => /^\/[/*]/.test(text)

const at = (pattern: RegExp, text: string, index: number): string | undefined => {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0]
}

/** Brackets that are open. */
const follow = (open: string[], taken: string): void => {
  if (/^[([{]$/.test(taken)) open.push(taken)
  else if (/^[)\]}]$/.test(taken)) open.pop()
}

/** Where regular expressions stand as values in the arguments that begin at `from`. */
function* values(text: string, from: number): Generator<number> {
  const open = ['(']
  let last = '('
  for (let index = from; index < text.length && open.length > 0;) {
    const quiet = at(skipped, text, index)
    const found = quiet === undefined && before.test(last) ? at(regex, text, index) : undefined
    if (found !== undefined && open.at(-1) !== '(') yield index
    const taken = quiet ?? found ?? text.charAt(index)
    follow(open, taken)
    if (!isComment(taken)) last = taken.trim().slice(-1) || last
    index += taken.length
  }
}

/** The problems of one test, as lines. */
export function problems(text: string): readonly string[] {
  return Array.from(text.matchAll(calls), ({ 0: call, index }) =>
    Array.from(values(text, index + call.length), (place) => {
      const line = text.slice(0, place).split('\n').length
      return `${line}: a regular expression in toMatchObject matches anything; use expect.stringMatching(/…/)`
    }),
  ).flat()
}

function main(): void {
  const files = globSync('{packages,examples,docs,scripts,bench}/**/*.ts', {
    exclude: (path) => path.includes('node_modules'),
  }).filter((file) => file !== 'scripts/patterns.test.ts')
  const lines = files
    .sort()
    .flatMap((file) => problems(readFileSync(file, 'utf8')).map((line) => `${file}:${line}`))
  for (const line of lines) console.error(line)
  console.log(`patterns: ${files.length} files, ${lines.length} problems`)
  if (lines.length > 0) process.exitCode = 1
}

if (import.meta.main) main()
