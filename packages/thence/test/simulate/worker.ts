// A process of the pool: does the jobs that it is sent, one after the other.
import { type Job, runJob } from './jobs.ts'

const answer = async (job: Job): Promise<void> => {
  process.send?.(await runJob(job))
}

process.on('message', (job) => {
  void answer(job as Job)
})

// Who has started it is gone: nobody waits for what it does.
process.once('disconnect', () => process.exit())
