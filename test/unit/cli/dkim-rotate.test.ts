/** `postern dkim rotate`: nothing is switched before every server has the record, whatever happens on the way. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { RotateRequest } from '../../../src/cli/dkim-command.ts'
import type { DkimIo } from '../../../src/cli/dkim-io.ts'
import { readRecordFile } from '../../../src/cli/record-file.ts'
import { recordText } from '../../../src/signing/key-record.ts'
import { readKeyFile, thisReader } from '../../../src/signing/key-file.ts'
import { startDnsServer, type DnsServer } from '../../support/dns-server.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { key } from '../signing/signing-fixture.ts'
import { dkimStage, NOW, type DkimStage, type Ran } from './dkim-fixture.ts'

const ROTATE: RotateRequest = { action: 'rotate', domain: 'example.org', wait: '1h', format: 'zone' }
const BOTH = '# ours\nsigning:\n  keys:\n    - { domain: example.org, selector: s2020, key: keys/example.org.s2020.pem }   # RSA\n    - { domain: example.org, selector: e2020, key: "keys/ed.pem", listeners: [out] }\n    - { domain: other.example, selector: s2020, key: keys/other.pem }\n'
const servers: DnsServer[] = []
after(() => Promise.all(servers.map((server) => server.stop())))

interface World {
  readonly stage: DkimStage
  readonly first: DnsServer
  readonly second: DnsServer
  readonly pauses: number[]
  /** called in each wait */
  onPause: (count: number) => void
  rotate(more?: Partial<RotateRequest>, io?: Partial<DkimIo>): Promise<Ran>
}

async function world(signing = BOTH): Promise<World> {
  const stage = dkimStage(signing)
  stage.put('keys/example.org.s2020.pem', key('a').pem)
  stage.put('keys/ed.pem', key('ed').pem)
  stage.put('keys/other.pem', key('b').pem)
  const [first, second] = await Promise.all([startDnsServer({}, { authoritative: true }), startDnsServer({}, { authoritative: true })])
  servers.push(first, second)
  const resolver = zoneMap({
    'example.org': { NS: ['ns1.example.org', 'ns2.example.org'] }, 'ns1.example.org': { A: ['192.0.2.1'] }, 'ns2.example.org': { A: ['192.0.2.2'] },
    's2020._domainkey.example.org': { TXT: [key('a').record], ttl: 86_400 },
  })
  let now = NOW
  const one: World = {
    stage, first, second, pauses: [], onPause: () => undefined,
    rotate: (more = {}, io = {}) => stage.run({ ...ROTATE, ...more }, {
      resolver, now: () => now,
      serverAt: (address) => (address === '192.0.2.1' ? first : second),
      pause: (ms) => {
        now += ms
        one.onPause(one.pauses.push(ms))
        return Promise.resolve()
      },
      ...io,
    }),
  }
  return one
}

function publish(server: DnsServer, { stage }: World): void {
  for (const [selector, file] of [['s20261121', 'keys/example.org.s20261121.pem'], ['e20261121', 'keys/e20261121._domainkey.example.org.pem']] as const) {
    const reading = readKeyFile(join(stage.directory, file), thisReader())
    if (reading.status === 'read') server.set(`${selector}._domainkey.example.org`, { TXT: [recordText(reading.key)] })
  }
}

test('both keys are followed, and the configuration names the new ones once both servers have both records', async () => {
  const at = await world()
  at.onPause = (count) => publish(count === 1 ? at.first : at.second, at)
  const ran = await at.rotate()
  assert.equal(ran.code, 0, ran.err)
  assert.equal(at.stage.text('postern.yaml').slice(0, BOTH.length + 100).split('\n').slice(0, 6).join('\n'), [
    '# ours', 'signing:', '  keys:',
    '    - { domain: example.org, selector: s20261121, key: keys/example.org.s20261121.pem }   # RSA',
    '    - { domain: example.org, selector: e20261121, key: "keys/e20261121._domainkey.example.org.pem", listeners: [out] }',
    '    - { domain: other.example, selector: s2020, key: keys/other.pem }',
  ].join('\n'))
  assert.deepEqual([...readRecordFile(ran.out).keys()], ['s20261121._domainkey.example.org', 'e20261121._domainkey.example.org'])
  assert.deepEqual(at.pauses, [10_000, 15_000])
  assert.match(ran.err, /s20261121\._domainkey\.example\.org: ns2\.example\.org \(192\.0\.2\.2\): does not have it yet\n/)
  // 7 days, the time to live of a day, and what is left of the last one.
  assert.match(ran.err, /its record s2020\._domainkey\.example\.org may go on 2026-11-30, and so may .*example\.org\.s2020\.pem\n/)
  assert.match(ran.err, /let the gateway read it: .*SIGHUP/)
  for (const file of ['example.org.s20261121.pem', 'e20261121._domainkey.example.org.pem']) assert.equal(statSync(join(at.stage.directory, 'keys', file)).mode & 0o777, 0o600)
  assert.ok(existsSync(join(at.stage.directory, 'keys/example.org.s2020.pem')))
  assert.doesNotMatch(ran.out + ran.err, /PRIVATE/)
})

