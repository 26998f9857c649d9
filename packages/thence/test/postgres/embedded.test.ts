// The tests' own server must not hide that a test has failed.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('a process that loads the PostgreSQL of npm keeps its exit code', () => {
  const url = JSON.stringify(join(import.meta.dirname, '../kit/embedded.ts'))
  const program = `const { loadEmbedded } = await import(${url}); await loadEmbedded(); process.exitCode = 3`
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program])
  expect(status).toBe(3)
})
