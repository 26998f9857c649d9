// What an operator sets for a subscription: from the app and from outside of it, kept in the store, shown and audited.
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { adapters, startTroubled } from '../kit/troubled-run.ts'

const settingsOf = async (on: admin.On, name: string) => {
  const found = (await admin.subscriptions(on)).find((one) => one.name === name)
  return { state: found?.state, paused: found?.paused, policy: found?.policy }
}

const acts = async (on: admin.On) =>
  (await admin.audit(on)).map(
    ({ actor, action, target, reason, details }) =>
      `${actor} ${action} ${target} ${reason ?? '-'} ${JSON.stringify(details)}`,
  )

describe.each(adapters)('on %s', (_, make) => {
  test('a pause is shown with who, when and why, and ends with resume', async () => {
    const { on, shop } = await startTroubled(make())
    await shop.pause('mailer', { reason: 'the mail server moves', actor: 'ann' })
    const paused = { reason: 'the mail server moves', actor: 'ann', time: on.runtime.now() }
    expect(await settingsOf(on, 'mailer')).toEqual({ state: 'paused', paused, policy: null })
    const { attention } = await admin.status(on)
    expect(attention).toMatchObject([
      {
        name: 'mailer',
        what: 'paused by ann: the mail server moves',
        since: paused.time,
        advice: 'thence subscriptions resume mailer',
      },
    ])
    await shop.resume('mailer')
    expect(await settingsOf(on, 'mailer')).toMatchObject({ state: 'caught-up', paused: null })
    expect(await acts(on)).toEqual([
      `api subscription.resume mailer - {"pausedSince":${paused.time}}`,
      'ann subscription.pause mailer the mail server moves {}',
    ])
  })

  test('what changes nothing is neither refused nor audited, and the first pause keeps its reason', async () => {
    const { on } = await startTroubled(make())
    await admin.resume(on, 'mailer')
    await admin.setPolicy(on, 'mailer', { policy: null })
    expect(await acts(on)).toEqual([])
    await admin.pause({ ...on, actor: 'ann' }, 'mailer', { reason: 'first' })
    const again = await admin.pause({ ...on, actor: 'bob' }, 'mailer', { reason: 'second' })
    expect(again.paused).toMatchObject({ actor: 'ann', reason: 'first' })
    expect(await acts(on)).toHaveLength(1)
  })

  test('a pause is seen however many other subscriptions have settings', async () => {
    const { on, shop } = await startTroubled(make())
    await shop.pause('mailer')
    await on.database.transact(async ({ documents }) => {
      for (let n = 0; n < 1000; n += 1) await documents.put('$settings', `kept-${n}`, '{}')
    })
    expect(await settingsOf(on, 'mailer')).toMatchObject({ state: 'paused' })
  })

  test('a failure policy is set, changed and given back, beside a pause', async () => {
    const { on, shop } = await startTroubled(make())
    await shop.setPolicy('mailer', 'skip', { reason: 'it is only mail' })
    await admin.pause(on, 'mailer')
    await admin.setPolicy({ ...on, actor: 'bob' }, 'mailer', { policy: 'park-message' })
    expect(await settingsOf(on, 'mailer')).toMatchObject({
      state: 'paused',
      policy: 'park-message',
    })
    await shop.resume('mailer')
    expect(await settingsOf(on, 'mailer')).toMatchObject({ paused: null, policy: 'park-message' })
    await shop.setPolicy('mailer', null)
    expect(await settingsOf(on, 'mailer')).toMatchObject({ policy: null })
    const policies = await admin.audit(on, { action: 'subscription.policy' })
    expect(policies.map(({ details }) => details)).toEqual([
      { policy: null, before: 'park-message' },
      { policy: 'park-message', before: 'skip' },
      { policy: 'skip', before: null },
    ])
  })

  test('what is set for one subscription is not set for another', async () => {
    const { on, shop } = await startTroubled(make())
    await shop.pause('mailer')
    await shop.setPolicy('payment', 'stop')
    expect(await settingsOf(on, 'mailer')).toMatchObject({ state: 'paused', policy: null })
    expect(await settingsOf(on, 'payment')).toMatchObject({ state: 'caught-up', policy: 'stop' })
  })

  test('what does not follow the log has no settings', async () => {
    const { on, shop } = await startTroubled(make())
    await expect(shop.pause('mailr')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(shop.pause('paid')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(admin.pause(on, 'mailr')).rejects.toThrow('Did you mean mailer?')
    await expect(admin.pause(on, 'paid')).rejects.toMatchObject({ code: 'STATE_INVALID' })
    const wrong = 'later' as 'skip'
    await expect(shop.setPolicy('mailer', wrong)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const word = 'default' as 'skip'
    await expect(shop.setPolicy('mailer', word)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('null sets it back to what the handler says.'),
    })
    expect(await acts(on)).toEqual([])
  })

  test('a stopped app changes nothing any more', async () => {
    const { shop } = await startTroubled(make())
    await shop.stop()
    await expect(shop.pause('mailer')).rejects.toMatchObject({ code: 'APP_STOPPED' })
  })
})
