// Every act of an operator leaves an entry in the audit log; a refused one leaves none.
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { adapters, startTroubled } from '../kit/troubled-run.ts'
import { noTrouble } from '../kit/troubled-shop.ts'

const told = async (on: admin.On, options?: admin.AuditOptions) =>
  (await admin.audit(on, options)).map(
    ({ actor, action, target, reason }) => `${actor} ${action} ${target} ${reason ?? '-'}`,
  )

describe.each(adapters)('on %s', (_, make) => {
  test('acts are told with who, what, why and when, the latest first', async () => {
    const trouble = noTrouble()
    for (const id of ['1', '2']) trouble.mailer.add(id)
    const { on, place, parked } = await startTroubled(make(), trouble)
    await place('1', '2')
    const [first, second] = await parked('mailer')
    const ann = { ...on, actor: 'ann@ops-1' }
    await admin.redrive(ann, first!.id)
    await admin.discard(on, second!.id, '  sent by\nhand ')
    await admin.askRebuild(on, 'totals')
    expect(await told(on)).toEqual([
      'api projection.rebuild totals -',
      `api dead-letter.discard ${second!.id} sent by hand`,
      `ann@ops-1 dead-letter.redrive ${first!.id} -`,
    ])
    const [discarded] = await admin.audit(on, { action: 'dead-letter.discard' })
    expect(discarded).toMatchObject({
      time: on.runtime.now(),
      details: { subscription: 'mailer', key: 'order-2', position: second!.position },
    })
    expect(await told(on, { target: first!.id })).toHaveLength(1)
    expect(await told(on, { before: discarded!.id })).toHaveLength(1)
    expect(await told(on, { limit: 2 })).toHaveLength(2)
  })

  test('an act that is refused is not in it', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    const { on, place, parked } = await startTroubled(make(), trouble)
    await place('1')
    const [letter] = await parked('mailer')
    await admin.discard(on, letter!.id, 'once')
    await expect(admin.discard(on, letter!.id, 'twice')).rejects.toThrow('nothing to give up')
    await expect(admin.redrive(on, letter!.id)).rejects.toThrow('Only a parked one')
    await expect(admin.askRebuild(on, 'mailer')).rejects.toThrow('Only projections')
    expect(await told(on)).toEqual([`api dead-letter.discard ${letter!.id} once`])
  })

  test('an act whose entry cannot be written does not happen', async () => {
    const trouble = noTrouble()
    trouble.mailer.add('1')
    const { on, place, parked } = await startTroubled(make(), trouble)
    await place('1')
    const [letter] = await parked('mailer')
    const runtime = {
      ...on.runtime,
      now: () => on.runtime.now(),
      id: (): string => {
        throw new Error('no more ids')
      },
    }
    await expect(admin.discard({ ...on, runtime }, letter!.id, 'x')).rejects.toThrow('no more ids')
    expect(await parked('mailer')).toHaveLength(1)
  })
})
