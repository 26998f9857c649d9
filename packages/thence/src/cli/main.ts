#!/usr/bin/env node
/**
 * The `thence` command. It looks whether this node can run it before it loads anything that an old one has not.
 */
import { tooOld } from './node-version.ts'

const problem = tooOld(process.versions.node)
if (problem === undefined) {
  const { run } = await import('./program.ts')
  await run(process.argv)
} else {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 1
}
