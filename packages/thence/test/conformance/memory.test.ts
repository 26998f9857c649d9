/** The memory adapter on every case. */
import { memory } from '../../src/adapters/memory/index.ts'
import { makeFrom } from '../../src/conformance/index.ts'
import { defineConformance } from './define.ts'

defineConformance(
  'memory',
  { sql: false, durable: false },
  makeFrom(() => ({ connect: (options) => memory(options) })),
)