test('what was begun goes on with the same keys, on another day too, and is not done twice', async () => {
  const at = await world()
  const before = at.stage.text('postern.yaml')
  const early = await at.rotate({ wait: '0s' })
  assert.equal(early.code, 75)
  assert.match(early.err, /not everywhere yet: nothing is switched/)
  assert.equal(at.stage.text('postern.yaml'), before)
  publish(at.first, at)
  const tomorrow = { now: () => NOW + 86_400_000 }
  const half = await at.rotate({ wait: '0s' }, tomorrow)
  assert.equal(half.code, 75)
  assert.equal(half.out, early.out)
  assert.match(half.err, /^going on with what was begun on 2026-11-21/)
  assert.match(half.err, /ns1\.example\.org \(192\.0\.2\.1\): has the key\n/)
  publish(at.second, at)
  assert.equal((await at.rotate({ wait: '0s' }, tomorrow)).code, 0)
  const switched = at.stage.text('postern.yaml')
  assert.match(switched, /s20261121/)
  const again = await at.rotate({ wait: '0s' }, tomorrow)
  assert.deepEqual([again.code, again.out], [0, ''])
  assert.match(again.err, /names s20261121 and e20261121 for example\.org now/)
  assert.equal(at.stage.text('postern.yaml'), switched)
  // When the old ones may go the next change can begin.
  const later = await at.rotate({ wait: '0s' }, { now: () => NOW + 30 * 86_400_000 })
  assert.equal(later.code, 75)
  assert.match(later.out, /^s20261221\._domainkey/)
})

test('ended between the keys and the switch, or between the switch and the note of it, it goes on', async () => {
  const at = await world()
  await at.rotate({ wait: '0s' })
  // One key was made, the other was not.
  rmSync(join(at.stage.directory, 'keys/e20261121._domainkey.example.org.pem'))
  await at.rotate({ wait: '0s' })
  assert.ok(existsSync(join(at.stage.directory, 'keys/e20261121._domainkey.example.org.pem')))
  publish(at.first, at)
  publish(at.second, at)
  const note = at.stage.text('keys/example.org.rotation.json')
  assert.equal((await at.rotate({ wait: '0s' })).code, 0)
  const switched = at.stage.text('postern.yaml')
  writeFileSync(join(at.stage.directory, 'keys/example.org.rotation.json'), note)
  const again = await at.rotate({ wait: '0s' })
  assert.equal(again.code, 0, again.err)
  assert.equal(at.stage.text('postern.yaml'), switched)
})

test('a server that fails, or has another key, holds the switch up', async () => {
  const at = await world()
  await at.rotate({ wait: '0s' })
  publish(at.first, at)
  const before = at.stage.text('postern.yaml')
  at.second.set('s20261121._domainkey.example.org', { TXT: [key('b').record] })
  const other = await at.rotate({ wait: '0s' })
  assert.equal(other.code, 75)
  assert.match(other.err, /ns2\.example\.org \(192\.0\.2\.2\): has another key under this name/)
  at.second.set('s20261121._domainkey.example.org', 'servfail')
  const failing = await at.rotate({ wait: '0s' })
  assert.equal(failing.code, 75)
  assert.match(failing.err, /could not be asked: .*SERVFAIL/)
  assert.equal(at.stage.text('postern.yaml'), before)
})

test('a server whose host has no address is passed over, and that it may answer others is said', async () => {
  const at = await world()
  const resolver = zoneMap({ 'example.org': { NS: ['ns1.example.org', 'lost.example.org'] }, 'ns1.example.org': { A: ['192.0.2.1'] } })
  await at.rotate({ wait: '0s' }, { resolver })
  publish(at.first, at)
  const ran = await at.rotate({ wait: '0s' }, { resolver })
  assert.equal(ran.code, 0, ran.err)
  assert.match(ran.err, /lost\.example\.org: cannot be reached from here and is passed over, though it may answer others: the name has no address\n/)
})

