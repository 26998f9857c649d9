// Plants what the linter must refuse, so that a rule that stops working fails here and not in review.
// Every planted tree has the workspace's own configuration and its folders.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const workspace = resolve(import.meta.dirname, '..')
const configuration = ['.oxlintrc.json', 'tsconfig.base.json', 'packages/thence/tsconfig.json']
const source = 'packages/thence/src'

async function plant(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'thence-lint-'))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const file of configuration) await cp(join(workspace, file), join(root, file))
  await symlink(join(workspace, 'node_modules'), join(root, 'node_modules'))
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  return root
}

/** The rules that fired, sorted, each with the file it fired in; empty when the linter passed. */
async function lint(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const cwd = await plant(files)
  const oxlint = join(workspace, 'node_modules/oxlint/bin/oxlint')
  const { code, stdout } = await run([oxlint, '--type-aware', '--format=json', 'packages'], cwd)
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: readonly { code: string; filename: string }[]
  }
  expect(code === 0).toBe(diagnostics.length === 0)
  return diagnostics
    .map((found) => `${found.code} ${found.filename.replace(`${source}/`, '')}`)
    .sort()
}

function run(args: readonly string[], cwd: string): Promise<{ code: number; stdout: string }> {
  const { promise, resolve: done } = Promise.withResolvers<{ code: number; stdout: string }>()
  execFile(process.execPath, args, { cwd }, (error, stdout) => {
    done({ code: error === null ? 0 : 1, stdout })
  })
  return promise
}

test('code that keeps the rules passes', async () => {
  expect(
    await lint({
      [`${source}/message/a.ts`]: 'export const a: number = 1\n',
      [`${source}/store/b.ts`]: "import { a } from '../message/a.ts'\nexport const b: number = a\n",
    }),
  ).toEqual([])
})

test('a room that imports a room above it is refused', async () => {
  expect(
    await lint({
      [`${source}/store/a.ts`]: 'export const a: number = 1\n',
      [`${source}/message/b.ts`]: "export { a } from '../store/a.ts'\n",
      [`${source}/ports/c.ts`]: "export const c = () => import('../store/a.ts')\n",
    }),
  ).toEqual([
    'eslint(no-restricted-imports) message/b.ts',
    'eslint(no-restricted-imports) ports/c.ts',
  ])
})

test.each([
  ['a neighbour', 'handle', '../store/a.ts'],
  ['an adapter', 'app', '../adapters/memory/events.ts'],
  ['its own package by name', 'app', 'thence'],
  ['a door', 'app', '../message/index.ts'],
  ['node', 'message', 'node:fs'],
  ['timers', 'internal', 'node:timers/promises'],
  ['a package that users do not install', 'store', 'zod'],
])('a room that imports %s is refused', async (_, room, from) => {
  expect(await lint({ [`${source}/${room}/b.ts`]: `export * from '${from}'\n` })).toEqual([
    `eslint(no-restricted-imports) ${room}/b.ts`,
  ])
})

test('an adapter imports the contract, never a room', async () => {
  expect(
    await lint({
      [`${source}/adapters/sqlite/a.ts`]:
        "import { DatabaseSync } from 'node:sqlite'\nexport { DatabaseSync }\nexport * from '../../errors.ts'\nexport * from '../../ports/events.ts'\n",
      [`${source}/adapters/sqlite/b.ts`]: "export * from '../../store/append.ts'\n",
      [`${source}/adapters/sqlite/c.ts`]: "export * from '../memory/events.ts'\n",
      [`${source}/errors.ts`]: 'export const errors: number = 1\n',
      [`${source}/ports/events.ts`]: 'export const events: number = 1\n',
    }),
  ).toEqual([
    'eslint(no-restricted-imports) adapters/sqlite/b.ts',
    'eslint(no-restricted-imports) adapters/sqlite/c.ts',
  ])
})

test('a cycle is refused', async () => {
  expect(
    await lint({
      [`${source}/message/a.ts`]:
        "import { b } from './b.ts'\nexport const a = (): number => b()\n",
      [`${source}/message/b.ts`]:
        "import { a } from './a.ts'\nexport const b = (): number => a()\n",
    }),
  ).toEqual(['import(no-cycle) message/a.ts', 'import(no-cycle) message/b.ts'])
})

test('a promise that nobody waits for is refused', async () => {
  expect(
    await lint({
      [`${source}/message/a.ts`]:
        'export const work = (): Promise<void> => Promise.resolve()\nexport function start(): void {\n  work()\n}\n',
    }),
  ).toEqual(['typescript(no-floating-promises) message/a.ts'])
})

test.each([
  ['no-restricted-properties', 'Date.now()'],
  ['no-restricted-properties', 'Math.random()'],
  ['no-restricted-properties', 'AbortSignal.timeout(5)'],
  ['no-restricted-globals', 'crypto.randomUUID()'],
  ['no-restricted-globals', 'globalThis.performance.now()'],
  ['no-restricted-globals', 'setTimeout(() => {}, 5)'],
])('a room takes time and chance from its runtime: %s refuses %s', async (rule, call) => {
  const text = `export const used: unknown = ${call}\n`
  expect(
    await lint({
      [`${source}/handle/a.ts`]: text,
      [`${source}/app/system-runtime.ts`]: text,
      [`${source}/adapters/sqlite/a.ts`]: text,
    }),
  ).toEqual([`eslint(${rule}) handle/a.ts`])
})

test('a test that sleeps is refused', async () => {
  expect(
    await lint({
      'packages/thence/test/flow/a.test.ts': 'setTimeout(() => {}, 5)\n',
      [`${source}/message/a.test.ts`]: "import 'node:timers/promises'\n",
    }),
  ).toEqual([
    'eslint(no-restricted-globals) packages/thence/test/flow/a.test.ts',
    'eslint(no-restricted-imports) message/a.test.ts',
  ])
})
