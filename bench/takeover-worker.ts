/**
 * A process of the row `delivery-takeover`: handles what is appended and tells its parent the number of each message.
 */
import { handler } from 'thence'
import { appOn, ItemAdded } from './ours.ts'

/** What the worker tells: the numbers of messages that were handled. */
export type Handled = readonly number[]

const [path = ''] = process.argv.slice(2)

const tells = handler('tells', ItemAdded, {
  partitions: 4,
  run: ({ data }) => {
    const handled: Handled = [data.n]
    process.send?.(handled)
  },
})

// Told to hang: until it is killed it does nothing any more.
process.on('message', () => process.kill(process.pid, 'SIGSTOP'))
// A parent that is gone has nothing more to ask.
process.on('disconnect', () => process.exit(0))
await appOn(path, { logger: false }).use(tells).start()
