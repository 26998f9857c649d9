// What holds of the office in the end, whatever happened and whatever its operator did.
import { strict as assert } from 'node:assert'
import type { SimulationEnd } from '../../src/testing/simulate/scenario.ts'
import type { OfficeCommands } from './office.ts'

type End = SimulationEnd<OfficeCommands, never>

const dataOf = <T>({ messages }: End, type: string): readonly T[] =>
  messages.filter((message) => message.type === type).map(({ data }) => data as T)

/** What holds in the end. */
export const officeInvariants = {
  'a bill is paid once': async (end: End) => {
    const paid = dataOf<{ bill: string; amount: number }>(end, 'Paid')
    assert.equal(new Set(paid.map(({ bill }) => bill)).size, paid.length)
    const sum = await end.app.database.read(({ documents }) => documents.get('till', 'sum'))
    assert.equal(
      Number(sum ?? 0),
      paid.reduce((total, { amount }) => total + amount, 0),
    )
  },
  'a bill that is paid is filed': (end: End) => {
    const papers = new Set(dataOf<{ paper: string }>(end, 'File').map(({ paper }) => paper))
    for (const { bill } of dataOf<{ bill: string }>(end, 'Paid'))
      assert.ok(papers.has(`bill-${bill}`), `${bill} was paid, and is not filed`)
  },
  'a reminder comes once': (end: End) => {
    const reminders = dataOf<{ of: string }>(end, 'Remind').map(({ of }) => of)
    assert.equal(new Set(reminders).size, reminders.length)
  },
  'a paper that was filed was read, or waits': (end: End) => {
    const read = new Set(
      end.outside.filter(({ name }) => name === 'read').map(({ value }) => value as string),
    )
    const waiting = new Set(
      end.letters.filter(({ subscription }) => subscription === 'reading').map(({ key }) => key),
    )
    for (const { paper, desk } of dataOf<{ paper: string; desk: string }>(end, 'Filed'))
      assert.ok(read.has(paper) || waiting.has(desk), `${paper} was filed, and nobody has read it`)
  },
}
