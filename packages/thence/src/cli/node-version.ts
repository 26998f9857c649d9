/**
 * Which node can run the command: one with node:sqlite that can open a file without creating it.
 */

const least = [22, 18] as const

/** What to tell whoever runs an older node; nothing if it is new enough. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > least[0] || (major === least[0] && minor >= least[1])) return undefined
  return (
    `error: thence needs Node ${least.join('.')} or newer, for node:sqlite; this is Node ${version}. ` +
    'Install a newer Node, or run: npx node@24 node_modules/thence/dist/cli/main.js'
  )
}
