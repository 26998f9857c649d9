// Holds the reference pages to the code, in both directions where both can be listed: errors, doors, tests that show a
// promise, words, commands, links.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorTable } from 'thence'
import { describe, expect, test } from 'vitest'
import { tooOld } from '../packages/thence/src/cli/node-version.ts'
import { program } from '../packages/thence/src/cli/program.ts'
import { auditActions, systemActor } from '../packages/thence/src/store/audit.ts'
import { anchorsOf, commands, linksOf, pages, prose, read, root, rowsOf } from './blocks.ts'

const bare = (cell: string | undefined) => (cell ?? '').replaceAll('`', '')

test('the errors are the ones of the code: every code, no other, and what each says', () => {
  const told = rowsOf('docs/reference/errors.md').map(([code, retryable, summary]) => [
    bare(code),
    retryable === 'yes',
    summary,
  ])
  expect(told).toEqual(
    Object.entries(errorTable).map(([code, { retryable, summary }]) => [code, retryable, summary]),
  )
})

test('an error code that a page names exists', () => {
  const codes = new Set<string>(Object.keys(errorTable))
  const named = pages.flatMap((page) =>
    [...prose(page).matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code = '']) => ({ page, code })),
  )
  const others = new Set([
    'NODE_ENV',
    'THENCE_DB',
    'THENCE_STORE',
    'THENCE_POSTGRES_URL',
    'THENCE_POSTGRES_BIN',
    'THENCE_DEBUG',
    'NO_COLOR',
  ])
  const unknown = named.filter(({ code }) => !codes.has(code) && !others.has(code))
  expect(unknown.filter(({ code }) => !code.startsWith('SQLITE_'))).toEqual([])
})

test('the acts of the audit log are the ones of the code: every act, no other, each once', () => {
  const told = rowsOf('docs/operate/audit.md').flatMap(([cell = '']) =>
    [...cell.matchAll(/`([a-z-]+\.[a-z-]+)`/g)].map(([, action = '']) => action),
  )
  expect(told.toSorted()).toEqual([...auditActions].toSorted())
})

test('who acts by itself is told where the audit log is explained', () => {
  for (const page of ['docs/operate/audit.md', 'docs/reference/glossary.md'])
    expect(prose(page)).toContain(`\`${systemActor}\``)
})

test('the Node that is needed is told alike by pages, package and command', () => {
  const { engines } = JSON.parse(read('packages/thence/package.json')) as Engines
  const least = engines.node.replace('>=', '')
  const told = pages.flatMap((page) =>
    [...prose(page).matchAll(/Node (\d+\.\d+) or newer/g)].map(([, version]) => version),
  )
  expect(told.length).toBeGreaterThan(2)
  expect(new Set(told)).toEqual(new Set([least]))
  const [major = 0, minor = 0] = least.split('.').map(Number)
  expect(tooOld(`${major}.${minor}.0`)).toBeUndefined()
  expect(tooOld(`${major}.${minor - 1}.0`)).toContain(`Node ${least} or newer`)
})

test('README names the version and the tarball that the package has', () => {
  const { version } = JSON.parse(read('packages/thence/package.json')) as Engines
  expect(prose('README.md')).toContain(`Thence is at ${version}`)
  expect(prose('README.md')).toContain(`thence-${version}.tgz`)
})

interface Engines {
  readonly version: string
  readonly engines: { readonly node: string }
}

describe('a link', () => {
  const links = pages.flatMap((page) => linksOf(page).map((link) => ({ page, ...link })))

  test('leads to something that is there', () => {
    expect(links.filter(({ path }) => !existsSync(join(root, path)))).toEqual([])
  })

  test('leads to a heading that is there', () => {
    const headed = links.filter(({ path, anchor }) => anchor !== '' && path.endsWith('.md'))
    expect(headed.filter(({ path, anchor }) => !anchorsOf(path).includes(anchor))).toEqual([])
  })
})

test('every page is linked from another one', () => {
  const linked = new Set(pages.flatMap((page) => linksOf(page).map(({ path }) => path)))
  const alone = pages.filter((page) => page.startsWith('docs/') && !linked.has(page))
  expect(alone).toEqual([])
})

