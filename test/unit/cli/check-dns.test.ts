/** `postern check --dns`: what others see of us, and what to do about it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkDns, type DnsCheckInput } from '../../../src/cli/check-dns.ts'
import { runCheck } from '../../../src/cli/check.ts'
import { readPrivateKey } from '../../../src/signing/private-key.ts'
import { signingKey, type SigningKey } from '../../../src/signing/signing-key.ts'
import { TEST_MACHINE } from '../../support/settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { reverseName, zoneMap, type ZoneData } from '../../support/zone-map.ts'
import { key } from '../signing/signing-fixture.ts'

const ADDRESS = '203.0.113.5'
const WELL: ZoneData = {
  'mx.example.org': { A: [ADDRESS] },
  [reverseName(ADDRESS)]: { PTR: ['mx.example.org'] },
  'example.org': { MX: [[10, 'mx.example.org']], TXT: ['v=spf1 mx -all'] },
  '_dmarc.example.org': { TXT: ['v=DMARC1; p=reject'] },
}

async function lines(zone: ZoneData, more: Partial<DnsCheckInput> = {}): Promise<string[]> {
  const findings = await checkDns({ hostname: 'mx.example.org', domains: ['example.org'], addresses: [ADDRESS], resolver: zoneMap(zone), lists: () => Promise.resolve([]), ...more })
  return findings.map(({ level, about, text }) => `${level} ${about}: ${text}`)
}

test('all well', async () => {
  assert.deepEqual(await lines(WELL), [
    'ok hostname: mx.example.org has the address 203.0.113.5',
    'ok 203.0.113.5: is called mx.example.org, and that name leads back to it',
    'ok example.org: MX leads to mx.example.org',
    'ok example.org: SPF lets 203.0.113.5 send for it',
    'ok example.org: DMARC says p=reject',
  ])
})

test('the record of each key that signs is compared with it', async () => {
  const signing = (selector: string, name: string): SigningKey => {
    const reading = readPrivateKey(key(name).pem)
    if (reading.status === 'refused') throw new Error(reading.problem)
    return signingKey({ domain: 'example.org', selector }, reading.key, '/key')
  }
  const zone: ZoneData = {
    ...WELL,
    's1._domainkey.example.org': { TXT: [key('a').record] }, 's2._domainkey.example.org': { TXT: [`${key('a').record}; t=y`] },
    's4._domainkey.example.org': { TXT: [key('b').record] }, 's5._domainkey.example.org': 'servfail', 's6._domainkey.example.org': { TXT: ['v=DKIM1; p='] },
  }
  const found = (await lines(zone, { signingKeys: ['s1', 's2', 's3', 's4', 's5', 's6'].map((selector) => signing(selector, 'a')) })).filter((line) => line.includes('DKIM'))
  const expected = [/^ok example\.org: DKIM: s1\._domainkey\.example\.org has the key$/, /^warn .*t=y/, /^fail .*s3.* has no TXT record/, /^fail .*s4.* has another key/, /^temporary .*s5.* could not be asked for/, /^fail .*s6.* empty p=/]
  assert.equal(found.length, expected.length)
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
})

test('each thing that others would refuse us for, with what to do', async () => {
  const cases: readonly (readonly [ZoneData, RegExp])[] = [
    [{ ...WELL, 'mx.example.org': {} }, /^fail hostname: mx\.example\.org has no address in the DNS/m],
    [{ ...WELL, 'mx.example.org': { A: ['203.0.113.9'] } }, /^warn hostname: .* none of this machine's/m],
    [{ ...WELL, [reverseName(ADDRESS)]: {} }, /^fail 203\.0\.113\.5: has no name: let its provider set the PTR record to mx\.example\.org/m],
    [{ ...WELL, [reverseName(ADDRESS)]: { PTR: ['elsewhere.example'] } }, /^fail 203\.0\.113\.5: elsewhere\.example: no A record/m],
    [{ ...WELL, [reverseName(ADDRESS)]: { PTR: ['host5.example'] }, 'host5.example': { A: [ADDRESS] } }, /^warn 203\.0\.113\.5: is called host5\.example; servers compare that with our EHLO/m],
    [{ ...WELL, 'example.org': {} }, /^fail example\.org: has no MX record: "MX 10 mx\.example\.org\." sends its mail here\nwarn example\.org: has no SPF record/m],
    [{ ...WELL, 'example.org': { MX: [[0, '.']], TXT: ['v=spf1 -all'] } }, /^fail example\.org: has a null MX[^]*warn example\.org: SPF does not let 203\.0\.113\.5 send for it \(fail\)/m],
    [{ ...WELL, 'example.org': { MX: [[10, 'mx.other.example']], TXT: ['v=spf1 foo'] } }, /^warn example\.org: MX leads to mx\.other\.example and not to mx\.example\.org[^]*fail example\.org: SPF cannot be read/m],
    [{ ...WELL, '_dmarc.example.org': {} }, /^warn example\.org: _dmarc\.example\.org has no DMARC record/m],
    [{ ...WELL, '_dmarc.example.org': { TXT: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] } }, /^fail example\.org: _dmarc\.example\.org has 2 DMARC records/m],
    [{ ...WELL, '_dmarc.example.org': { TXT: ['v=DMARC1; rua=mailto:a@b.example'] } }, /^fail example\.org: the DMARC record has no policy/m],
  ]
  for (const [zone, expected] of cases) assert.match((await lines(zone)).join('\n'), expected)
})

test('addresses are compared as addresses; each of ours is looked at', async () => {
  const six = '2001:DB8:0::5'
  const both: ZoneData = {
    ...WELL, 'mx.example.org': { A: [ADDRESS], AAAA: ['2001:db8::5'] }, [reverseName(six)]: { PTR: ['mx.example.org'] },
    'example.org': { MX: [[10, 'other.example.org']], TXT: [`v=spf1 ip4:${ADDRESS} -all`] }, 'other.example.org': { AAAA: ['2001:db8::5'] },
  }
  assert.deepEqual(await lines(both, { addresses: [ADDRESS, six], hostname: 'MX.Example.org' }), [
    'ok hostname: mx.example.org has the address 203.0.113.5, 2001:db8::5',
    'ok 203.0.113.5: is called mx.example.org, and that name leads back to it',
    'ok 2001:DB8:0::5: is called mx.example.org, and that name leads back to it',
    'ok example.org: MX leads to an address of ours by other.example.org',
    'ok example.org: SPF lets 203.0.113.5 send for it',
    'warn example.org: SPF does not let 2001:DB8:0::5 send for it (fail): right if its mail leaves by another server, otherwise add ip6:2001:DB8:0::5',
    'ok example.org: DMARC says p=reject',
  ])
  // One that is ours does not make up for one that is not.
  assert.match((await lines({ ...both, 'mx.example.org': { A: [ADDRESS], AAAA: ['2001:db8::99'] } }, { addresses: [ADDRESS, six] })).join('\n'), /^warn hostname: mx\.example\.org has the address 2001:db8::99, which is none of this machine's/m)
})

test('without MX; behind an MX that does not answer; a name out of a pool', async () => {
  const { 'example.org': domain, ...rest } = WELL
  assert.ok(domain !== undefined)
  assert.match((await lines({ ...rest, 'example.org': { A: [ADDRESS] } })).join('\n'), /^warn example\.org: has no MX record; its mail comes here by its own address/m)
  assert.match((await lines({ ...rest, 'example.org': { A: ['203.0.113.9'] } })).join('\n'), /^fail example\.org: has no MX record/m)
  assert.match((await lines({ ...rest, 'example.org': { A: 'timeout', AAAA: 'timeout' } })).join('\n'), /^temporary example\.org: has no MX record, and its address/m)
  assert.match((await lines({ ...rest, 'example.org': { MX: [[10, 'mx.slow.example']] }, 'mx.slow.example': 'servfail' })).join('\n'), /^temporary example\.org: where its MX leads could not be found out/m)
  const pool = 'host-203-0-113-5.dyn.example'
  assert.match((await lines({ ...WELL, [pool]: { A: [ADDRESS] }, [reverseName(ADDRESS)]: { PTR: [pool] } }, { hostname: pool })).join('\n'), /^warn 203\.0\.113\.5: is called host-203-0-113-5\.dyn\.example, which looks like a name out of a pool/m)
})

test('what cannot be found out is said to be so, and a dead resolver at once', async () => {
  assert.match((await lines({ ...WELL, 'example.org': 'servfail' })).join('\n'), /^temporary example\.org: MX could not be found out/m)
  const dead = await lines({ 'mx.example.org': 'timeout' })
  assert.equal(dead.length, 1)
  assert.match(dead[0] ?? '', /^temporary resolver: no DNS server answers .*: look at dns\.servers/)
})

test('lists: believed, or set aside with advice', async () => {
  const found = await lines(WELL, {
    lists: () => Promise.resolve([
      { zone: 'a.example', kind: 'block', state: 'healthy', provedAt: 1 },
      { zone: 'b.example', kind: 'block', state: 'set-aside', since: 1, trouble: 'refused', why: 'it answers 127.255.255.254', advice: 'ask a resolver of your own', nextTryAt: 2 },
    ]),
  })
  assert.deepEqual(found.slice(-2), ['ok a.example: lists 127.0.0.2 and not 127.0.0.1: it is believed', 'fail b.example: it answers 127.255.255.254; ask a resolver of your own'])
})

test('the command: the configuration first, then the findings; the exit code tells wrong from not known', async () => {
  const directory = temporaryDirectory('check-dns')
  const file = join(directory, 'postern.yaml')
  writeFileSync(file, 'hostname: mx.example.org\nstate: ./state\ndomains: [example.org]\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: b }]\nhops: { b: { smtp: "192.0.2.1:25" } }\n')
  const check = async (zone: ZoneData): Promise<readonly [number, string]> => {
    let text = ''
    const code = await runCheck({ config: file, dns: true }, {
      environment: {}, cwd: directory, machine: { ...TEST_MACHINE, addresses: () => ['127.0.0.1', '10.0.0.1', ADDRESS, '::1', 'fe80::1'] }, resolver: zoneMap(zone),
      out: (piece) => (text += piece), err: (piece) => (text += piece),
    })
    return [code, text]
  }
  const [code, text] = await check(WELL)
  assert.equal(code, 0, text)
  assert.match(text, /^configuration OK[^]*\n {2}OK {4}hostname: mx\.example\.org/)
  assert.equal((await check({ ...WELL, 'example.org': {} }))[0], 65)
  assert.equal((await check({ ...WELL, '_dmarc.example.org': 'servfail' }))[0], 75)
})
