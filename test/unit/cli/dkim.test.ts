/** `postern dkim`: keys are made and never overwritten, their records can be published, what they sign verifies. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fieldName } from '../../../src/config/format-signing.ts'
import { readRecordFile } from '../../../src/cli/record-file.ts'
import { readKeyFile, thisReader } from '../../../src/signing/key-file.ts'
import { startDnsServer } from '../../support/dns-server.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { key } from '../signing/signing-fixture.ts'
import { dkimStage, NOW, type DkimStage } from './dkim-fixture.ts'

const KEYGEN = { action: 'keygen', domain: 'Example.org', type: 'rsa', bits: '2048', format: 'zone' } as const
const MESSAGE = 'From: Ada <ada@example.org>\nTo: bob@example.net\nSubject: tea\n\nAt four.\n'
const CONFIG = 'signing:\n  keys:\n    - { domain: example.org, selector: s1, key: s1.pem }\n    - { domain: example.org, selector: e1, key: e1.pem }\n'

async function* pieces(text: string): AsyncGenerator<Buffer> {
  for (const one of text) yield await Promise.resolve(Buffer.from(one))
}

function withKeys(): DkimStage {
  const stage = dkimStage(CONFIG)
  stage.put('s1.pem', key('a').pem)
  stage.put('e1.pem', key('ed').pem)
  return stage
}

const ZONE = { 's1._domainkey.example.org': { TXT: [key('a').record] }, 'e1._domainkey.example.org': { TXT: [key('ed').record] } }

test('keygen: a file that only its owner can read, and the record; the key itself is never shown', async () => {
  const { run, directory } = dkimStage()
  const made = await run(KEYGEN)
  assert.equal(made.code, 0)
  const path = join(directory, 's20261121._domainkey.example.org.pem')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const reading = readKeyFile(path, thisReader())
  assert.ok(reading.status === 'read')
  const [record] = readRecordFile(made.out)
  assert.deepEqual([record?.[0], record?.[1][0]?.join('')], ['s20261121._domainkey.example.org', `v=DKIM1; k=rsa; p=${reading.key.publicData}`])
  assert.match(made.err, /- \{ domain: example\.org, selector: s20261121, key: "/)
  assert.doesNotMatch(made.out + made.err, /PRIVATE/)
  assert.deepEqual(readdirSync(directory).filter((name) => name.endsWith('.new')), [])
})

test('keygen: the key may be given away, the folder must not; where it is, that is said', async () => {
  const { run, directory } = dkimStage()
  const made = await run({ ...KEYGEN, type: 'ed25519' })
  assert.match(made.err, /give the key away, not its folder .*: leave that to root/)
  assert.doesNotMatch(made.err, /^now /m)
  const open = join(directory, 'open')
  mkdirSync(open)
  chmodSync(open, 0o775)
  const there = await run({ ...KEYGEN, type: 'ed25519', out: open })
  assert.equal(there.code, 0)
  assert.match(there.err, /^now .*open can be written by its group \(mode 0775, group [0-9]+\): chown root and chmod go-w$/m)
})

test('keygen: Ed25519, a folder, a file, sizes', async () => {
  const { run, directory } = dkimStage()
  assert.match((await run({ ...KEYGEN, type: 'ed25519', format: 'raw' })).out, /^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=\n$/)
  await run({ ...KEYGEN, selector: 'X1', out: directory, bits: '3072' })
  const reading = readKeyFile(join(directory, 'x1._domainkey.example.org.pem'), thisReader())
  assert.equal(reading.status === 'read' && reading.key.bits, 3072)
  assert.equal((await run({ ...KEYGEN, out: 'my.pem' })).code, 0)
  const taken = await run({ ...KEYGEN, out: 'my.pem' })
  assert.equal(taken.code, 65)
  assert.match(taken.err, /my\.pem is there already/)
  for (const wrong of [{ ...KEYGEN, bits: '1024' }, { ...KEYGEN, bits: '8192' }, { ...KEYGEN, bits: 'x' }, { ...KEYGEN, domain: 'no domain' }, { ...KEYGEN, selector: 'a b' }, { ...KEYGEN, out: 'nowhere/' }]) assert.equal((await run(wrong)).code, 64, JSON.stringify(wrong))
})

test('record: of the configuration, of a domain, of a file', async () => {
  const { run, put } = withKeys()
  const all = await run({ action: 'record', of: undefined, format: 'raw' })
  assert.equal(all.out, `${key('a').record}\n${key('ed').record}\n`)
  assert.match((await run({ action: 'record', of: 'EXAMPLE.org', selector: 'e1', format: 'zone' })).out, /^e1\._domainkey\.example\.org\. IN TXT "v=DKIM1; k=ed25519/)
  const none = await run({ action: 'record', of: 'example.com', format: 'zone' })
  assert.equal(none.code, 78)
  assert.match(none.err, /has no key for example\.com: "postern dkim keygen"/)
  put('s9._domainkey.example.com.pem', key('b').pem)
  assert.match((await run({ action: 'record', of: 's9._domainkey.example.com.pem', format: 'web' })).out, /s9\._domainkey\.example\.com/)
  assert.equal((await run({ action: 'record', of: 's1.pem', format: 'zone' })).code, 64)
  assert.match((await run({ action: 'record', of: './s1.pem', domain: 'a.example', selector: 'x', format: 'zone' })).out, /^x\._domainkey\.a\.example\. IN/)
  assert.equal((await run({ action: 'record', of: './gone.pem', format: 'zone' })).code, 66)
  put('bad.pem', 'nothing')
  assert.equal((await run({ action: 'record', of: './bad.pem', format: 'zone' })).code, 65)
})

test('sign with the keys of the configuration, verify with the DNS of the configuration', async () => {
  const { run } = withKeys()
  const signed = await run({ action: 'sign', file: undefined }, { stdin: pieces(MESSAGE), resolver: zoneMap({}) })
  assert.equal(signed.code, 0, signed.err)
  assert.match(signed.out, /^DKIM-Signature: v=1; a=rsa-sha256;[^]*DKIM-Signature: v=1; a=ed25519-sha256;[^]*\r\nFrom: Ada <ada@example\.org>\r\n[^]*\r\n\r\nAt four\.\r\n$/)
  const verified = await run({ action: 'verify', file: undefined }, { stdin: pieces(signed.out), resolver: zoneMap(ZONE) })
  assert.deepEqual(verified, { code: 0, err: '', out: 'pass  s1._domainkey.example.org  rsa-sha256 2048 bits\npass  e1._domainkey.example.org  ed25519-sha256 256 bits\n' })
  const json = await run({ action: 'verify', file: undefined, json: true }, { stdin: pieces(signed.out), resolver: zoneMap(ZONE) })
  assert.equal((JSON.parse(json.out) as { status: string }).status, 'pass')
})

test('sign with keys of the command line', async () => {
  const { run, put } = withKeys()
  put('m.eml', MESSAGE)
  const signed = await run({ action: 'sign', file: 'm.eml', domain: 'other.example', selector: ['x'], key: ['s1.pem'], canonicalization: 'simple' })
  assert.match(signed.out, /c=simple\/simple; d=other\.example; s=x;/)
  put('records', `; ours\nx._domainkey.other.example. 3600 IN TXT "${key('a').record.slice(0, 100)}" "${key('a').record.slice(100)}"\n`)
  put('signed.eml', signed.out)
  assert.equal((await run({ action: 'verify', file: 'signed.eml', records: 'records' })).code, 0)
  for (const wrong of [{ domain: 'other.example' }, { domain: 'other.example', selector: ['x'] }, { domain: 'other.example', selector: ['x'], key: ['a', 'b'] }, { domain: 'o.example', selector: ['x'], key: ['s1.pem'], canonicalization: 'loose' }]) {
    assert.equal((await run({ action: 'sign', file: 'm.eml', ...wrong })).code, 64, JSON.stringify(wrong))
  }
})

test('what is not signed prints nothing, and says why', async () => {
  const { run, put } = withKeys()
  const sign = (text: string): ReturnType<DkimStage['run']> => run({ action: 'sign', file: undefined }, { stdin: pieces(text), resolver: zoneMap({}) })
  const other = await sign('From: a@else.example\n\nx\n')
  assert.deepEqual([other.code, other.out, other.err], [65, '', 'nothing is signed: no key is meant for a@else.example\n'])
  assert.match((await sign('no field\nFrom: ada@example.org\n\nx\n')).err, /cannot be signed: .*a line in it that is no field/)
  assert.equal((await run({ action: 'sign', file: 'gone.eml' }, { resolver: zoneMap({}) })).code, 66)
  put('postern.yaml', `${CONFIG}  require_published: true\nstate: ./state\nlisteners: [{ name: out, role: outbound, listen: "127.0.0.1:2525", next: b }]\nhops: { b: { smtp: "192.0.2.1:25" } }\n`)
  const early = await sign(MESSAGE)
  assert.deepEqual([early.code, early.out], [75, ''])
  assert.match(early.err, /has no TXT record/)
})

test('verify: exit codes, and a server that is named', async (t) => {
  const { run, put } = withKeys()
  const signed = (await run({ action: 'sign', file: undefined }, { stdin: pieces(MESSAGE), resolver: zoneMap({}) })).out
  put('signed.eml', signed)
  const verify = (zone: Parameters<typeof zoneMap>[0]): ReturnType<DkimStage['run']> => run({ action: 'verify', file: 'signed.eml' }, { resolver: zoneMap(zone) })
  assert.equal((await verify({ ...ZONE, 's1._domainkey.example.org': 'timeout' })).code, 0)
  assert.equal((await verify({ 's1._domainkey.example.org': 'timeout', 'e1._domainkey.example.org': 'servfail' })).code, 75)
  assert.equal((await verify({})).code, 65)
  put('plain.eml', MESSAGE)
  assert.deepEqual(await run({ action: 'verify', file: 'plain.eml', records: 'plain.eml' }).then(({ code }) => code), 65)
  const server = await startDnsServer(ZONE)
  t.after(() => server.stop())
  assert.equal((await run({ action: 'verify', file: 'signed.eml', dns: `127.0.0.1:${server.port}` })).code, 0)
  for (const dns of ['localhost', '127.0.0.1:0', '127.0.0.1:x', '']) assert.equal((await run({ action: 'verify', file: 'signed.eml', dns })).code, 64, dns)
  assert.equal((await run({ action: 'verify', file: 'signed.eml', records: 'gone' })).code, 66)
  assert.equal((await run({ action: 'verify', file: 'signed.eml', records: 'x', dns: '127.0.0.1' })).code, 64)
})

test('the day of a selector is that of the clock', async () => {
  const { run } = dkimStage()
  assert.match((await run({ ...KEYGEN, type: 'ed25519' }, { now: () => NOW + 86_400_000 })).out, /^e20261122\._domainkey/)
})

test('a field name of the configuration cannot break the h= that it stands in', async () => {
  const characters = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code))
  const taken = characters.filter((one) => fieldName.read(`x${one}y`).status === 'read').join('')
  // RFC 5322 §3.6.8: all that can be seen, without the colon; RFC 6376 §3.2: nor the semicolon, which ends a tag.
  assert.equal(taken, characters.slice(0x21, 0x7f).filter((one) => one !== ':' && one !== ';').join(''))
  const names = [`x${taken.slice(0, 60)}`, `x${taken.slice(60)}`]
  const { run, put } = dkimStage(`signing:\n  keys:\n    - { domain: example.org, selector: s1, key: s1.pem }\n  fields: ${JSON.stringify(['From', ...names])}\n`)
  put('s1.pem', key('a').pem)
  const message = `${names.map((name) => `${name}: odd\n`).join('')}${MESSAGE}`
  const signed = await run({ action: 'sign', file: undefined }, { stdin: pieces(message), resolver: zoneMap(ZONE) })
  assert.equal(signed.code, 0, signed.err)
  const verified = await run({ action: 'verify', file: undefined }, { stdin: pieces(signed.out), resolver: zoneMap(ZONE) })
  assert.match(verified.out, /^pass {2}s1\._domainkey\.example\.org/)
  for (const name of names) {
    const changed = await run({ action: 'verify', file: undefined }, { stdin: pieces(signed.out.replace(`${name}: odd`, () => `${name}: even`)), resolver: zoneMap(ZONE) })
    assert.match(changed.out, /^fail/)
  }
})
