/**
 * Asking a person before something is done that touches much.
 */
import { createInterface } from 'node:readline'
import { ThenceError } from '../errors.ts'
import { usage } from './exit-code.ts'

const ask = async (question: string): Promise<string> => {
  const questions = createInterface({ input: process.stdin, output: process.stderr })
  const { promise, resolve } = Promise.withResolvers<string>()
  questions.question(question, resolve)
  questions.once('close', () => resolve(''))
  const answer = await promise
  questions.close()
  return answer
}

/** Resolves if a person says yes. @throws ABORTED; a usage error where nobody can be asked */
export async function confirm(what: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw usage(`This ${what}. Say so with --yes.`)
  const answer = await ask(`This ${what}. Go on? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new ThenceError('ABORTED', 'Nothing was done.')
}
