// Every command that an error, a hint or a line of status suggests exists and takes what it is given, as it is printed.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../../src/cli/program.ts'

const source = join(import.meta.dirname, '../../src')
/** What is filled in when it is told. */
const filled = 'NAME'

/** A source without comments, with text in one piece that is written in several, and a word for what is filled in. */
const textOf = (path: string): string =>
  readFileSync(join(source, path), 'utf8')
    .replace(/^\s*(?:\/\*|\*|\/\/).*$/gm, '')
    .replace(/['`]\s*\+\s*['`]/g, '')
    // One that stands right behind a word begins with its space.
    .replace(/(?<=\w)\$\{[^{}]*\}/g, ` ${filled}`)
    .replace(/\$\{[^{}]*\}/g, filled)

/** `thence …`, and what is given to `suggest`, which writes that before it. */
const command = /(?<![/\w])thence ([a-z][^`'";,()\\\n]*)|suggest\(\s*[`']([^`']+)/g

const suggested = globSync('**/*.ts', { cwd: source, exclude: ['**/*.test.ts', '**/*.test-d.ts'] })
  .toSorted()
  .flatMap((path) =>
    [...textOf(path).matchAll(command)].map(([, told, given]) => {
      const words = told?.replace(/\.( .*)?$/, '') ?? given ?? ''
      return [path, words.trim()] as const
    }),
  )
  // The only sentence that begins so and is no command.
  .filter(([, words]) => !words.startsWith('needs Node'))

type Command = ReturnType<typeof program>

const named = (command: Command, name: string) =>
  command.commands.find((one) => one.name() === name)

/** What is wrong with what comes after the verb. */
const wrongAfter = (verb: Command, given: readonly string[]): string | undefined => {
  const options = new Map(
    [...program().options, ...verb.options].flatMap((one) =>
      [one.long, one.short].map((name) => [name, one.required] as const),
    ),
  )
  let told = 0
  for (let index = 0; index < given.length; index += 1) {
    const word = given[index] ?? ''
    if (!word.startsWith('-')) told += 1
    else if (!options.has(word)) return `no option ${word}`
    else if (options.get(word) === true) index += 1
  }
  const places = verb.createHelp().visibleArguments(verb)
  const least = places.filter((one) => one.required).length
  if (told < least) return `${least} arguments are needed`
  return told > places.length ? 'too many arguments' : undefined
}

/** What is wrong with a command as it is printed; nothing if it can be run. */
const wrongWith = (words: string): string | undefined => {
  const [noun = '', ...rest] = words.split(/\s+/)
  const group = named(program(), noun)
  if (group === undefined) return `no noun ${noun}`
  if (group.commands.length === 0) return wrongAfter(group, rest)
  const [name = '', ...given] = rest
  // It is filled in: the verb is not known here.
  if (name === filled) return undefined
  const verb = named(group, name)
  return verb === undefined ? `no verb ${noun} ${name}` : wrongAfter(verb, given)
}

test('commands are suggested in many places', () => {
  expect(suggested.length).toBeGreaterThan(50)
})

test.each(suggested)('%s: thence %s', (_, words) => {
  expect(wrongWith(words)).toBeUndefined()
})

test('what does not exist would be found', () => {
  expect(wrongWith('rebild status NAME')).toBe('no noun rebild')
  expect(wrongWith('rebuild restart NAME')).toBe('no verb rebuild restart')
  expect(wrongWith('rebuild start NAME --anew')).toBe('no option --anew')
  expect(wrongWith('jobs show')).toBe('1 arguments are needed')
  expect(wrongWith('rebuild drop NAME NAME NAME')).toBe('too many arguments')
  expect(wrongWith('audit list --limit NAME')).toBeUndefined()
})
