// Processes that do jobs, one each at a time, until there are none left.
import { type ChildProcess, fork } from 'node:child_process'
import type { Done, Job } from './jobs.ts'

const worker = new URL('worker.ts', import.meta.url)

const begin = (): ChildProcess =>
  fork(worker, { serialization: 'advanced', execArgv: [...process.execArgv] })

const ask = (child: ChildProcess, job: Job): Promise<Done> =>
  new Promise((resolve, reject) => {
    const exit = (code: number | null): void =>
      reject(new Error(`A worker ended with ${code} while it did ${JSON.stringify(job)}.`))
    child.once('exit', exit)
    child.once('message', (done) => {
      child.off('exit', exit)
      resolve(done as Done)
    })
    child.send(job)
  })

/** Has all jobs done by `workers` processes; tells each that is done. */
export async function doAll(
  jobs: readonly Job[],
  workers: number,
  tell: (done: Done) => void,
): Promise<void> {
  const queue = jobs.values()
  const work = async (): Promise<void> => {
    const child = begin()
    try {
      for (const job of queue) tell(await ask(child, job))
    } finally {
      child.kill()
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, work))
}
