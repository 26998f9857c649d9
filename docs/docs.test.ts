// Runs every program of the documentation: all are type-checked as strictly as the library, each is executed in a
// folder of its own, and prints what its page says. A page can't lie for long.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Program, programs, root } from './blocks.ts'

// Inside the workspace, so that `thence` resolves; hidden, so that no other check reads it.
const folder = mkdtempSync(join(root, 'docs/.blocks-'))
const inFolder = (program: Pick<Program, 'name'>) => join(folder, program.name)
const patient = { timeout: 60_000 }

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Plain node, as a reader would run it; not the test's environment. */
function node(args: readonly string[], cwd: string): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>()
  const { NODE_OPTIONS: _, NODE_ENV: __, ...rest } = process.env
  const env = {
    ...rest,
    NODE_COMPILE_CACHE: join(folder, '.cache'),
    POSTGRES_URL: inject('postgres'),
  }
  const all = ['--conditions=thence-source', '--disable-warning=ExperimentalWarning', ...args]
  execFile(process.execPath, all, { cwd, env }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : 1, stdout, stderr })
  })
  return promise
}

/** What a reader has Prisma generate. */
const generated = 'generated/prisma/client.ts'
const client = join(root, 'packages/thence/test/kit/own/prisma/client/client.ts')

function plant(program: Program): void {
  mkdirSync(inFolder(program))
  if (program.text.includes(generated)) {
    mkdirSync(join(inFolder(program), dirname(generated)), { recursive: true })
    const file = join(inFolder(program), generated)
    writeFileSync(file, `export * from '${relative(dirname(file), client)}'\n`)
  }
  writeFileSync(join(inFolder(program), 'main.ts'), program.text)
}

const run = (program: Pick<Program, 'name'>) => node(['main.ts'], inFolder(program))

const readme = programs.find(({ page }) => page === 'README.md')
if (readme === undefined) throw new Error('README.md has no program')

/** The same program on the other adapter: two lines differ. */
const inMemory: Program = {
  ...readme,
  name: 'README-in-memory',
  text: readme.text
    .replace("import { DatabaseSync } from 'node:sqlite'\n", '')
    .replace("import { sqlite } from 'thence/sqlite'", "import { memory } from 'thence/memory'")
    .replace("sqlite({ database: new DatabaseSync('shop.db') })", 'memory()'),
}

beforeAll(() => {
  writeFileSync(join(folder, '.gitignore'), '*\n')
  // Not every library that a page uses has declarations as strict as ours.
  const compilerOptions = {
    noEmit: true,
    declaration: false,
    declarationMap: false,
    skipLibCheck: true,
  }
  const tsconfig = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: { ...compilerOptions, isolatedDeclarations: false },
    include: ['*/main.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  for (const program of [...programs, inMemory]) plant(program)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every program fits the types', patient, async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  expect(await node([tsc, '--pretty', 'false', '-p', '.'], folder)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
})

describe.concurrent('runs and prints what its page says', () => {
  test.each(programs.map((program) => [`${program.page}:${program.line}`, program] as const))(
    '%s',
    patient,
    async (_, program) => {
      const ran = await run(program)
      const stdout = program.prints ?? ran.stdout
      expect(ran).toEqual({ code: 0, stdout, stderr: '' })
    },
  )
})

test('the program of the README does the same in memory', patient, async () => {
  expect(inMemory.text).not.toContain('sqlite')
  expect(await run(inMemory)).toEqual({ code: 0, stdout: readme.prints, stderr: '' })
})
