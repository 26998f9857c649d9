/** Runs the conformance cases under vitest. What an adapter lacks is skipped with its reason in the title. */
import { describe, expect, test } from 'vitest'
import { type Case, cases as every, type Make } from '../../src/conformance/index.ts'
import type { Capabilities } from '../../src/ports/database.ts'

export interface Defined extends Capabilities {
  /** Only cases of these ports; default: of all. */
  readonly ports?: readonly Case['port'][]
}

/** One test per case. What the adapter says of itself is checked against what it makes. */
export function defineConformance(name: string, defined: Defined, make: Make): void {
  const { ports, ...capabilities } = defined
  const cases = every.filter(({ port }) => ports?.includes(port) !== false)
  const reasonAgainst = (one: Case): string | undefined => one.requires?.(capabilities)
  const applicable = cases.filter((one) => reasonAgainst(one) === undefined)
  // What a capability rules out isn't missing, so it is no test at all where every skip is a failure.
  const others = process.env['THENCE_REQUIRE_ALL'] === '1' ? [] : cases

  describe(`${name} keeps the promises of the ports`, () => {
    test('it can do what it says', async () => {
      const subject = await make()
      await subject.dispose()
      expect(subject.database.capabilities).toEqual(capabilities)
    })

    test.each(applicable.map((one) => [one.port, one.name, one] as const))(
      '%s: %s',
      async (_port, _name, one) => one.run(make),
    )

    test.for(
      others
        .filter((one) => !applicable.includes(one))
        .map((one) => [one.port, one.name, reasonAgainst(one)] as const),
    )('%s: %s (not here: %s)', ([, , reason], { skip }) => skip(reason))
  })
}
