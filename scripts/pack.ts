// Installs the packed tarball into an empty project, as a user does: every door opens in plain node, its declarations
// hold under a user's strict tsc with libraries checked, the command answers, and no test is shipped.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const library = resolve('packages/thence')
const tsc = resolve('node_modules/typescript/bin/tsc')
const nodeTypes = resolve('node_modules/@types')
const project = mkdtempSync(join(tmpdir(), 'thence-pack-'))

function run(file: string, args: readonly string[], cwd = project): string {
  return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function write(file: string, content: string | object): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  writeFileSync(join(project, file), text)
}

/** The specifiers a user may import: `thence`, `thence/sqlite`, …. */
function doors(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, unknown>>
  }
  return Object.keys(exports)
    .filter((door) => exports[door] !== null && door !== './package.json')
    .map((door) => door.replace('.', 'thence'))
}

function pack(): { readonly tarball: string; readonly files: readonly string[] } {
  const printed = run('npm', ['pack', '--json', '--silent', '--pack-destination', project], library)
  const packed = Object.values(JSON.parse(printed) as Readonly<Record<string, Packed>>)[0]
  if (packed === undefined) throw new Error('npm pack printed no package')
  return { tarball: packed.filename, files: packed.files.map((file) => file.path) }
}

type Packed = { readonly filename: string; readonly files: readonly { readonly path: string }[] }

function main(): void {
  const { tarball, files } = pack()
  const tests = files.filter((file) => /\.test(-d)?\./.test(file))
  if (tests.length > 0) throw new Error(`the tarball holds tests: ${tests.join(', ')}`)

  write('package.json', { name: 'user', private: true, type: 'module' })
  run('npm', ['install', `./${tarball}`, '--prefer-offline', '--no-audit', '--no-fund', '--silent'])
  const open = doors().map((door, index) => `import * as door${index} from '${door}'`)
  const use = `for (const door of [${open.map((_, index) => `door${index}`).join(', ')}])\n  if (Object.keys(door).length === 0) throw new Error('a door opens on nothing')`
  write('main.ts', `${open.join('\n')}\n${use}\n`)
  run(process.execPath, ['main.ts'])

  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    lib: ['es2024', 'esnext.disposable'],
    typeRoots: [nodeTypes],
    types: ['node'],
  }
  write('tsconfig.json', { compilerOptions, files: ['main.ts'] })
  run(process.execPath, [tsc])
  const version = run(join(project, 'node_modules/.bin/thence'), ['--version']).trim()
  console.log(`pack: ${tarball}, ${files.length} files, ${doors().length} doors, thence ${version}`)
}

try {
  main()
} finally {
  rmSync(project, { recursive: true, force: true })
}
