// The doors: each opens a source file, and the names behind it change only on purpose. `vitest -u` writes
// exports.txt anew; in CI a missing or different one is a failure.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Readonly<Record<string, string | null | { 'thence-source': string; default: string }>>
  bin: Readonly<Record<string, string>>
}

const doors = Object.entries(exports).flatMap(([door, target]) =>
  target === null || typeof target === 'string' ? [] : [{ door, ...target }],
)

const built = (source: string) => source.replace('./src/', './dist/').replace(/\.ts$/, '.js')

/** The names a door exports, types among them, as its source spells them. */
async function names(source: string): Promise<readonly string[]> {
  const values = Object.keys((await import(join(root, source))) as object)
  const text = readFileSync(join(root, source), 'utf8')
  const types: string[] = []
  for (const [, all, inside = ''] of text.matchAll(/export (type )?\{([^}]*)\}/g)) {
    for (const name of inside.split(',').map((part) => part.trim())) {
      if (name !== '' && (all || name.startsWith('type '))) types.push(last(name))
    }
  }
  for (const [, name = ''] of text.matchAll(/^export (?:type|interface) (\w+)/gm)) types.push(name)
  return [...values, ...types.map((name) => `type ${name}`)].toSorted()
}

const last = (name: string) => name.split(' ').at(-1) ?? name

test.each(doors)(
  '$door opens one source file, built under the same name',
  ({ door, ...target }) => {
    expect(existsSync(join(root, target['thence-source'])), door).toBe(true)
    expect(target.default).toBe(built(target['thence-source']))
  },
)

test('the command has a source file', () => {
  for (const target of Object.values(bin)) {
    const source = target.replace('./dist/', './src/').replace(/\.js$/, '.ts')
    expect(existsSync(join(root, source)), source).toBe(true)
  }
})

test('what stays inside has no door', () => {
  expect(exports['./internal/*']).toBeNull()
})

test('the exported names change only on purpose', async () => {
  const chapters: string[] = []
  for (const { door, ...target } of doors) {
    const lines = await names(target['thence-source'])
    chapters.push([door.replace('.', 'thence'), ...lines.map((line) => `  ${line}`)].join('\n'))
  }
  await expect(`${chapters.join('\n\n')}\n`).toMatchFileSnapshot('exports.txt')
})
