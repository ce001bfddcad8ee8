/** The openspf.org suite for RFC 7208 (`spf/rfc7208-tests.yml`, 203 cases): results and explanations. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { checkSpf } from '../../src/auth/spf.ts'
import { normalName } from '../../src/dns/name.ts'
import { SUITES, suitesMissing } from '../support/mail-samples.ts'
import { zoneMap } from '../support/zone-map.ts'
import type { ZoneData, ZoneEntry } from '../support/zone-map.ts'

interface SuiteCase {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  readonly result: string | readonly string[]
  /** DEFAULT: that of the implementation, which is none */
  readonly explanation?: string
}

type SuiteRecord = 'TIMEOUT' | Readonly<Record<string, unknown>>

interface Scenario {
  readonly description: string
  readonly tests: Readonly<Record<string, SuiteCase>>
  readonly zonedata: Readonly<Record<string, readonly SuiteRecord[]>>
}

const FILE = join(SUITES, 'spf/rfc7208-tests.yml')
const scenarios = existsSync(FILE) ? parseAllDocuments(readFileSync(FILE, 'utf8')).map((document) => document.toJS() as Scenario) : []

/** The suite's zone as ours. SPF stands for TXT where the name has no TXT of its own; what a name with TIMEOUT does not list times out. */
function zoneOf(scenario: Scenario): ZoneData {
  const zone: Record<string, ZoneEntry> = {}
  for (const [name, records] of Object.entries(scenario.zonedata)) {
    // Names that the DNS cannot hold are there to be asked for in vain.
    if (normalName(name) === undefined) continue
    const held = records.filter((record) => typeof record === 'object')
    const values = (type: string): unknown[] => held.filter((record) => type in record).map((record) => record[type])
    const texts = values('TXT').length > 0 ? values('TXT') : values('SPF')
    const entry: Record<string, unknown> = { TXT: texts.filter((value) => value !== 'NONE') }
    for (const type of ['A', 'AAAA', 'PTR', 'MX']) entry[type] = values(type)
    const [alias] = values('CNAME')
    const present = Object.fromEntries(Object.entries(entry).filter(([, list]) => (list as unknown[]).length > 0))
    const silent = records.includes('TIMEOUT') ? Object.fromEntries(['A', 'AAAA', 'PTR', 'MX', 'TXT'].map((type) => [type, 'timeout'])) : {}
    zone[name] = (alias === undefined ? { ...silent, ...present } : { CNAME: alias }) as ZoneEntry
  }
  return zone
}

describe('SPF, the suite of openspf.org for RFC 7208', { skip: suitesMissing('spf/rfc7208-tests.yml') }, () => {
  let passed = 0
  for (const scenario of scenarios) {
    for (const [name, one] of Object.entries(scenario.tests)) {
      test(`${scenario.description}: ${name}`, async () => {
        const outcome = await checkSpf({ address: one.host, helo: one.helo, sender: one.mailfrom, receiver: 'receiver.example.com' }, zoneMap(zoneOf(scenario)))
        assert.ok([one.result].flat().includes(outcome.status), `${outcome.status}, not ${String(one.result)}: ${outcome.cause ?? ''}`)
        // Without regard to case: the suite has the hexadecimal digits of %{i} in upper case, RFC 7208 §7.3 leaves that open.
        if (one.explanation !== undefined && outcome.status === 'fail') assert.equal(outcome.explanation?.toLowerCase(), one.explanation === 'DEFAULT' ? undefined : one.explanation.toLowerCase())
        passed += 1
      })
    }
  }
  test('is complete: 203 cases', () => assert.equal(scenarios.flatMap(({ tests }) => Object.keys(tests)).length, 203))
  after(() => console.log(`# spf/rfc7208-tests.yml: ${passed} of 203 cases`))
})
