// Prints what a test run came to, from vitest's JSON report: `N passed, N failed` on a line of its own.
// A report that is missing or holds no test is a failure: nothing was proven.
import { readFileSync } from 'node:fs'

type Report = {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly success: boolean
}

const [file = '.vitest-report.json'] = process.argv.slice(2)
const report = JSON.parse(readFileSync(file, 'utf8')) as Report
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`)
if (!report.success || report.numPassedTests === 0) process.exitCode = 1
