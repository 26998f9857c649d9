import { expect, it } from 'vitest'
import { Gather } from './gather.ts'

/** Answers that tell which questions shared a call. */
const shared =
  (calls: string[][]) =>
  async (questions: readonly string[]): Promise<readonly string[]> => {
    calls.push([...questions])
    return questions.map((question) => `${question}!`)
  }

it('what is asked in one tick shares a call, and each has its own answer', async () => {
  const calls: string[][] = []
  const [gather, answering] = [new Gather(), shared(calls)]
  const answers = await Promise.all(['a', 'b', 'c'].map((one) => gather.ask(answering, one, one)))
  expect(answers).toEqual(['a!', 'b!', 'c!'])
  expect(calls).toEqual([['a', 'b', 'c']])
  expect(await gather.ask(answering, 'd', 'd')).toBe('d!')
})

it('what is asked while a call is under way shares the next', async () => {
  const calls: string[][] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const gather = new Gather()
  const answering = async (questions: readonly string[]): Promise<readonly string[]> => {
    calls.push([...questions])
    if (calls.length === 1) await promise
    return questions
  }
  const first = gather.ask(answering, 'a', 'a')
  await Promise.resolve()
  const others = ['b', 'c'].map((one) => gather.ask(answering, one, one))
  resolve()
  await Promise.all([first, ...others])
  expect(calls).toEqual([['a'], ['b', 'c']])
})

it('kinds go apart, but what is about the same keeps its order', async () => {
  const calls: string[][] = []
  const [gather, reading, writing] = [new Gather(), shared(calls), shared(calls)]
  await Promise.all([
    gather.ask(writing, 'a', 'write a'),
    gather.ask(reading, 'a', 'read a'),
    gather.ask(writing, 'b', 'write b'),
    gather.ask(writing, 'a', 'write a again'),
    gather.ask(reading, 'b', 'read b'),
  ])
  expect(calls).toEqual([['write a', 'write b'], ['read a', 'read b'], ['write a again']])
})

it('a call that fails fails for all who shared it, and nobody after them', async () => {
  const gather = new Gather()
  let fails = true
  const answering = async (questions: readonly string[]): Promise<readonly string[]> => {
    if (fails) throw new Error('away')
    return questions
  }
  const both = await Promise.allSettled(['a', 'b'].map((one) => gather.ask(answering, one, one)))
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  expect(await gather.ask(answering, 'a', 'a')).toBe('a')
})
