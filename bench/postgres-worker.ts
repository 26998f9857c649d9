/**
 * The other process of the row `postgres-latency`: tells its parent the number of each event when it is handled.
 */
import { handler } from 'thence'
import { Pool } from 'pg'
import { ItemAdded } from './ours.ts'
import { appAt } from './postgres-log.ts'

const [url = ''] = process.argv.slice(2)
const pool = (max: number): Pool => new Pool({ connectionString: url, max })

const tells = handler('tells', ItemAdded, ({ data }) => void process.send?.(data.n))

const running = await appAt({ pool }).use(tells).start()
// A parent that goes has nothing more to ask.
process.once('disconnect', () => void running.stop().then(() => process.exit(0)))
process.send?.('ready')
