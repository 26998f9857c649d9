// The torture kit on Thence, which holds; on Thence without its lock and on designs that lose events, which it finds; and on one that is
// slow and right, which it leaves in peace. All on a server of their own: what goes by its oldest transaction would wait for those of other tests.
import { Client, Pool } from 'pg'
import type { TortureMake, TortureProblemKind, TortureReport } from 'thence/conformance'
import { torture, tortureLines } from 'thence/conformance'
import { beforeAll, describe, expect, test } from 'vitest'
import { postgresTorture } from '../../src/cli/torture-postgres.ts'
import { type Design, planted } from '../kit/planted-stores.ts'
import { startQuietServer } from '../kit/postgres-server.ts'

const driver = { Client, Pool }
const patient = { timeout: 180_000 }
let url: string

beforeAll(async () => {
  const server = await startQuietServer()
  ;({ url } = server)
  return () => server.stop()
}, 60_000)

const kindsOf = ({ results }: TortureReport): readonly TortureProblemKind[] =>
  results.flatMap(({ problems }) => problems.map(({ kind }) => kind))

const brokenBy = async (make: TortureMake, only: string): Promise<TortureReport> => {
  const report = await torture(make, {
    only,
    seed: 16,
    seeds: 1,
    steps: 20,
    appends: 3,
    delivery: 500,
  })
  expect(report.results, only).toHaveLength(1)
  return report
}

test('Thence holds in every trap and interleaving', patient, async () => {
  const report = await torture(postgresTorture(driver, url), {
    seeds: 4,
    appends: 3,
  })
  expect(report.held, tortureLines(report).join('\n')).toBe(true)
  const left = report.results.filter(({ outcome }) => outcome === 'not driven')
  expect(left.map(({ name, why }) => `${name}: ${why}`)).toEqual([
    'sequences hand out numbers to each session in advance: no position comes from a sequence',
  ])
})

const sessionsOf = async (make: TortureMake) => {
  const subject = await make()
  const session = await subject.sessions!.open()
  const { rows } = await session.query(
    'SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE pronamespace = $1::text::regnamespace',
    [subject.sessions?.application],
  )
  return { subject, session, texts: rows.map((row) => ('text' in row ? String(row.text) : '')) }
}

/** What is found in the functions of a store, and what stands there instead; default: nothing. */
interface Protection {
  readonly found: RegExp
  readonly instead?: string
}

/** The store as it is, but for what is found in its functions. */
const without =
  ({ found, instead = '' }: Protection, make: TortureMake): TortureMake =>
  async () => {
    const { subject, session, texts } = await sessionsOf(make)
    const finding = texts.filter((text) => text.match(found) !== null)
    expect(finding).not.toHaveLength(0)
    for (const text of finding) await session.query(text.replaceAll(found, instead))
    await session.close()
    return subject
  }

