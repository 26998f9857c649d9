// Where an operator sits: a folder with the file of a store in it, and the command as it is run there.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { thence } from './command.ts'

/** For tests that start processes. */
export const patient = { timeout: 60_000 }

/** A new one. Nothing is in its folder yet; whoever makes it has it removed. */
export const desk = () => {
  const folder = mkdtempSync(join(tmpdir(), 'thence-cli-'))
  const file = join(folder, 'shop.db')
  const cli = (...args: readonly string[]) => thence([...args, '--db', file], { cwd: folder })
  return {
    folder,
    file,
    cli,
    /** What it prints for programs; it must have nothing to say to people. */
    jsonOf: async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await cli(...args, '--json')
      if (code !== 0 || stderr !== '') throw new Error(`It ended with ${code}: ${stderr}`)
      return JSON.parse(stdout)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
