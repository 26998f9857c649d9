// A cable between two networks of this machine, which can be pulled: what is sent then is gone, and neither side is told.
import { execFileSync, spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'

const ip = (text: string): void => void execFileSync('ip', text.split(' '), { stdio: 'pipe' })

const name = `thence${process.pid}`

/** Why there is none here; undefined if there is. */
export const noNetwork: string | undefined = (() => {
  const made = spawnSync('ip', ['netns', 'add', `${name}-try`], { encoding: 'utf8' })
  if (made.error !== undefined) return 'ip is not installed: apt-get install iproute2'
  if (made.status !== 0) return `ip netns add: ${made.stderr.trim()}`
  ip(`netns delete ${name}-try`)
  return undefined
})()

export interface Cable {
  /** Of this end. */
  readonly address: string
  /** What starts a process at the other end. */
  readonly inside: readonly string[]
  cut(): void
  mend(): void
}

/** It is taken away when the test is over. */
export const network = (): Cable => {
  const [here, there] = [`th${process.pid}a`, `th${process.pid}b`]
  const net = `10.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`
  ip(`netns add ${name}`)
  onTestFinished(() => ip(`netns delete ${name}`))
  ip(`link add ${here} type veth peer name ${there} netns ${name}`)
  ip(`address add ${net}.1/24 dev ${here}`)
  ip(`link set ${here} up`)
  const inside = ['ip', 'netns', 'exec', name]
  ip(`-n ${name} address add ${net}.2/24 dev ${there}`)
  ip(`-n ${name} link set ${there} up`)
  return {
    address: `${net}.1`,
    inside,
    cut: () => ip(`link set ${here} down`),
    mend: () => ip(`link set ${here} up`),
  }
}
