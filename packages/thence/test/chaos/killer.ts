// The killer, a process of its own: it runs the server and two workers under the load of others, kills one of them at a moment that nobody
// chose, and has it run again. It says what it did and how long it took until work went on.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { systemRuntime } from 'thence'
import { Chance } from '../../src/internal/chance.ts'
import { Cluster, type Place, urlOf } from './cluster.ts'
import { until } from './until.ts'

const [given = '', home = '', loops = '1', accounts = '1'] = process.argv.slice(3)
const place = JSON.parse(given) as Place
const [journal, notes] = [`${home}/journal`, `${home}/notes`]
const cluster = new Cluster(place)
const chance = new Chance(11)
const runtime = systemRuntime()

const say = (line: string): void => void writeSync(1, `${line}\n`)
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void runtime.after(milliseconds, resolve))

const linesOf = (file: string): number =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0

const more = async (file: string, than: number): Promise<void> =>
  void (await until(`more in ${file}`, () => (linesOf(file) > than ? true : undefined)))

/** So many deposits each account makes between two kills. */
const each = 2

/** Written beside and moved, so that nobody reads half of it. */
const allow = (deposits: number): void => {
  writeFileSync(`${journal}.next`, String(deposits))
  renameSync(`${journal}.next`, `${journal}.allowed`)
}

interface Worker {
  readonly child: ChildProcess
  readonly ready: Promise<unknown>
}

const newWorker = (): Worker => {
  const program = new URL('process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, 'worker', urlOf(place), notes, '1500ms'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('ready\n')) resolve()
    })
  })
  return { child, ready }
}

const endWorker = async ({ child }: Worker): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'close')
}

let workers: Worker[] = []

interface Strike {
  /** Nothing if it was not there. */
  readonly what?: 'server' | 'session' | 'worker'
  readonly hit: () => Promise<void>
  /** Has it run again, or waits until it does by itself. */
  readonly revive: () => Promise<void> | void
}

/** Looks up beforehand what is to be hit. */
const aim = (loop: number): Strike => {
  const kind = loop % 4
  if (kind === 3) {
    const victim = chance.whole(workers.length)
    return {
      what: 'worker',
      hit: () => endWorker(workers[victim]!),
      revive: () => void (workers[victim] = newWorker()),
    }
  }
  if (kind === 2) {
    const { session } = cluster
    if (session === undefined) return { hit: async () => undefined, revive: () => undefined }
    return {
      what: 'session',
      hit: () => cluster.killSession(session),
      revive: () => cluster.back(),
    }
  }
  const { all } = cluster
  return { what: 'server', hit: () => cluster.kill(all), revive: () => cluster.start() }
}

const run = async (): Promise<void> => {
  allow(0)
  await cluster.start()
  say('ready')
  workers = [newWorker(), newWorker()]
  await Promise.all(workers.map(({ ready }) => ready))
  let granted = 0
  for (let loop = 0; loop < Number(loops); loop += 1) {
    const before = linesOf(journal)
    const { what, hit, revive } = aim(loop)
    allow((granted += each))
    // In the middle of what that sets off.
    await more(journal, before + chance.whole(6))
    await pause(chance.whole(8))
    await hit()
    await revive()
    const begun = runtime.elapsed()
    const [acknowledged, done] = [linesOf(journal), linesOf(notes)]
    // If it came too late and all is done, there must be something to go on with.
    if (acknowledged >= granted * Number(accounts)) allow((granted += 1))
    const since = async (file: string, than: number): Promise<number> => {
      await more(file, than)
      return runtime.elapsed() - begun
    }
    const times = await Promise.all([since(journal, acknowledged), since(notes, done)])
    say(`struck ${JSON.stringify({ what, times })}`)
    await more(journal, granted * Number(accounts) - 1)
  }
  await Promise.all(workers.map(({ ready }) => ready))
  say('done')
}

process.once('SIGTERM', () => {
  void (async () => {
    await Promise.all(workers.map(endWorker))
    await cluster.stop()
    process.exit(0)
  })()
})
await run()
