/** Random operations that remove messages, end streams and count what is there. */
import * as fc from 'fast-check'
import { define, limit, name, type Operation, place, small, types } from './operation.ts'

export const history: readonly fc.Arbitrary<Operation>[] = [
  define(
    'trim',
    fc.record({ stream: name, through: fc.integer({ min: 1, max: 4 }), limit }),
    ({ events: log }, { stream, ...options }) => log.trim(stream, options),
  ),
  define('tombstone', fc.tuple(name, small), async ({ events: log }, [stream, chance]) => [
    chance === 0 && (await log.tombstone(stream)),
    (await log.stream(stream)) ?? 'none',
  ]),
  define('places', fc.tuple(place, limit), async ({ events: log }, [after, most]) => [
    await log.places({ after, limit: most }),
    await log.truncated(types),
  ]),
  define('measure', limit, async ({ sizes }, most) => void (await sizes.measure(most))),
]
