/**
 * ValiMail's ARC suite (`arc/`, 171 validations) and the ARC messages of the
 * stalwart and mailauth suites. Its 17 sealings are not run here: they belong
 * to sealing, which is not verification.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { verifyArc } from '../../src/auth/arc.ts'
import { SUITES, suitesMissing, withCrlf } from '../support/mail-samples.ts'
import { zoneMap } from '../support/zone-map.ts'
import type { ZoneData } from '../support/zone-map.ts'

interface ArcCase {
  readonly message: string
  readonly cv: string
}

interface Scenario {
  readonly description: string
  readonly tests: Readonly<Record<string, ArcCase>>
  readonly 'txt-records': Readonly<Record<string, string>> | null
}

const FILE = join(SUITES, 'arc/tests/arc-draft-validation-tests.yml')
const scenarios = existsSync(FILE) ? parseAllDocuments(readFileSync(FILE, 'utf8'), { uniqueKeys: false }).map((document) => document.toJS() as Scenario) : []
const cases = scenarios.flatMap((scenario) => Object.entries(scenario.tests).map(([name, one]) => ({ name, one, keys: scenario['txt-records'] ?? {} })))

const NOW = new Date('2026-01-01T00:00:00Z')
const messageOf = (raw: Buffer) => ({ async *chunks() { yield await Promise.resolve(raw) } })
const zoneOf = (keys: Readonly<Record<string, string>>): ZoneData => Object.fromEntries(Object.entries(keys).map(([name, text]) => [name, { TXT: [text] }]))

/** What the suite, written for drafts of RFC 8617, wants otherwise than the RFC: `ours` is what we say, and why. */
const OTHERWISE: Readonly<Record<string, { readonly ours: 'pass' | 'fail'; readonly because: string }>> = {
  ams_fields_h_empty: { ours: 'fail', because: 'h= lists no field at all, and an ARC-Message-Signature that does not cover From is none (RFC 6376 §5.4, §6.1.1 by RFC 8617 §4.1.2)' },
}

/** Three cases leave their result empty. RFC 8617 §5.2 step 2 and 3: a chain whose seal says cv=fail, or that begins with another value than none, has failed. */
const wanted = ({ cv }: ArcCase): string => (cv === '' ? 'fail' : cv.toLowerCase())

describe('ARC, the suite of ValiMail', { skip: suitesMissing('arc/tests') }, () => {
  let asWanted = 0
  for (const { name, one, keys } of cases) {
    const otherwise = OTHERWISE[name]
    test(`${name}${otherwise === undefined ? '' : `, otherwise than the suite: ${otherwise.because}`}`, async () => {
      const outcome = await verifyArc(messageOf(withCrlf(Buffer.from(one.message))), zoneMap(zoneOf(keys)), NOW)
      assert.equal(outcome.status, otherwise?.ours ?? wanted(one), outcome.cause)
      if (otherwise === undefined) asWanted += 1
    })
  }
  test('is complete: 171 validations', () => assert.equal(cases.length, 171))
  after(() => console.log(`# arc validations: ${asWanted} of 171 as the suite wants, ${Object.keys(OTHERWISE).length} otherwise with a reason; 17 sealings not run`))
})

describe('ARC, the messages of stalwart', { skip: suitesMissing('dkim/stalwart/resources/arc') }, () => {
  const folder = join(SUITES, 'dkim/stalwart/resources/arc')
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    test(name, async () => {
      const raw = withCrlf(readFileSync(join(folder, name))).toString('latin1')
      const split = raw.indexOf('\r\n\r\n')
      const keys = Object.fromEntries(raw.slice(0, split).split('\r\n').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
      const message = messageOf(Buffer.from(raw.slice(split + 4), 'latin1'))
      const outcome = await verifyArc(message, zoneMap(zoneOf(keys)), new Date(1667843664_000))
      assert.equal(outcome.status, 'pass', outcome.cause)
      assert.equal(outcome.sealers.length, outcome.instance)
    })
  }
})

describe('ARC, the messages of mailauth', { skip: suitesMissing('dkim/mailauth/test/fixtures') }, () => {
  const folder = join(SUITES, 'dkim/mailauth/test/fixtures')
  // The keys of these messages are not in the suite (they were Google's of 2020), so a pass cannot be had from them.
  for (const name of ['arc-pass.eml', 'arc-pass2.eml', 'arc-fail.eml', 'arc-fail2.eml', 'arc-fail3.eml']) {
    test(`${name} never passes without keys: fail where they do not exist, temperror where the DNS is silent`, async () => {
      const message = messageOf(withCrlf(readFileSync(join(folder, name))))
      assert.equal((await verifyArc(message, zoneMap({}), NOW)).status, 'fail')
      const silent = await verifyArc(message, { lookup: () => Promise.resolve({ status: 'timeout', cause: 'silent' }) }, NOW)
      assert.ok(silent.status === 'temperror' || (silent.status === 'fail' && /hash|signature|cv=/.test(silent.cause)), `${silent.status}: ${silent.cause}`)
    })
  }
})
