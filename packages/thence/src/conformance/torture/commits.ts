/**
 * Traps about the order of commits: positions or ids of transactions are given in one order, and become visible in another.
 */
import type { Player } from './player.ts'
import type { Trap } from './trap.ts'

const slowCommit: Trap = {
  name: 'a commit is slow, and others append meanwhile',
  needs: ['begin'],
  async play(stage) {
    const [slow, quick, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    void slow.begin()
    void slow.append('slow', 'slow 1')
    await stage.calm()
    void quick.append('quick', 'quick 1')
    void quick.append('quick', 'quick 2')
    await stage.calm()
    void reader.poll()
    await stage.calm()
    void slow.commit()
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
}

const waited = (how: 'commit' | 'rollback'): Trap => ({
  name: `an append waits for another, and has its transaction id already (${how})`,
  needs: ['begin'],
  async play(stage) {
    const [first, waiting, between] = [
      await stage.player(),
      await stage.player(),
      await stage.player(),
    ]
    const reader = await stage.subscriber()
    void first.begin()
    void first.append('shared', 'first')
    await stage.calm()
    void waiting.append('shared', 'waited')
    await stage.calm()
    void between.begin()
    void between.append('other', 'between')
    await stage.calm()
    void first[how]()
    await stage.calm()
    void reader.poll()
    await stage.calm()
    void between.commit()
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
})

const ownedBefore: Trap = {
  name: 'a transaction has its id long before it appends, and commits before a younger one',
  needs: ['begin', 'touch'],
  async play(stage) {
    const [early, young, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    void early.begin()
    void early.touch()
    await stage.calm()
    void young.begin()
    void young.append('young', 'young 1')
    await stage.calm()
    void early.append('early', 'early 1')
    void early.commit()
    await stage.calm()
    void reader.poll()
    await stage.calm()
    void young.commit()
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
}

/** `early` begins in some way; another appends to a stream meanwhile, and then `early` appends to the same one. */
const overtaken = (trap: Pick<Trap, 'name' | 'needs'>, begin: (early: Player) => void): Trap => ({
  ...trap,
  async play(stage) {
    const [early, quick, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    void early.begin()
    begin(early)
    await stage.calm()
    void quick.append('shared', 'quick 1')
    await stage.calm()
    void reader.poll()
    await stage.calm()
    void early.append('shared', 'early 2')
    void early.commit()
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
})

const streamOfAnother = overtaken(
  {
    name: 'a transaction has its id before another appends to the stream that it appends to',
    needs: ['begin', 'touch'],
  },
  (early) => void early.touch(),
)

const appendedElsewhere = overtaken(
  {
    name: 'a transaction appends to one stream, and then to one to which another appended meanwhile',
    needs: ['begin'],
  },
  (early) => void early.append('elsewhere', 'early 1'),
)

const rolledBack: Trap = {
  name: 'appends are rolled back while others append to the same stream',
  needs: ['begin'],
  async play(stage) {
    const [fickle, steady, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    for (let round = 1; round <= 5; round += 1) {
      void fickle.begin()
      void fickle.append('shared', `undone ${round}`)
      await stage.calm()
      void steady.append('shared', `kept ${round}`)
      await stage.calm()
      void reader.poll()
      await stage.calm()
      void fickle.rollback()
      await stage.calm()
      void reader.poll()
      await stage.done()
    }
  },
}

const savepoints: Trap = {
  name: 'an append is undone with its savepoint, another appends, and the transaction appends again',
  needs: ['begin', 'savepoint'],
  async play(stage) {
    const [careful, quick, reader] = [
      await stage.player(),
      await stage.player(),
      await stage.subscriber(),
    ]
    void careful.begin()
    void careful.savepoint()
    void careful.append('shared', 'undone')
    void careful.release(false)
    await stage.calm()
    void quick.append('shared', 'quick 1')
    await stage.calm()
    void reader.poll()
    await stage.calm()
    void careful.savepoint()
    void careful.append('shared', 'kept')
    void careful.release(true)
    await stage.calm()
    void quick.append('shared', 'quick 2')
    await stage.calm()
    void careful.commit()
    await stage.calm()
    void reader.poll()
    await stage.done()
  },
}

export const commitTraps: readonly Trap[] = [
  slowCommit,
  waited('commit'),
  waited('rollback'),
  ownedBefore,
  streamOfAnother,
  appendedElsewhere,
  rolledBack,
  savepoints,
]