describe('the guarantees', () => {
  const page = 'docs/reference/guarantees.md'

  test('each name a test by its title, in a file that has it', () => {
    const shown = [...prose(page).matchAll(/\[([^\]]+)\]\(([^)]+\.ts)\)/g)]
    const missing = shown.filter(([, title = '', path = '']) => {
      const file = join(root, 'docs/reference', path)
      return !existsSync(file) || (title !== 'teeth' && !source(file).includes(title))
    })
    expect(missing.map(([all]) => all)).toEqual([])
    expect(shown.length).toBeGreaterThan(30)
  })

  test('none stands without a test', () => {
    const rows = rowsOf(page)
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.filter((row) => !/\]\([^)]+\.ts\)/.test(row[2] ?? ''))).toEqual([])
  })
})

/** A source without the quotes' escapes, so that a title can be found in it. */
const source = (file: string): string => readFileSync(file, 'utf8').replaceAll("\\'", "'")

/** `thence/sqlite` and so on, each with its source. */
const doors = new Map(
  Object.entries((JSON.parse(read('packages/thence/package.json')) as Package).exports)
    .filter((entry): entry is [string, Target] => typeof entry[1] === 'object' && entry[1] !== null)
    .map(([door, target]) => [door.replace('.', 'thence'), target['thence-source']]),
)

type Target = { readonly 'thence-source': string }
type Package = { readonly exports: Readonly<Record<string, Target | string | null>> }

test.each(['docs/reference/doors.md', 'packages/thence/README.md'])(
  'every door of the package, and no other, is told in %s',
  (page) => {
    const told = rowsOf(page).map(([door]) => bare(door))
    expect(told.toSorted()).toEqual([...doors.keys()].toSorted())
  },
)

test('every name that the table of doors gives is exported', async () => {
  for (const [door, names = ''] of rowsOf('docs/reference/doors.md')) {
    const target = doors.get(bare(door)) ?? ''
    const exported = Object.keys((await import(join(root, 'packages/thence', target))) as object)
    const given = [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
    expect(given.filter((name) => !exported.includes(name))).toEqual([])
  }
})

test('the glossary has the words that the library is made of, each once', () => {
  const words = anchorsOf('docs/reference/glossary.md')
  expect(words).toEqual([...new Set(words)])
  expect(words).toEqual(
    expect.arrayContaining(
      'message event command query stream version position aggregate append-condition projection subscription checkpoint handler saga step compensation inbox dead-letter redrive rebuild upcast snapshot key retry parked fact'.split(
        ' ',
      ),
    ),
  )
})

describe('a command', () => {
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts
  const known = /^npm (ci|install|pack|test|start)\b/

  test('of npm is one that the workspace has', () => {
    const runs = commands.filter(({ line }) => line.startsWith('npm '))
    const unknown = runs.filter(({ line }) => {
      const script = /^npm run (\S+)/.exec(line)?.[1]
      return script === undefined ? !known.test(line) : !Object.hasOwn(scripts, script)
    })
    expect(unknown).toEqual([])
  })

  test('of thence has its verb and its options', () => {
    const lines = commands
      .map(({ page, line }) => ({ page, words: /^(?:npx )?thence (.*)/.exec(line)?.[1] }))
      .filter((one) => one.words !== undefined)
    expect(lines.length).toBeGreaterThan(10)
    for (const { page, words = '' } of lines) {
      const [noun = '', verb = ''] = words.split(' ')
      const root = program()
      const found = named(root, noun)
      // A noun without a verb, as in `thence rebuild NAME`, starts.
      const last = found?.commands.length ? (named(found, verb) ?? named(found, 'start')) : found
      const options = [...root.options, ...(last?.options ?? [])].flatMap((one) => [
        one.short,
        one.long,
      ])
      const used = words.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? []
      expect(last, `${page}: thence ${words}`).toBeDefined()
      expect(options, `${page}: thence ${words}`).toEqual(expect.arrayContaining([...used]))
    }
  })
})

type Command = ReturnType<typeof program>

const named = (command: Command, name: string) =>
  command.commands.find((one) => one.name() === name)
