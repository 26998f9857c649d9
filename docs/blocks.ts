// Reads the documentation as a test sees it: its pages, their fenced blocks, their links. It knows no block by name.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '..')

/** One fenced block of a page. */
export interface Block {
  readonly page: string
  /** Where it opens, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
}

/** A program of a page, and what the page says that it prints. */
export interface Program extends Block {
  readonly name: string
  readonly prints: string | undefined
}

/** Every page that users read, by its path in the workspace. */
export const pages: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'packages/thence/README.md',
  ...globSync('docs/**/*.md', { cwd: root }).filter((page) => !page.includes('/.')),
].toSorted()

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { line: number; language: string; text: string[] } | undefined
  for (const [index, line] of read(page).split('\n').entries()) {
    const fence = /^```(\S*)/.exec(line)
    if (fence === null) open?.text.push(line)
    else if (open === undefined) open = { line: index + 1, language: fence[1] ?? '', text: [] }
    else {
      blocks.push({ page, ...open, text: `${open.text.join('\n')}\n` })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: a block is never closed`)
  return blocks
}

/** The `ts` blocks of every page. A `text` block that comes next is what the program must print. */
export const programs: readonly Program[] = pages.flatMap((page) => {
  const blocks = blocksOf(page)
  return blocks.flatMap((block, index) => {
    if (block.language !== 'ts') return []
    const next = blocks[index + 1]
    const prints = next?.language === 'text' ? next.text : undefined
    return [{ ...block, prints, name: `${page.replace(/[./]+/g, '-')}-${block.line}` }]
  })
})

/** The lines of every `sh` block, without comments. */
export const commands = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/(^|\s)#.*/, '').trim())
    .filter((line) => line !== '')
    .flatMap((line) => line.split(/\s*(?:&&|\|)\s*/))
    .map((line) => ({ page, line })),
)

/** What a page says outside its blocks. */
export const prose = (page: string): string => read(page).replace(/^```[\s\S]*?^```/gm, '')

/** The relative links of a page: what they say, and the path in the workspace that they lead to. */
export const linksOf = (page: string): readonly { link: string; path: string; anchor: string }[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = '', anchor = ''] = link.split('#')
      return { link, anchor, path: path === '' ? page : join(dirname(page), path) }
    })

/** The anchors that the headings of a page make. */
export const anchorsOf = (page: string): readonly string[] =>
  [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )

/** The rows of every table of a page, as cells, without heads. */
export const rowsOf = (page: string): readonly (readonly string[])[] =>
  prose(page)
    .split('\n')
    .filter(
      (line, index, lines) => line.startsWith('|') && !/^\|[-| :]+\|$/.test(lines[index + 1] ?? ''),
    )
    .filter((line) => !/^\|[-| :]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
