/** DKIM verification against messages and keys of others: chasquid (11 cases), stalwart (6), dkimpy, mailauth (RFC 8463). */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { verifyDkim } from '../../src/auth/dkim.ts'
import type { DkimOutcome } from '../../src/auth/dkim.ts'
import { SUITES, suitesMissing, withCrlf } from '../support/mail-samples.ts'
import { zoneMap } from '../support/zone-map.ts'
import type { ZoneData, ZoneEntry } from '../support/zone-map.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const messageOf = (raw: Buffer) => ({ async *chunks() { yield await Promise.resolve(raw) } })
const keysOf = (keys: Readonly<Record<string, string>>): ZoneData => Object.fromEntries(Object.entries(keys).map(([name, text]) => [name, { TXT: [text] }]))
const count = { chasquid: 0, stalwart: 0, dkimpy: 0, mailauth: 0 }
after(() => {
  if (suitesMissing('dkim') === false) console.log(`# dkim: chasquid ${count.chasquid} of 11, stalwart ${count.stalwart} of 6, dkimpy ${count.dkimpy} of 16, mailauth ${count.mailauth} of 1`)
})

const CHASQUID = join(SUITES, 'dkim/chasquid/testdata')

/** The repository's symbolic links lie in the suite as files that hold the other's name. */
function chasquidFile(name: string): string {
  const text = readFileSync(join(CHASQUID, name), 'latin1')
  return /^\d\d-[\w.-]+\.(?:msg|dns|result)\s*$/.test(text) ? chasquidFile(text.trim()) : text
}

/** `name: record`, folded by a backslash at the line's end. PERMERROR is a name that is not there. */
function chasquidZone(text: string): ZoneData {
  const zone: Record<string, ZoneEntry> = {}
  for (const line of text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/).filter((one) => one.trim() !== '')) {
    const name = line.slice(0, line.indexOf(':'))
    const value = line.slice(line.indexOf(':') + 1).trim()
    if (value === 'PERMERROR') continue
    const before = zone[name]?.TXT
    zone[name] = { TXT: value === 'TEMPERROR' ? 'servfail' : [...(Array.isArray(before) ? before as string[] : []), value] }
  }
  return zone
}

describe('DKIM, chasquid', { skip: suitesMissing('dkim/chasquid') }, () => {
  const names = existsSync(CHASQUID) ? readdirSync(CHASQUID).filter((name) => name.endsWith('.msg')).map((name) => name.slice(0, -4)).sort() : []
  for (const name of names.filter((one) => !one.startsWith('03-'))) {
    test(name, async () => {
      const wanted = JSON.parse(chasquidFile(`${name}.result`)) as { Results: { State: string; Domain: string; Selector: string; B: string }[] }
      const dns = existsSync(join(CHASQUID, `${name}.dns`)) ? chasquidZone(chasquidFile(`${name}.dns`)) : {}
      const outcome = await verifyDkim(messageOf(withCrlf(Buffer.from(chasquidFile(`${name}.msg`), 'latin1'))), zoneMap(dns), NOW)
      for (const [i, one] of wanted.Results.entries()) {
        const found = outcome.signatures[i]!
        switch (one.State) {
          case 'SUCCESS': assert.equal(found.status, 'pass', found.cause); break
          case 'TEMPFAIL': assert.equal(found.status, 'temperror'); break
          default: assert.ok(['fail', 'neutral', 'policy', 'permerror'].includes(found.status), found.status)
        }
        // chasquid gives no domain where it could not parse the field
        if (one.Domain !== '') assert.deepEqual([found.domain, found.selector, found.signatureStart], [one.Domain, one.Selector, one.B.slice(0, 8)])
      }
      // 02 shows that chasquid looks at five signatures of seven; we look at ten.
      assert.equal(outcome.signatures.length, name.startsWith('02-') ? 7 : wanted.Results.length)
      count.chasquid += 1
    })
  }
  test('03-bad_message: chasquid refuses a message that begins with a continuation line; here nothing in it is signed', async () => {
    const outcome = await verifyDkim(messageOf(withCrlf(Buffer.from(chasquidFile('03-bad_message.msg'), 'latin1'))), zoneMap({}), NOW)
    assert.equal(outcome.status, 'none')
    count.chasquid += 1
  })
  test('is complete: 11 cases', () => assert.equal(names.length, 11))
})

