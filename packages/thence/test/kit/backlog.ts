// A program that follows a long log with little memory: `node backlog.ts FILE`. It prints what its view says.
import { DatabaseSync } from 'node:sqlite'
import { app, documents, event, plain, projection, query } from 'thence'
import { sqlite } from 'thence/sqlite'

export const Filed = event('Filed', plain<{ n: number; text: string }>())
const Total = query('Total', { input: plain<null>(), output: plain<number>() })

const totals = projection('totals', {
  view: documents<{ sum: number }>(),
  on: (on) =>
    on(Filed, ({ data }, view) =>
      view.update('all', (before) => ({ sum: (before?.sum ?? 0) + data.n })),
    ),
  answers: (on) => on(Total, async (_, view) => (await view.get('all'))?.sum ?? 0),
})

const main = async (path: string): Promise<void> => {
  let handled = 0
  // How durable it is does not matter here.
  const database = sqlite({ database: new DatabaseSync(path), synchronous: 'off' })
  await using running = await app({ database })
    .use(totals)
    .handle('clerk', Filed, () => void (handled += 1))
    .start()
  await running.whenIdle()
  process.stdout.write(JSON.stringify({ sum: await running.ask(Total(null)), handled }))
}

if (import.meta.main) await main(process.argv[2] ?? '')