test('a configuration that cannot be edited safely is left as it is, with what to change', async () => {
  const at = await world('signing:\n  keys:\n    - { domain: example.org, selector: &s s2020, key: keys/example.org.s2020.pem }\n    - { domain: example.org, selector: *s, key: keys/example.org.s2020.pem, senders: ["a@b.example"] }\n')
  at.onPause = () => [at.first, at.second].forEach((server) => publish(server, at))
  const before = at.stage.text('postern.yaml')
  const ran = await at.rotate()
  assert.equal(ran.code, 65, ran.err)
  assert.match(ran.err, /has to be edited by hand: .*\n {2}example\.org: selector s2020 → s20261121, key .*s2020\.pem → .*s20261121\.pem/)
  assert.equal(at.stage.text('postern.yaml'), before)
})

test('entries that share a key are switched together; mode and links of the file stay', async () => {
  const shared = 'signing:\n  keys:\n    - { domain: example.org, selector: s2020, key: ./keys/example.org.s2020.pem }\n    - { domain: example.org, selector: s2020, key: ./keys/example.org.s2020.pem, senders: ["a@b.example"] }\n'
  const at = await world(shared)
  const real = join(at.stage.directory, 'real.yaml')
  writeFileSync(real, readFileSync(at.stage.config))
  chmodSync(real, 0o640)
  rmSync(at.stage.config)
  symlinkSync('real.yaml', at.stage.config)
  at.onPause = () => [at.first, at.second].forEach((server) => publish(server, at))
  assert.equal((await at.rotate()).code, 0)
  const text = readFileSync(real, 'utf8')
  assert.equal(text.split('selector: s20261121, key: ./keys/example.org.s20261121.pem').length, 3)
  assert.equal(statSync(real).mode & 0o777, 0o640)
})

test('a folder of keys: the new key lies beside the old one, and nothing else changes', async () => {
  const at = await world('signing: { directory: folder, selector: s2020 }\n')
  at.stage.put('folder/example.org.pem', key('a').pem)
  const before = at.stage.text('postern.yaml')
  at.onPause = () => {
    const reading = readKeyFile(join(at.stage.directory, 'folder/s20261121._domainkey.example.org.pem'), thisReader())
    if (reading.status === 'read') for (const server of [at.first, at.second]) server.set('s20261121._domainkey.example.org', { TXT: [recordText(reading.key)] })
  }
  const ran = await at.rotate()
  assert.equal(ran.code, 0, ran.err)
  assert.match(ran.err, /s20261121 will sign for example\.org as soon as the gateway has read the folder/)
  assert.equal(at.stage.text('postern.yaml'), before)
  assert.deepEqual(readdirSync(join(at.stage.directory, 'folder')).sort(), ['example.org.pem', 'example.org.rotation.json', 's20261121._domainkey.example.org.pem'])
})

test('a selector that is named; another one while a rotation is under way', async () => {
  const at = await world()
  const ran = await at.rotate({ selector: 'next', wait: '0s' })
  assert.deepEqual([...readRecordFile(ran.out).keys()], ['next._domainkey.example.org', 'next-ed25519._domainkey.example.org'])
  assert.equal((await at.rotate({ selector: 'next', wait: '0s' })).code, 75)
  const other = await at.rotate({ selector: 'third', wait: '0s' })
  assert.equal(other.code, 65)
  assert.match(other.err, /to next and next-ed25519 is under way .*rotation\.json\); to give it up, remove that file/)
})

test('a key of somebody else under the name of the day is left alone', async () => {
  const at = await world()
  at.stage.put('keys/example.org.s20261121.pem', key('b').pem)
  const ran = await at.rotate({ wait: '0s' })
  assert.deepEqual([...readRecordFile(ran.out).keys()], ['s20261121-2._domainkey.example.org', 'e20261121._domainkey.example.org'])
  assert.equal(at.stage.text('keys/example.org.s20261121.pem'), key('b').pem)
})

test('two at once do not take each other\'s keys, and switch once', async () => {
  const at = await world()
  await at.rotate({ wait: '0s' })
  publish(at.first, at)
  publish(at.second, at)
  const both = await Promise.all([at.rotate({ wait: '0s' }), at.rotate({ wait: '0s' })])
  assert.deepEqual(both.map(({ code }) => code), [0, 0], both.map(({ err }) => err).join('\n'))
  assert.equal(at.stage.text('postern.yaml').split('s20261121, key').length, 2)
})

test('what cannot be rotated', async () => {
  const at = await world()
  assert.equal((await at.rotate({ domain: 'example.com' })).code, 78)
  assert.equal((await at.rotate({ wait: 'long' })).code, 64)
  at.stage.put('keys/example.org.rotation.json', '{"half":')
  const broken = await at.rotate()
  assert.equal(broken.code, 65)
  assert.match(broken.err, /is not what "postern dkim rotate" has written/)
})
