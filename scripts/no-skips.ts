// Where every server is at hand (THENCE_REQUIRE_ALL=1), a skipped test is a failure: this vitest reporter names each.
import type { Reporter, TestModule } from 'vitest/node'

export class NoSkips implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map(
        (test) => `${module.relativeModuleId} > ${test.fullName}${reason(test.result())}`,
      ),
    )
    if (skipped.length === 0) return
    console.error(`\nTHENCE_REQUIRE_ALL=1, but ${skipped.length} tests were skipped:`)
    for (const line of skipped) console.error(`  ${line}`)
    process.exitCode = 1
  }
}

function reason(result: { readonly note?: string | undefined } | object): string {
  return 'note' in result && result.note ? ` (${result.note})` : ''
}
