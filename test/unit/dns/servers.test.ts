import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Servers } from '../../../src/dns/servers.ts'
import { ManualClock } from './manual-clock.ts'

function threeServers() {
  const clock = new ManualClock()
  const lines: string[] = []
  const note = (facts: Readonly<Record<string, unknown>>, text: string): void => void lines.push(`${String(facts['server'])} ${text}`)
  const servers = new Servers(['192.0.2.1', '192.0.2.2', '2001:db8::3'].map((host) => ({ host, port: 53 })), clock, { debug: note, info: note, warn: note, error: note })
  return { clock, lines, servers, order: () => servers.inOrder().map(({ name }) => /(\d)\]?:53$/.exec(name)?.[1]).join('') }
}

test('as configured; silent ones last, the one silent for the longest first', () => {
  const { clock, servers, order } = threeServers()
  const [one, two] = servers.all
  assert.equal(order(), '123')
  servers.wasSilent(one!, 'test')
  assert.equal(order(), '231')
  clock.advance(100)
  servers.wasSilent(two!, 'test')
  assert.equal(order(), '312')
  servers.answered(two!)
  assert.equal(order(), '231')
})

test('after half a minute one look-up tries it first, the others do not', () => {
  const { clock, servers, order } = threeServers()
  servers.wasSilent(servers.all[0]!, 'test')
  clock.advance(29_999)
  assert.equal(order(), '231')
  clock.advance(1)
  assert.equal(order(), '123')
  assert.equal(order(), '231')
  clock.advance(30_000)
  assert.equal(order(), '123')
  servers.answered(servers.all[0]!)
  assert.equal(order(), '123')
  assert.equal(order(), '123')
})

test('the log has its silence once, and its return', () => {
  const { lines, servers } = threeServers()
  const three = servers.all[2]!
  servers.answered(three)
  servers.wasSilent(three, 'test')
  servers.wasSilent(three, 'test')
  servers.answered(three)
  servers.answered(three)
  assert.deepEqual(lines, ['[2001:db8::3]:53 DNS server does not answer', '[2001:db8::3]:53 DNS server answers again'])
})
