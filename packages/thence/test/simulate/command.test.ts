// What `npm run simulate` says of itself, of a wrong call, and of bugs that nobody has caught.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const simulate = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })

describe('the command', { timeout: 240_000 }, () => {
  test('tells how it is called', async () => {
    const { code, stdout } = await simulate('--help')
    expect(code).toBe(0)
    expect(stdout).toContain('--seeds N')
    expect(stdout).toContain('--mutate')
  })

  test.each([
    [['--sedes', '4'], "Unknown option '--sedes'"],
    [['--seeds', 'many'], '--seeds takes a whole number greater than 0, not "many".'],
    [['--workers', '0'], '--workers takes a whole number greater than 0, not "0".'],
    [['--app', 'shop'], '--app takes bank or office, not "shop".'],
    [['ten'], "Unexpected argument 'ten'"],
  ])('refuses %j in one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await simulate(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(sentence)
    expect(stderr).toContain('See: npm run simulate -- --help')
    expect(stderr).not.toContain('    at ')
  })

  test('tells how far it is and what struck', async () => {
    const { code, stdout, stderr } = await simulate('--seeds', '30', '--workers', '1')
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /30 of 30 seeds, [\d.]+ a second, 0 s left; \d+ hazards struck, 0 seeds failed/u,
    )
    expect(stdout).toMatch(/^what happened +times +in seeds\n/u)
    expect(stdout).toContain('Nothing was lost, doubled, out of order or stuck.')
  })

  test('fails if a planted bug is not caught within the seeds', async () => {
    const { code, stdout } = await simulate(
      '--mutate',
      '--app',
      'office',
      '--seeds',
      '1',
      '--workers',
      '1',
    )
    expect(code).toBe(1)
    expect(stdout).toMatch(/^seed +check +planted bug\n/u)
    expect(stdout).toMatch(/none +NOT CAUGHT +/u)
    expect(stdout).toMatch(/ +1 +lost-effect +retention does not ask who has read/u)
    expect(stdout).toMatch(
      /\d+ of \d+ planted bugs were caught; at most 1 seeds were tried for each\.\n$/u,
    )
  })
})
