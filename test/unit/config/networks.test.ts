/** Lists of clients and trusted peers: what may stand in them, and who is in them. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { networkMatcher, parseNetwork, publicAddresses, trustedNetwork } from '../../../src/config/networks.ts'

function accepted(text: string): string | undefined {
  const reading = trustedNetwork.read(text)
  return reading.status === 'read' ? reading.value : undefined
}

test('networks come out in one spelling; a mapped network as the IPv4 one', () => {
  for (const [text, canonical] of [
    ['10.0.0.0/8', '10.0.0.0/8'], ['192.0.2.7', '192.0.2.7'], ['192.0.2.7/32', '192.0.2.7'], ['2001:DB8::/32', '2001:db8::/32'], ['::1/128', '::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'], ['::ffff:10.0.0.0/104', '10.0.0.0/8'], ['::ffff:192.0.2.7', '192.0.2.7'], ['::FFFF:c000:207', '192.0.2.7'], ['unix', 'unix'],
  ] as const) assert.equal(accepted(text), canonical)
})

test('what nobody is routed to from outside may be as wide as it is', () => {
  for (const text of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10', '10.1.0.0/16', '10.0.0.5',
    '::1', 'fc00::/7', 'fd00::/8', 'fe80::/10', 'fd12:3456:789a::/48']) assert.equal(accepted(text), text)
})

test('a public network may be /16 or /32, and no wider', () => {
  assert.equal(accepted('203.0.0.0/16'), '203.0.0.0/16')
  assert.equal(accepted('203.0.0.0/15'), undefined)
  assert.equal(accepted('2001:db8::/32'), '2001:db8::/32')
  assert.equal(accepted('2001:db8::/31'), undefined)
  // Wider than the private network that it begins with.
  for (const text of ['8.0.0.0/6', '10.0.0.0/7', '172.0.0.0/8', '172.16.0.0/11', '192.168.0.0/15', '126.0.0.0/7', '100.0.0.0/9', 'fc00::/6', 'fe80::/9', '::/127/']) {
    assert.equal(accepted(text), undefined, text)
  }
})

test('the world is refused in every notation', () => {
  for (const text of [
    '0.0.0.0/0', '::/0', '0/0', '0', '/0', '*', 'any', 'all', '0.0.0.0', '::', '0.0.0.0/8', '0.0.0.0/1', '128.0.0.0/1', '64.0.0.0/2', '::/1', '8000::/1', '2000::/3', '4000::/2',
    '2000::/4', '3000::/4', '2600::/12', '::ffff:0:0/96', '::ffff:0.0.0.0/96', '::ffff:0:0/97', '::ffff:128.0.0.0/97', '::ffff:0:0/95', '::ffff:0.0.0.0/111', '::ffff:8.0.0.0/110',
    '0:0:0:0:0:FFFF:0:0/96', '::/96', '::/80', '::/64', '::/32', '::8.0.0.0/104', '::ffff:0:0:0/96', '::ffff:0:0:0/64', '64:ff9b::/96', '64:ff9b::/97', '64:ff9b::8.0.0.0/104',
    '64:ff9b::/64', '64:ff9b::/32', '64:ff9b:1::/48', '64:ff9b:1::/96', '64:ff9b:1:5::/64', '2002::/16', '2002::/24', '2002:800::/31', '2001::/32', '2001:0:1234::/48', '2001::/23',
    '224.0.0.0/4', '224.0.0.1', '240.0.0.0/4', '255.255.255.255', 'ff00::/8', 'ff02::1', '0.0.0.0/00', '0.0.0.0/0.0.0.0', '0.0.0.0/-0', '0.0.0.0/+0', '0.0.0.0/ 0', ' 0.0.0.0/0', '0.0.0.0/0 ',
    '0.0.0.0/1,128.0.0.0/1', '0x0.0.0.0/0', '00.0.0.0/0', '1.2.3.4/0', '::1/0', '10.0.0.0/0', '127.0.0.1/0', '[::]/0', '::%eth0/0', 'fe80::%eth0/10', '::/000', 'UNIX', 'unix:', '',
  ]) assert.equal(accepted(text), undefined, text)
})

test('in translation, what is a /16 of IPv4 or narrower may stand', () => {
  for (const text of ['64:ff9b::c000:200/120', '64:ff9b::cb00:0/112', '64:ff9b:1::cb00:7105', '2002:cb00::/32', '2002:cb00:7105::/48']) assert.equal(accepted(text), text)
  assert.equal(accepted('::ffff:203.0.0.0/112'), '203.0.0.0/16')
  assert.equal(accepted('64:ff9b::cb00:0/111'), undefined)
})

test('bits behind the prefix are a mistake, and both meanings are offered', () => {
  const parsed = parseNetwork('10.0.0.5/8')
  assert.ok(parsed.status === 'refused')
  assert.match(parsed.problem, /either 10\.0\.0\.0\/8 or 10\.0\.0\.5/)
  for (const text of ['10.0.0.1/31', '2001:db8::1/64', '::1/127', '10.0.0.0/33', '::/129', '10.0.0/8', '1.2.3.4/16.5', '10.0.0.0/255.0.0.0', '10.0.0.0/08', '::ffff:1.2.3.4/100']) {
    assert.equal(parseNetwork(text).status, 'refused', text)
  }
})

test('public addresses are counted once, private ones not at all', () => {
  assert.equal(publicAddresses(['10.0.0.0/8', 'unix', '127.0.0.1', 'fd00::/8', '::1'], 4), 0n)
  assert.equal(publicAddresses(['203.0.0.0/16', '203.0.113.0/24', '203.1.0.0/16'], 4), 131_072n)
  assert.equal(publicAddresses(['203.0.0.0/16', '2001:db8::/32', '2001:db8::/64'], 6), 1n << 96n)
})

test('an address is in the networks of its family, and a mapped one counts as IPv4', () => {
  const matches = networkMatcher(['10.0.0.0/8', '192.0.2.7', '203.0.113.128/25', 'fd00::/8', '2001:db8::1', '::1'])
  for (const address of ['10.0.0.0', '10.255.255.255', '192.0.2.7', '203.0.113.128', '203.0.113.255', '::ffff:10.1.2.3', '::FFFF:a01:203', 'fd00::', 'fdff:ffff::1',
    '2001:db8::1', '2001:0db8:0:0::0001', '::1', 'fd00::1%eth0']) assert.equal(matches(address), true, address)
  for (const address of ['9.255.255.255', '11.0.0.0', '192.0.2.6', '192.0.2.8', '203.0.113.127', '203.0.114.0', '::ffff:11.0.0.0', 'fc00::', 'fe00::', '2001:db8::2', '2001:db8::', '::', '::2',
    '::10.0.0.1', '64:ff9b::10.0.0.1', '::ffff:0:10.0.0.1', '2002:a00:1::', 'fe80::1%eth0']) assert.equal(matches(address), false, address)
})

test('what is no address is in no list, and only `unix` lets a client without address in', () => {
  const world = networkMatcher(['10.0.0.0/8', 'fd00::/8'])
  for (const text of ['', 'unix', 'localhost', '10.1', '10.0.0.1/8', '10.0.0.1 ', ' 10.0.0.1', '010.0.0.1', '0x0a.0.0.1', '167772161', '10.0.0.1\u0000', '10.0.0.1,1.1.1.1', '[10.0.0.1]', 'fd00::1]']) {
    assert.equal(world(text), false, JSON.stringify(text))
  }
  assert.equal(world(undefined), false)
  assert.equal(networkMatcher(['unix'])(undefined), true)
  assert.equal(networkMatcher(['unix'])('127.0.0.1'), false)
  assert.equal(networkMatcher([])('127.0.0.1'), false)
})

test('a list that was not checked is a bug, not an empty list', () => {
  assert.throws(() => networkMatcher(['10.0.0.0/8', 'anybody']), /not checked/)
})

/** A generator of its own, so that a failure can be seen again. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
}

test('the matcher agrees with a comparison bit by bit, IPv4', () => {
  const next = randomNumbers(25)
  for (let round = 0; round < 200; round++) {
    const networks = Array.from({ length: 1 + next() % 20 }, () => {
      const prefix = next() >>> 27
      const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
      return { first: (next() & mask) >>> 0, mask, prefix }
    })
    const matches = networkMatcher(networks.map(({ first, prefix }) => `${dotted(first)}/${prefix}`))
    for (let i = 0; i < 50; i++) {
      const near = networks[next() % networks.length]!
      // Half of them at the edges of a network, where mistakes are.
      const address = i % 2 === 0 ? next() : [near.first, near.first - 1, (near.first | ~near.mask), (near.first | ~near.mask) + 1][next() >>> 30]! >>> 0
      const expected = networks.some(({ first, mask }) => ((address & mask) >>> 0) === first)
      assert.equal(matches(dotted(address)), expected, `seed round ${round}: ${dotted(address)}`)
      assert.equal(matches(`::ffff:${dotted(address)}`), expected)
    }
  }
})

test('the matcher agrees with a comparison bit by bit, IPv6', () => {
  const next = randomNumbers(1870)
  const words = (value: bigint): string => Array.from({ length: 8 }, (_, i) => ((value >> BigInt(16 * (7 - i))) & 0xffffn).toString(16)).join(':')
  const random128 = (): bigint => [0, 1, 2, 3].reduce((sum) => (sum << 32n) | BigInt(next()), 0n)
  for (let round = 0; round < 100; round++) {
    const networks = Array.from({ length: 1 + next() % 10 }, () => {
      const prefix = 1 + (next() >>> 25)
      const hostBits = BigInt(128 - prefix)
      // Kept out of ::/16, where mapped addresses are not IPv6.
      return { first: ((random128() | (1n << 125n)) >> hostBits) << hostBits, hostBits, prefix }
    }).filter(({ first }) => first >> 112n !== 0n)
    const matches = networkMatcher(networks.map(({ first, prefix }) => `${words(first)}/${prefix}`))
    for (let i = 0; i < 30 && networks.length > 0; i++) {
      const near = networks[next() % networks.length]!
      const last = near.first | ((1n << near.hostBits) - 1n)
      const address = i % 2 === 0 ? random128() : [near.first, near.first - 1n, last, last + 1n][next() >>> 30]! & ((1n << 128n) - 1n)
      const expected = networks.some(({ first, hostBits }) => (address >> hostBits) << hostBits === first)
      assert.equal(matches(words(address)), expected, `round ${round}: ${words(address)}`)
    }
  }
})
