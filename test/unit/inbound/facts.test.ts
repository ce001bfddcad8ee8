/** What is known as facts for conditions: every state of every check; what is not known is pending, what the DNS did not tell is temperror. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArcOutcome } from '../../../src/auth/arc.ts'
import type { DkimOutcome, DkimSignature } from '../../../src/auth/dkim.ts'
import type { IprevOutcome } from '../../../src/auth/iprev.ts'
import { factsOf, type Known } from '../../../src/inbound/facts.ts'
import { FACTS, type FactName, type FactValue } from '../../../src/policy/condition.ts'
import type { DnsListResult } from '../../../src/reputation/dnsbl.ts'

const fact = (name: FactName, known: Partial<Known>): FactValue => factsOf({ address: '192.0.2.7', ...known })(name)
const values = (...of: string[]): FactValue => ({ status: 'known', values: of })
const open = (...of: string[]): FactValue => ({ status: 'known', values: of, open: true })
const PENDING: FactValue = { status: 'pending' }
const TEMPERROR: FactValue = { status: 'temperror' }
const NAMES = { ptr: ['mail.example'], ignored: [], ptrCount: 1 }

test('before anything is checked everything is pending, but who the client is', () => {
  for (const name of Object.keys(FACTS) as FactName[]) assert.deepEqual(fact(name, {}), name === 'client' ? values('192.0.2.7') : PENDING, name)
  assert.deepEqual(factsOf({ address: undefined })('client'), values())
})

test('reverse DNS', () => {
  const cases: readonly (readonly [IprevOutcome, rdns: FactValue, fcrdns: FactValue, name: FactValue])[] = [
    [{ status: 'pass', confirmed: ['mail.example'], ...NAMES }, values('pass'), values('pass'), values('mail.example')],
    [{ status: 'pass', confirmed: ['mail.example'], open: true, ...NAMES }, values('pass'), values('pass'), open('mail.example')],
    [{ status: 'no-ptr', cause: '' }, values('fail'), values('fail'), values()],
    [{ status: 'not-confirmed', cause: '', ...NAMES }, values('pass'), values('fail'), values()],
    [{ status: 'temperror', cause: '', stage: 'ptr', ...NAMES }, TEMPERROR, TEMPERROR, TEMPERROR],
    [{ status: 'temperror', cause: '', stage: 'forward', ...NAMES }, values('pass'), TEMPERROR, TEMPERROR],
    [{ status: 'none', cause: '' }, values(), values(), values()],
  ]
  for (const [iprev, rdns, fcrdns, name] of cases) {
    assert.deepEqual([fact('rdns', { iprev }), fact('fcrdns', { iprev }), fact('client_name', { iprev })], [rdns, fcrdns, name], JSON.stringify(iprev))
  }
  assert.deepEqual(fact('generic_name', { generic: true }), values('yes'))
  assert.deepEqual(fact('generic_name', { generic: false }), values('no'))
  assert.deepEqual(fact('generic_name', { iprev: { status: 'temperror', cause: '', stage: 'ptr', ...NAMES } }), TEMPERROR)
})

test('lists: a listing counts though another list could not be asked; without one, the failure is open', () => {
  const listed: DnsListResult = { zone: 'bl.example', kind: 'block', status: 'listed', codes: ['127.0.0.2'], labels: [], weight: 1 }
  const clean: DnsListResult = { zone: 'cl.example', kind: 'block', status: 'not-listed' }
  const failed: DnsListResult = { zone: 'er.example', kind: 'block', status: 'error', stage: 'look-up', cause: '' }
  const white: DnsListResult = { zone: 'wl.example', kind: 'allow', status: 'listed', codes: ['127.0.0.2'], labels: [], weight: 1 }
  assert.deepEqual(fact('dnsbl', { lists: [listed, failed, white] }), values('listed'))
  assert.deepEqual(fact('dnsbl_zone', { lists: [listed, white] }), values('bl.example'))
  // The other one may be the one that is asked for.
  assert.deepEqual(fact('dnsbl_zone', { lists: [listed, failed, white] }), open('bl.example'))
  assert.deepEqual(fact('dnsbl', { lists: [clean, failed] }), TEMPERROR)
  assert.deepEqual(fact('dnsbl_zone', { lists: [clean, failed] }), TEMPERROR)
  assert.deepEqual(fact('dnsbl', { lists: [clean, white] }), values('clean'))
  assert.deepEqual(fact('dnswl', { lists: [clean, white] }), values('listed'))
  assert.deepEqual(fact('dnswl_zone', { lists: [clean, white] }), values('wl.example'))
  assert.deepEqual(fact('dnswl', { lists: [listed] }), values('clean'))
})

test('envelope', () => {
  assert.deepEqual(fact('sender', { sender: '' }), values())
  assert.deepEqual(fact('sender', { sender: 'a@b.example' }), values('a@b.example'))
  assert.deepEqual(fact('recipient', { recipients: [] }), PENDING)
  assert.deepEqual(fact('recipient', { recipients: ['a@b.example', 'c@b.example'] }), values('a@b.example', 'c@b.example'))
  assert.deepEqual(fact('helo_name', { heloName: 'x' }), values('x'))
  assert.deepEqual(fact('helo', { helo: { status: 'fail', name: 'x', result: 'single-label', cause: '' } }), values('fail'))
  assert.deepEqual(fact('helo', { helo: { status: 'temperror', name: 'x', cause: '' } }), TEMPERROR)
})

test('SPF: only a pass gives a domain', () => {
  const spf = (status: 'pass' | 'fail' | 'softfail' | 'none' | 'temperror' | 'permerror'): Partial<Known> => ({ spf: { status, domain: 'b.example', scope: 'mailfrom' } })
  assert.deepEqual([fact('spf', spf('pass')), fact('spf_domain', spf('pass'))], [values('pass'), values('b.example')])
  for (const status of ['fail', 'softfail', 'none', 'permerror'] as const) assert.deepEqual([fact('spf', spf(status)), fact('spf_domain', spf(status))], [values(status), values()])
  assert.deepEqual([fact('spf', spf('temperror')), fact('spf_domain', spf('temperror'))], [TEMPERROR, TEMPERROR])
})

test('DKIM: domains of good signatures only; one that could not be checked leaves it open', () => {
  const signature = (domain: string, status: DkimSignature['status']): DkimSignature => ({
    status, domain, selector: 's', algorithm: 'rsa-sha256', bits: 2048, identity: `@${domain}`, testing: false, bodyLength: null, headerFields: [], signatureStart: '', cause: '',
  })
  const dkim = (status: DkimOutcome['status'], ...signatures: DkimSignature[]): Partial<Known> => ({ dkim: { status, signatures, unexamined: 0, cause: '' } })
  assert.deepEqual(fact('dkim', dkim('none')), values('none'))
  assert.deepEqual(fact('dkim_domain', dkim('none')), values())
  for (const status of ['fail', 'neutral', 'policy', 'permerror'] as const) assert.deepEqual(fact('dkim', dkim(status)), values('fail'))
  const both = dkim('pass', signature('a.example', 'pass'), signature('b.example', 'fail'), signature('c.example', 'temperror'))
  assert.deepEqual([fact('dkim', both), fact('dkim_domain', both)], [values('pass'), open('a.example')])
  const undecided = dkim('temperror', signature('a.example', 'temperror'), signature('b.example', 'fail'))
  assert.deepEqual([fact('dkim', undecided), fact('dkim_domain', undecided)], [TEMPERROR, TEMPERROR])
  const failed = dkim('fail', signature('b.example', 'fail'))
  assert.deepEqual(fact('dkim_domain', failed), values())
})

test('ARC, and the authors', () => {
  const arc = (status: ArcOutcome['status']): Partial<Known> => ({ arc: { status, instance: 0, sealers: [], hops: [], cause: '' } })
  assert.deepEqual([fact('arc', arc('pass')), fact('arc', arc('temperror'))], [values('pass'), TEMPERROR])
  assert.deepEqual(fact('from_domain', { fromDomains: [] }), values())
  assert.deepEqual(fact('from_domain', { fromDomains: ['a.example'] }), values('a.example'))
})
