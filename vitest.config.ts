// The test projects. Every import of `thence` is the TypeScript source, by the same condition that `npm start` uses.
import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { NoSkips } from './scripts/no-skips.ts'

const setup = 'packages/thence/test/setup.ts'
const report = process.env['THENCE_TEST_REPORT']

// What an app does at the level of its parts, once more on PostgreSQL; each adapter's own promises are conformance cases.
const onPostgres = [
  'transaction',
  'transaction-once',
  'transaction-end',
  'decide',
  'messages',
  'rolled-back',
  'nested',
  'views',
  'user-sql',
  'deploy-keys',
  'rebuild-back',
  'rebuild-diff',
  'schedule-processes',
  'slow-calls',
  'redrive-which',
  'edit-letter',
].map((name) => `packages/thence/test/flow/${name}.test.ts`)

const shared = { ssr: { resolve: { conditions: ['thence-source', 'node'] } } }

const project = (name: string, include: string[], env: Record<string, string> = {}) => ({
  ...shared,
  test: {
    name,
    include,
    // Only ends what would never end: a loaded machine is no failure.
    testTimeout: 30_000,
    setupFiles: existsSync(setup) ? [setup] : [],
    env: { NODE_OPTIONS: '--conditions=thence-source', ...env }, // for the processes a test starts
  },
})

export default defineConfig({
  test: {
    passWithNoTests: true,
    // Most of what takes long waits: for servers, for processes that it started, for a clock.
    maxWorkers: '100%',
    globalSetup: ['packages/thence/test/kit/postgres-server.ts'],
    reporters: [
      'default',
      ...(process.env['THENCE_REQUIRE_ALL'] === '1' ? [new NoSkips()] : []),
      ...(report ? [['json', { outputFile: report }] as ['json', { outputFile: string }]] : []),
    ],
    projects: [
      project('unit', ['packages/thence/src/**/*.test.ts']),
      project('conformance', ['packages/thence/test/conformance/**/*.test.ts']),
      project('adapters', ['packages/thence/test/{sqlite,postgres,copy}/**/*.test.ts']),
      project('chaos', ['packages/thence/test/chaos/**/*.test.ts']),
      project('simulate', ['packages/thence/test/simulate/**/*.test.ts']),
      project('flow', ['packages/thence/test/flow/**/*.test.ts', 'examples/**/*.test.ts']),
      project('flow-postgres', onPostgres, { THENCE_FLOW: 'postgres' }),
      project('docs', ['docs/**/*.test.ts']),
      project('workspace', ['scripts/**/*.test.ts', 'packages/*/test/*.test.ts']),
      {
        ...shared,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['**/*.test-d.ts'],
            exclude: ['**/node_modules/**', '**/dist/**'],
            tsconfig: 'tsconfig.json',
          },
        },
      },
    ],
  },
})
