/**
 * Killed with kill -9 at 20 random moments and started again each time, a run ends with the books,
 * and the history of every stream, of a run that nobody killed. The moments are seeded positions of
 * the log, seen from outside: the kill itself hits whatever the process is doing just then.
 */
import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { random } from '../data/random.ts'
import { absent, SAMPLE, skipReason } from '../data/real-data.ts'
import { booksOf, lastJson, run, start } from './child.ts'
import { historyOf } from './history.ts'
import { fileShop } from './shops.ts'
import { temporaryPath } from './temporary.ts'

const KILLS = 20

/** The log as another process sees it while it grows. */
class Onlooker {
  readonly #db: string
  #store: DatabaseSync | undefined

  constructor(db: string) {
    this.#db = db
  }

  /** The last position; 0 before there is a log. */
  position(): number {
    if (!existsSync(this.#db)) return 0
    // Opened once: opening touches the files, and this is called whenever they were touched.
    this.#store ??= new DatabaseSync(this.#db, { readOnly: true })
    try {
      const row = this.#store.prepare('SELECT max(position) AS last FROM thence_events').get()
      return Number(row?.['last'] ?? 0)
    } catch {
      // There is no such table yet, or the file is being set up just now.
      return 0
    }
  }

  close(): void {
    this.#store?.close()
    this.#store = undefined
  }
}

const positionOf = (db: string): number => {
  const onlooker = new Onlooker(db)
  const position = onlooker.position()
  onlooker.close()
  return position
}

/** Starts a run and kills it as soon as its log is seen at `target`. */
const killAt = async (target: number, words: readonly string[], db: string) => {
  const onlooker = new Onlooker(db)
  const child = start(...words)
  const watcher = watch(dirname(db), () => {
    if (onlooker.position() < target) return
    watcher.close()
    child.process.kill('SIGKILL')
  })
  const ended = await child.ended
  watcher.close()
  onlooker.close()
  return ended
}

describe.skipIf(absent.length > 0)(`the sample of three days${skipReason}`, () => {
  test(
    'killed at 20 random moments it ends with the same books',
    { timeout: 240_000 },
    async () => {
      const calm = temporaryPath('calm.db')
      const words = (db: string) => ['--orders', SAMPLE, '--once', '--json', '--db', db]
      const unkilled = await run(...words(calm))
      expect(unkilled.code).toBe(0)
      const total = Number(lastJson(unkilled)['messages'])

      const db = temporaryPath('killed.db')
      const rng = random(20, 'kill')
      const moments: number[] = []
      for (let left = KILLS; left > 0; left -= 1) {
        const from = positionOf(db)
        // Leaves room for those that follow.
        const step = Math.max(1, Math.floor((2 * (total - from)) / (left + 2)))
        const target = from + rng.int(1, step)
        const ended = await killAt(target, words(db), db)
        expect(ended).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' })
        moments.push(positionOf(db))
      }
      expect(moments).toHaveLength(KILLS)
      // Every kill hit in mid-run, and they are spread over it.
      expect(moments.at(-1)).toBeLessThan(total)
      expect(moments.at(-1)).toBeGreaterThan(total / 2)
      expect(new Set(moments).size).toBeGreaterThan(KILLS / 2)

      const finished = await run(...words(db))
      expect(finished.code).toBe(0)
      expect(booksOf(finished)).toEqual(booksOf(unkilled))
      const [after, before] = [await fileShop(db), await fileShop(calm)]
      expect((await historyOf(after)).streams).toBe((await historyOf(before)).streams)
    },
  )
})
