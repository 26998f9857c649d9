// Bugs in the rooms, planted between an app and its connection: what must happen together happens apart, what is not
// known is taken for granted.
import { isThenceError } from 'thence'
import type { Checkpoints, Seen } from '../../src/ports/checkpoints.ts'
import type { Database, Transaction } from '../../src/ports/database.ts'
import type { DocumentChange } from '../../src/ports/documents.ts'
import type { AppendRequest, Verdict } from '../../src/ports/events.ts'
import type { Retry } from '../../src/ports/retries.ts'
import type { NewTimer } from '../../src/ports/timers.ts'
import { faulty, overlay } from '../conformance/plant.ts'
import { type Mutant, under } from './mutant.ts'

type Transact = Database['transact']

const around = (name: string, transact: (database: Database) => Transact): Mutant => ({
  name,
  make: () => ({ above: (database) => overlay(database, { transact: transact(database) }) }),
})

type Move = readonly [string, Seen, number]

/** Compares as a move does, and moves nothing. */
const compare = async (checkpoints: Checkpoints, [name, seen]: Move): Promise<boolean> => {
  const stored = await checkpoints.load(name, seen.partition)
  return (
    (stored?.position ?? 0) === seen.position &&
    (stored?.generation ?? 0) === seen.generation &&
    (stored?.epoch ?? 0) === (seen.epoch ?? 0)
  )
}

/** The transaction, but that `moved` is told of moves and decides them. */
const withMoves = (
  transaction: Transaction,
  moved: (checkpoints: Checkpoints, move: Move) => Promise<boolean>,
): Transaction =>
  overlay(transaction, {
    checkpoints: overlay(transaction.checkpoints, {
      move: async (...move) => moved(transaction.checkpoints, move),
    }),
  })

const checkpointAfter = (database: Database): Transact => {
  return async (work, options) => {
    const moves: Move[] = []
    const result = await database.transact(
      (transaction) =>
        work(
          withMoves(transaction, async (checkpoints, move) => {
            moves.push(move)
            return compare(checkpoints, move)
          }),
        ),
      options,
    )
    for (const move of moves)
      await database.transact(({ checkpoints }) => checkpoints.move(...move))
    return result
  }
}

class RolledBack extends Error {}

const checkpointBefore = (database: Database): Transact => {
  /** What the work would move, or nothing if it comes to no move. */
  const foresee = async (
    work: (transaction: Transaction) => unknown,
  ): Promise<Move | undefined> => {
    let found: Move | undefined
    await database
      .transact(async (transaction) => {
        await work(
          withMoves(transaction, async (checkpoints, move) => {
            if (await compare(checkpoints, move)) found = move
            throw new RolledBack()
          }),
        )
        throw new RolledBack()
      })
      .catch(() => undefined)
    return found
  }
  return async (work, options) => {
    const move = await foresee(work)
    if (move === undefined || move[1].position === move[2]) return database.transact(work, options)
    await database.transact(({ checkpoints }) => checkpoints.move(...move))
    return database.transact(
      (transaction) => work(withMoves(transaction, async () => true)),
      options,
    )
  }
}

interface Deferral<A extends readonly unknown[]> {
  /** The port with a method that only notes what it is called with. */
  readonly replace: (transaction: Transaction, note: (parameters: A) => void) => Transaction
  readonly run: (transaction: Transaction, parameters: A) => unknown
}

/** What should be in the transaction comes in one of its own, when the first is committed. */
const deferred = <A extends readonly unknown[]>(name: string, deferral: Deferral<A>): Mutant =>
  around(name, (database) => async (work, options) => {
    const later: A[] = []
    const result = await database.transact((transaction) => {
      later.length = 0
      return work(deferral.replace(transaction, (parameters) => void later.push(parameters)))
    }, options)
    if (later.length > 0)
      await database.transact(async (transaction) => {
        for (const parameters of later) await deferral.run(transaction, parameters)
      })
    return result
  })

