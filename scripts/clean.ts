// Empties what a build writes, so that a removed source leaves no module behind.
import { rmSync } from 'node:fs'

rmSync('packages/thence/dist', { recursive: true, force: true })
