/**
 * The example as a command: trades a file, a made-up day, or live until Ctrl-C, and tells what came
 * of it. Mistakes of people end in one clear line; only a mistake of ours shows a stack.
 */
import { isThenceError } from 'thence'
import { parseCommandLine, USAGE, UsageError } from './args.ts'
import { DataError } from './data/data-error.ts'
import { run } from './run.ts'

const codeOf = (error: unknown): { readonly exitCode: number; readonly line: string } => {
  if (error instanceof UsageError) return { exitCode: error.exitCode, line: error.message }
  if (error instanceof DataError) return { exitCode: 1, line: error.message }
  if (isThenceError(error)) {
    const { reason } = error.details
    const usage = reason === 'OTHER_SOURCE' || reason === 'OTHER_SEED'
    return { exitCode: usage ? 2 : 1, line: error.message }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exitCode: 70, line: `This should not have happened.\n${text}` }
}

const main = async (): Promise<number> => {
  try {
    const args = parseCommandLine(process.argv.slice(2))
    if (!args.help) return await run(args)
    process.stdout.write(USAGE)
    return 0
  } catch (error) {
    const { exitCode, line } = codeOf(error)
    process.stderr.write(`${line}\n`)
    return exitCode
  }
}

process.exitCode = await main()