const laterDocuments = (name: string, collection: string): Mutant =>
  deferred<readonly [string, readonly DocumentChange[]]>(name, {
    replace: (transaction, note) => {
      const { documents } = transaction
      const held = new Map<string, string | null>()
      const hold = (changes: readonly DocumentChange[]): void => {
        for (const { key, value } of changes) held.set(key, value)
        note([collection, changes])
      }
      return overlay(transaction, {
        documents: overlay(documents, {
          get: async (where, key) => {
            const own = where === collection ? held.get(key) : undefined
            return own === undefined ? documents.get(where, key) : (own ?? undefined)
          },
          put: async (where, key, value) =>
            where === collection ? hold([{ key, value }]) : documents.put(where, key, value),
          putAll: async (where, changes) =>
            where === collection ? hold(changes) : documents.putAll(where, changes),
        }),
      })
    },
    run: ({ documents }, parameters) => documents.putAll(...parameters),
  })

const apart: readonly Mutant[] = [
  around('a checkpoint moves in a transaction of its own, after the effect', checkpointAfter),
  around('a checkpoint moves in a transaction of its own, before the effect', checkpointBefore),
  deferred<readonly [AppendRequest]>('what a handler appends is written after the commit', {
    replace: (transaction, note) =>
      overlay(transaction, {
        events: overlay(transaction.events, {
          append: async (request): Promise<Verdict> => {
            if (!request.stream.startsWith('credits-')) return transaction.events.append(request)
            note([request])
            const position = (await transaction.events.head()) + 1
            const { stream, messages } = request
            return { outcome: 'appended', stream, version: 1, position, count: messages.length }
          },
        }),
      }),
    run: ({ events }, [request]) => events.append(request),
  }),
  deferred<readonly [NewTimer]>('timers are set after the commit', {
    replace: (transaction, note) =>
      overlay(transaction, {
        timers: overlay(transaction.timers, {
          set: async (timer) => {
            note([timer])
            const { due } = timer
            return typeof due === 'number' ? due : (await transaction.timers.now()) + due.in
          },
        }),
      }),
    run: ({ timers }, [timer]) => timers.set(timer),
  }),
  laterDocuments('rows of a handler are written after the commit', 'counts'),
  laterDocuments('an inline view changes after the commit', 'flow'),
]

const granted: readonly Mutant[] = [
  around('an unknown outcome is taken for success', (database) => async (work, options) => {
    let done: { readonly value: Awaited<ReturnType<typeof work>> } | undefined
    try {
      return await database.transact(async (transaction) => {
        const value = await work(transaction)
        done = { value }
        return value
      }, options)
    } catch (error) {
      if (done !== undefined && isThenceError(error, 'OUTCOME_UNKNOWN')) return done.value
      throw error
    }
  }),
  around('an answer is given before the commit', (database) => (work, options) => {
    return new Promise((resolve, reject) => {
      database
        .transact(async (transaction) => {
          const value = await work(transaction)
          resolve(value)
          return value
        }, options)
        .catch(reject)
    })
  }),
  around('a checkpoint that someone else has moved is written all the same', (database) => {
    return (work, options) =>
      database.transact(
        (transaction) =>
          work(
            withMoves(transaction, async (checkpoints, move) => {
              await checkpoints.move(...move)
              return true
            }),
          ),
        options,
      )
  }),
  around('a retry is done without looking whether it is still due', (database) => {
    const known = new Map<string, Retry>()
    return (work, options) =>
      database.transact(
        (transaction) =>
          work(
            overlay(transaction, {
              retries: overlay(transaction.retries, {
                put: async (row) => {
                  known.set(`${row.subscription} ${row.position}`, row)
                  await transaction.retries.put(row)
                },
                find: async (...at) =>
                  (await transaction.retries.find(...at)) ?? known.get(at.join(' ')),
              }),
              checkpoints: overlay(transaction.checkpoints, { holds: async () => true }),
            }),
          ),
        options,
      )
  }),
]

const started: readonly Mutant[] = [
  {
    name: 'the inbox is emptied at each start',
    make: () => ({
      above: (database) =>
        overlay(database, {
          open: async (runtime) => {
            await database.open(runtime)
            await database.transact(({ inbox }) => inbox.trim(Number.MAX_SAFE_INTEGER, 1_000_000))
          },
        }),
    }),
  },
  {
    name: 'what another process appends is never noticed',
    make: () => ({
      above: (database) =>
        faulty(database, { name: '', ports: () => ({ events: { head: async () => 0 } }) }),
    }),
  },
]

/** Answers that are lost, and processes that stand still at the wrong moment. */
const losses = { lostRequest: 8, lostReply: 4, pause: 4, restart: 3, passingError: 4, duplicate: 6 }

export const roomMutants: readonly Mutant[] = [...apart, ...under(losses, [...granted, ...started])]
