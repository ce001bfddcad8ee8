/**
 * No configuration that is accepted serves strangers: the examples, and
 * configurations that try to. What the running gateway makes of them is
 * proved in test/unit/open-relay.test.ts.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { networkMatcher } from '../../../src/config/networks.ts'
import { describeError } from '../../../src/config/problem.ts'
import type { ListenerSettings, Settings } from '../../../src/config/settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { exampleNames, loadExample, loadFrom } from '../../support/settings.ts'

/** Public addresses all over the Internet, the same in every run. */
function strangers(count: number): readonly string[] {
  let state = 5321
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  const found: string[] = []
  const unrouted = networkMatcher(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10'])
  while (found.length < count) {
    const value = next()
    const address = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
    if (!unrouted(address)) found.push(address, `2${(next() % 4096).toString(16).padStart(3, '0')}:${(next() >>> 16).toString(16)}::${(next() >>> 16).toString(16)}`)
  }
  return found
}

const STRANGERS = strangers(4000)

/** Every form in which a stranger's IPv4 address may reach a server. */
function disguises(address: string): readonly string[] {
  if (address.includes(':')) return [address]
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  return [address, `::ffff:${address}`, `::ffff:${hex}`, `::${address}`, `64:ff9b::${address}`, `64:ff9b:1::${address}`, `::ffff:0:${address}`, `2002:${hex}::1`]
}

/** Strangers who could send to anybody. */
function served(settings: Settings): readonly string[] {
  const list = (listener: ListenerSettings): readonly string[] => [...listener.clients, ...listener.trust.proxy, ...listener.trust.xclient, ...listener.trust.xforward]
  const outbound = settings.listeners.filter(({ role }) => role === 'outbound').map((listener) => networkMatcher(list(listener)))
  return STRANGERS.filter((stranger) => disguises(stranger).some((address) => outbound.some((matches) => matches(address))))
}

function outbound(rest: string, name = 'out', port = 10027): string {
  return `  - { name: ${name}, role: outbound, listen: "0.0.0.0:${port}", next: smarthost, ${rest} }\n`
}

const load = (listeners: string, environment: Record<string, string> = {}): ReturnType<typeof loadFrom> =>
  loadFrom(`listeners:\n${listeners}hops: { smarthost: { smtp: "mail.relay.example:587" } }\n`, { cwd: '/', environment })

for (const name of exampleNames()) {
  test(`${name} serves no stranger`, () => {
    const loaded = loadExample(name, temporaryDirectory('config'))
    assert.ok(loaded.status === 'ok')
    assert.deepEqual(served(loaded.settings), [])
    for (const listener of loaded.settings.listeners) {
      assert.ok(listener.role === 'outbound' ? listener.clients.length > 0 : loaded.settings.domains.size > 0)
      if (listener.role === 'inbound') assert.deepEqual(listener.clients, [])
    }
  })
}

const WORLDS: readonly string[] = [
  '0.0.0.0/0', '::/0', '0.0.0.0/1, 128.0.0.0/1', '::/1, 8000::/1', '::ffff:0:0/96', '::ffff:0.0.0.0/96', '::ffff:0:0/97, ::ffff:8000:0/97', '::/96', '::/64', '::/32', '::ffff:0:0:0/96',
  '64:ff9b::/96', '64:ff9b:1::/48', '64:ff9b:1::/96', '2002::/16', '2001::/32', '2000::/3', '10.0.0.0/7', '0.0.0.0', '::', 'all', 'any', '*', '0/0', '10.0.0.1/0', 'fe80::/1', '224.0.0.0/3',
  '10.0.0.0/8, 0.0.0.0/0', 'unix, ::/0', '1.0.0.0/8', '2a00::/16',
]

test('no list of an outbound listener may hold the world, in whatever notation', () => {
  for (const world of WORLDS) {
    const list = `[${world.split(', ').map((one) => JSON.stringify(one)).join(', ')}]`
    for (const rest of [`clients: ${list}`, `trust: { proxy: ${list} }`, `trust: { xclient: ${list} }`, `trust: { xforward: ${list} }`, `clients: &w ${list}, trust: { proxy: *w }`]) {
      const loaded = load(outbound(rest))
      assert.ok(loaded.status === 'invalid', rest)
      assert.match(loaded.errors.map(describeError).join('\n'), /listeners\[0\]\.(?:clients|trust\.\w+)/)
    }
  }
})

test('nor by way of the environment', () => {
  for (const world of WORLDS) {
    for (const variable of ['CLIENTS', 'TRUST_PROXY', 'TRUST_XCLIENT', 'TRUST_XFORWARD']) {
      assert.equal(load(outbound('received: true'), { [`POSTERN_LISTENERS_OUT_${variable}`]: world }).status, 'invalid', `${variable}=${world}`)
    }
  }
})

test('trusted peers of an inbound listener are bounded too: they speak for every client', () => {
  const text = (list: string): string => `listeners: [{ name: in, role: inbound, listen: "0.0.0.0:25", next: b, trust: { xclient: ["${list}"] } }]\nhops: { b: { smtp: "10.0.0.1:25" } }\ndomains: [example.org]\n`
  assert.equal(loadFrom(text('0.0.0.0/0'), { cwd: '/' }).status, 'invalid')
  assert.equal(loadFrom(text('10.0.0.0/8'), { cwd: '/' }).status, 'ok')
})

test('the world cannot be put together out of small pieces', () => {
  const slice = (from: number, count: number): string => `[${Array.from({ length: count }, (_, i) => `${((from + i) >> 8) + 1}.${(from + i) & 255}.0.0/16`).join(', ')}]`
  const within = load(outbound(`clients: ${slice(0, 256)}`))
  assert.ok(within.status === 'ok')
  assert.ok(served(within.settings).length < STRANGERS.length / 50, 'at most one in 256 of IPv4')
  const tooLong = load(outbound(`clients: ${slice(0, 257)}`))
  assert.ok(tooLong.status === 'invalid')
  assert.match(tooLong.errors.map(describeError).join('\n'), /clients: found 257 entries; allowed: at most 256/)
  for (const second of [outbound(`clients: ${slice(256, 1)}`, 'more', 10029), outbound(`trust: { proxy: ${slice(256, 1)} }`, 'more', 10029), outbound(`trust: { xclient: ${slice(256, 1)} }`, 'more', 10029)]) {
    const spread = load(outbound(`clients: ${slice(0, 256)}`) + second)
    assert.ok(spread.status === 'invalid')
    assert.match(spread.errors.map(describeError).join('\n'), /listeners: the public IPv4 networks that outbound listeners serve or trust are together wider than a \/8/)
  }
  const again = load(outbound(`clients: ${slice(0, 256)}`) + outbound(`clients: ${slice(0, 256)}`, 'more', 10029))
  assert.equal(again.status, 'ok', 'the same networks twice are no more than once')
})

test('nor in IPv6, where a site has a /48', () => {
  const slice = (from: number, count: number): string => `[${Array.from({ length: count }, (_, i) => `"2a00:${(from + i).toString(16)}::/32"`).join(', ')}]`
  assert.equal(load(outbound(`clients: ${slice(1, 256)}`)).status, 'ok')
  assert.equal(load(outbound(`clients: ${slice(1, 256)}`) + outbound(`clients: ${slice(257, 1)}`, 'more', 10029)).status, 'invalid')
})

test('inbound never has clients, and takes no pattern for a domain', () => {
  const text = (domain: string): string => `listeners: [{ name: in, role: inbound, listen: "0.0.0.0:25", next: b }]\nhops: { b: { smtp: "10.0.0.1:25" } }\ndomains: [${JSON.stringify(domain)}]\n`
  for (const domain of ['*', '*.org', '.org', '.', '', '%', '@', '/.*/', '[0.0.0.0/0]', '[*]', 'example.org/24', '"*"', '**']) {
    assert.equal(loadFrom(text(domain), { cwd: '/' }).status, 'invalid', domain)
  }
  const clients = loadFrom('listeners: [{ name: in, role: inbound, listen: "0.0.0.0:25", next: b, clients: [10.0.0.0/8] }]\nhops: { b: { smtp: "10.0.0.1:25" } }\ndomains: [a.example]\n', { cwd: '/' })
  assert.equal(clients.status, 'invalid')
})

test('the default of an outbound listener is this machine alone', () => {
  const loaded = load(outbound('received: true'))
  assert.ok(loaded.status === 'ok')
  const matches = networkMatcher(loaded.settings.listeners[0]?.clients ?? [])
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', undefined]) assert.equal(matches(address), true)
  for (const address of ['10.0.0.1', '192.168.0.1', 'fe80::1', '::2', '::ffff:10.0.0.1', '::127.0.0.1', '0.0.0.0', '::']) assert.equal(matches(address), false, address)
  assert.deepEqual(served(loaded.settings), [])
})
