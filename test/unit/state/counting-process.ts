/**
 * A process that counts, for the test of the shared counters. Arguments: the
 * directory, the time it is, what to count. On the input: `count N`, `begin`,
 * `exchange`, `close`; each is answered with one line.
 */
import { createInterface } from 'node:readline'
import { DatabaseCounters } from '../../../src/state/shared-counters.ts'

const [directory = '', now = '', key = ''] = process.argv.slice(2)
const silent = (): void => undefined
const counters = new DatabaseCounters(directory, {
  now: () => Number(now),
  log: { debug: silent, info: silent, warn: (facts, text) => console.error(text, facts), error: silent },
})

for await (const line of createInterface(process.stdin)) {
  const [what, number] = line.split(' ')
  switch (what) {
    case 'count': {
      let count = 0
      for (let i = 0; i < Number(number); i++) {
        count = counters.add(key, 1, 60_000)
        if (i % 10 === 0) counters.exchange()
      }
      console.log(count)
      break
    }
    case 'begin':
      console.log(counters.begin(key))
      break
    case 'exchange':
      counters.exchange()
      console.log(counters.add(key, 0, 60_000))
      break
    case 'close':
      counters.close()
      console.log('closed')
      process.exit(0)
      break
    default:
      throw new Error(`not understood: ${line}`)
  }
}