describe('DKIM, stalwart', { skip: suitesMissing('dkim/stalwart/resources/dkim') }, () => {
  const folder = join(SUITES, 'dkim/stalwart/resources/dkim')
  for (const name of ['001.txt', '002.txt', '003.txt', '004.txt', '005.txt', '006.txt']) {
    test(`${name}: the last signature passes`, async () => {
      const raw = withCrlf(readFileSync(join(folder, name))).toString('latin1')
      const split = raw.indexOf('\r\n\r\n')
      const keys = Object.fromEntries(raw.slice(0, split).split('\r\n').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
      const outcome = await verifyDkim(messageOf(Buffer.from(raw.slice(split + 4), 'latin1')), zoneMap(keysOf(keys)), new Date(1667843664_000))
      assert.equal(outcome.signatures.at(-1)?.status, 'pass', outcome.signatures.at(-1)?.cause)
      count.stalwart += 1
    })
  }
})

const DKIMPY = join(SUITES, 'dkim/dkimpy/data')
const dkimpyRecord = (name: string): string => readFileSync(join(DKIMPY, name), 'latin1').trim()

describe('DKIM, dkimpy: messages that are signed', { skip: suitesMissing('dkim/dkimpy') }, () => {
  const check = (name: string, keys: () => Readonly<Record<string, string>>, proves: (outcome: DkimOutcome) => void): void => {
    test(name, async () => {
      proves(await verifyDkim(messageOf(withCrlf(readFileSync(join(DKIMPY, name.split(':')[0]!)))), zoneMap(keysOf(keys())), NOW))
      count.dkimpy += 1
    })
  }
  const rfc = () => ({ 'test._domainkey.football.example.com': dkimpyRecord('test.txt'), 'brisbane._domainkey.football.example.com': 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=' })
  check('rfc6376.signed.rsa.msg: simple/simple', rfc, ({ signatures }) => assert.deepEqual(signatures.map(({ status, bits }) => [status, bits]), [['pass', 1024]]))
  check('rfc6376.signed.msg: Ed25519 and RSA, simple/simple', rfc, ({ signatures }) => assert.deepEqual(signatures.map(({ status, bits }) => [status, bits]), [['pass', 256], ['pass', 1024]]))
  check('ed25519test2.msg: of Exim', () => ({ 'sed._domainkey.test.ex': dkimpyRecord('eximtest.dns') }), ({ signatures }) => assert.equal(signatures[0]?.status, 'pass', signatures[0]?.cause))
  check('test.message.baddomain: a d= with a parenthesis is not the domain before it', () => ({ 'test._domainkey.legitimate.com': dkimpyRecord('test.txt') }), ({ signatures }) => assert.deepEqual(signatures.map(({ status, domain }) => [status, domain]), [['neutral', '']]))
  check('test2.message: degenerate folding is read, the key is not in the suite', () => ({}), ({ signatures }) => assert.deepEqual(signatures.map(({ status, domain, cause }) => [status, domain, cause]), [['neutral', 'gmail.com', 'no key']]))
  check('message.mbox: the key is not in the suite', () => ({}), ({ signatures }) => assert.ok(signatures.length > 0 && signatures.every(({ status }) => status !== 'pass')))
  for (const name of ['test.message', 'test_nofrom.message', 'rfc6376.w1258.msg']) {
    check(`${name}: is not signed`, () => ({}), ({ status }) => assert.equal(status, 'none'))
  }
})

/** mailauth signs here, as the tests of dkimpy sign with their keys: what is under test is what a verifier makes of these key records. */
interface Signer {
  readonly dkimSign: (input: Buffer, options: { signatureData: { signingDomain: string; selector: string; privateKey: string }[] }) => Promise<{ signatures: string }>
}

describe('DKIM, dkimpy: key records', { skip: suitesMissing('dkim/dkimpy') }, () => {
  const { dkimSign } = createRequire(import.meta.url)('mailauth/lib/dkim/sign.js') as Signer
  const KEYS: readonly (readonly [record: string, key: string, status: string, why: string])[] = [
    ['test.txt', 'test.private', 'pass', 'with the g= of RFC 4871'],
    ['test2.txt', 'test.private', 'pass', 'without k='],
    ['test_bad.txt', 'test.private', 'neutral', 'p= is cut short'],
    ['badk.txt', 'test.private', 'neutral', 'an unknown k='],
    ['badversion.txt', 'test.private', 'neutral', 'a colon for a semicolon'],
    ['test_tlsrpt.txt', 'test.private', 'neutral', 's=tlsrpt: not for mail'],
    ['2048_testkey_wo_markers.pub.txt', '2048_testkey.key', 'pass', '2048 bits'],
  ]
  for (const [record, key, status, why] of KEYS) {
    test(`${record}: ${why}`, async () => {
      const message = withCrlf(readFileSync(join(DKIMPY, 'test.message')))
      const { signatures } = await dkimSign(message, { signatureData: [{ signingDomain: 'example.com', selector: 'test', privateKey: dkimpyRecord(key) }] })
      const outcome = await verifyDkim(messageOf(Buffer.concat([Buffer.from(signatures), message])), zoneMap(keysOf({ 'test._domainkey.example.com': dkimpyRecord(record) })), NOW)
      assert.equal(outcome.status, status, outcome.signatures[0]?.cause)
      count.dkimpy += 1
    })
  }
})

describe('DKIM, mailauth: the message of RFC 8463', { skip: suitesMissing('dkim/mailauth') }, () => {
  test('both signatures pass', async () => {
    const folder = join(SUITES, 'dkim/mailauth/test/dkim/ec/fixtures')
    const outcome = await verifyDkim(messageOf(withCrlf(readFileSync(join(folder, 'signed.eml')))), zoneMap(JSON.parse(readFileSync(join(folder, 'dns.json'), 'utf8')) as ZoneData), NOW)
    assert.deepEqual(outcome.signatures.map(({ status, algorithm, bits }) => [status, algorithm, bits]), [['pass', 'ed25519-sha256', 256], ['pass', 'rsa-sha256', 1024]])
    count.mailauth += 1
  })
})
