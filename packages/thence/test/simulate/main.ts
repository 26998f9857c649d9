// `npm run simulate`: many seeded histories of the bank and the office, and a table of what struck; with --mutate, each
// planted bug until a seed catches it.
import { runMutants } from './run-mutants.ts'
import { runSeeds } from './run-seeds.ts'
import { settingsOf, usage, UsageError } from './settings.ts'

const main = async (): Promise<void> => {
  const settings = settingsOf(process.argv.slice(2))
  if (settings === 'help') return void process.stdout.write(`${usage}\n`)
  const well = await (settings.mutate ? runMutants(settings) : runSeeds(settings))
  if (!well) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\nSee: npm run simulate -- --help\n`)
  process.exitCode = 2
}