describe('Thence without its lock', patient, () => {
  test.each(['a commit is slow', 'many writers on many streams'])(
    'is broken where %s',
    async (only) => {
      const lock = /PERFORM pg_advisory_xact_lock\([^;]*;/g
      const broken = without({ found: lock }, postgresTorture(driver, url))
      const report = await brokenBy(broken, only)
      // Two take the same position, which the key of the log refuses one of them.
      const text = expect.stringContaining('"events_pkey"')
      const problems = report.results.flatMap((result) => result.problems)
      expect(problems, tortureLines(report).join('\n')).toContainEqual({ kind: 'failed', text })
    },
  )
})

test('Thence in the order concurrent holds in every trap and interleaving', patient, async () => {
  const make = postgresTorture(driver, url, 'concurrent')
  const report = await torture(make, { seeds: 4, appends: 3 })
  expect(report.results.filter(({ outcome }) => outcome !== 'held')).toEqual([])
})

const protections = {
  'the mark of who appends': { found: /PERFORM pg_advisory_xact_lock_shared\([^;]*;/g },
  'the locks of what is written': { found: /PERFORM \S+\.enter_scopes\([^;]*;/g },
  // Between looking and taking there is time for others: whether they come is not left to chance.
  'the turn in which positions are taken': {
    found: /PERFORM pg_advisory_xact_lock\([^;]*;\s*(SELECT [^;]*;)/g,
    instead: '$1 PERFORM pg_sleep(0.01);',
  },
} satisfies Record<string, Protection>

describe('Thence in the order concurrent', patient, () => {
  test.each<readonly [keyof typeof protections, string, TortureProblemKind]>([
    ['the mark of who appends', 'a commit is slow', 'skipped'],
    ['the mark of who appends', 'is prepared, and ended later (commit)', 'skipped'],
    ['the locks of what is written', 'writers want the same version', 'failed'],
    ['the locks of what is written', 'has its transaction id already (commit)', 'failed'],
    ['the turn in which positions are taken', 'many writers on many streams', 'failed'],
  ])('without %s is broken where %s', async (protection, only, kind) => {
    const make = postgresTorture(driver, url, 'concurrent')
    const report = await brokenBy(without(protections[protection], make), only)
    expect(kindsOf(report), tortureLines(report).join('\n')).toContain(kind)
  })
})

const designs: Readonly<Record<string, Design>> = {
  'positions of a sequence': { positions: 'sequence', cursor: 'position' },
  'positions of a sequence below the oldest transaction': {
    positions: 'sequence',
    cursor: 'position below the oldest',
  },
  'transactions and positions below the oldest transaction': {
    positions: 'sequence',
    cursor: 'transaction and position',
  },
  'a version that is looked up without a lock': {
    positions: 'counter',
    cursor: 'position',
    careless: true,
  },
  'a listener that does not notice that it is deaf': {
    positions: 'counter',
    cursor: 'position',
    tells: true,
  },
}

const [naive = '', oldest = '', pair = '', careless = '', deaf = ''] = Object.keys(designs)

describe('designs that lose events', patient, () => {
  test.each<readonly [string, string, TortureProblemKind]>([
    [naive, 'a commit is slow', 'skipped'],
    [naive, 'has its id long before', 'skipped'],
    [naive, 'hand out numbers', 'skipped'],
    [naive, 'is prepared, and ended later (commit)', 'skipped'],
    [naive, 'many writers on many streams', 'skipped'],
    [oldest, 'has its transaction id already (commit)', 'skipped'],
    [oldest, 'has its transaction id already (rollback)', 'skipped'],
    [oldest, 'has its id long before', 'skipped'],
    [oldest, 'in another database', 'stalled'],
    [pair, 'before another appends to the stream', 'versions'],
    [pair, 'to which another appended meanwhile', 'versions'],
    [pair, 'an append is undone with its savepoint', 'versions'],
    [pair, 'in the same database', 'stalled'],
    [careless, 'writers want the same version', 'race'],
    [deaf, 'the connection that listens is cut', 'skipped'],
  ])('%s: %s', async (design, only, kind) => {
    const report = await brokenBy(planted(designs[design]!, url), only)
    expect(kindsOf(report), tortureLines(report).join('\n')).toContain(kind)
    expect(report.held).toBe(false)
  })

  test('an interleaving that broke is told with fewer steps that are enough', async () => {
    const { results } = await brokenBy(planted(designs[pair]!, url), 'interleaving')
    expect(results).toMatchObject([{ seed: 16, outcome: 'broken' }])
    expect(results[0]?.steps?.length).toBeLessThan(12)
  })
})

test('a store with one counter for all, which is right, is left in peace', patient, async () => {
  const report = await torture(planted({ positions: 'counter', cursor: 'position' }, url), {
    seeds: 3,
    writers: 16,
    subscribers: 4,
    appends: 3,
  })
  expect(report.held, tortureLines(report).join('\n')).toBe(true)
})
