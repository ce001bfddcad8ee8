import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluateDmarc } from '../../../src/auth/dmarc.ts'
import type { DmarcInput, DmarcOutcome } from '../../../src/auth/dmarc.ts'
import { zoneMap } from '../../support/zone-map.ts'
import type { ZoneData } from '../../support/zone-map.ts'
import { withEachFailure } from './signed-mail.ts'

const ZONE: ZoneData = { '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@example.com'] }, 'mail.example.com': { A: ['192.0.2.1'] } }
const INPUT: DmarcInput = { fromDomain: 'example.com', spf: null, dkim: [] }
const pass = (domain: string) => ({ status: 'pass', domain })
const evaluate = (input: Partial<DmarcInput>, zone: ZoneData = ZONE): Promise<DmarcOutcome> => evaluateDmarc({ ...INPUT, ...input }, zoneMap(zone))

test('what is known of a pass and of a fail', async () => {
  const record = 'v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@example.com'
  const known = { domain: 'example.com', organizationalDomain: 'example.com', recordName: '_dmarc.example.com', record, policy: 'reject', testing: false }
  assert.deepEqual(await evaluate({ spf: pass('bounce.example.com'), dkim: [pass('example.com'), pass('other.example'), pass('example.com')] }), { ...known, status: 'pass', alignment: { spf: 'bounce.example.com', dkim: ['example.com'], strict: { spf: false, dkim: false } }, cause: '' })
  assert.deepEqual(await evaluate({ spf: { status: 'softfail', domain: 'example.com' }, dkim: [{ status: 'fail', domain: 'example.com' }, pass('example.org')] }), { ...known, status: 'fail', alignment: { spf: null, dkim: [], strict: { spf: false, dkim: false } }, cause: 'neither SPF nor DKIM has authenticated a domain that is aligned' })
})

test('strict alignment, and domains in any spelling', async () => {
  const zone: ZoneData = { '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; aspf=s; adkim=s'] } }
  assert.equal((await evaluate({ spf: pass('a.example.com'), dkim: [pass('b.example.com')] }, zone)).status, 'fail')
  assert.equal((await evaluate({ fromDomain: 'Example.COM.', spf: pass('EXAMPLE.com') }, zone)).status, 'pass')
  assert.equal((await evaluate({ fromDomain: 'BÜCHER.example', dkim: [pass('xn--bcher-kva.example')] }, { '_dmarc.xn--bcher-kva.example': { TXT: ['v=DMARC1; p=reject; adkim=s'] } })).status, 'pass')
})

test('sp for a subdomain that exists, np for one that does not, t one step weaker, pct nothing', async () => {
  assert.deepEqual([(await evaluate({ fromDomain: 'mail.example.com' })).policy, (await evaluate({ fromDomain: 'nowhere.example.com' })).policy], ['quarantine', 'quarantine'])
  const np: ZoneData = { ...ZONE, '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; sp=quarantine; np=reject; pct=0'] } }
  assert.deepEqual([(await evaluate({ fromDomain: 'mail.example.com' }, np)).policy, (await evaluate({ fromDomain: 'nowhere.example.com' }, np)).policy, (await evaluate({}, np)).policy], ['quarantine', 'reject', 'none'])
  const testing = await evaluate({}, { '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; t=y'] } })
  assert.deepEqual([testing.status, testing.policy, testing.testing], ['fail', 'quarantine', true])
})

test('no record is none', async () => {
  for (const zone of [{}, { '_dmarc.example.com': { TXT: ['v=DMARC1'] } }, { '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=reject'] } }, { '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; p=none'] } }] satisfies ZoneData[]) {
    const outcome = await evaluate({ spf: pass('example.com') }, zone)
    assert.deepEqual([outcome.status, outcome.policy, outcome.recordName], ['none', 'none', null])
  }
})

test('what is no domain is permerror, and is not asked for', async () => {
  for (const fromDomain of ['', '.', 'a b.example', 'a@b.example', '"x"', 'a,b.example', '<x.example>']) {
    const zone = zoneMap(ZONE)
    const outcome = await evaluateDmarc({ ...INPUT, fromDomain, spf: pass('example.com') }, zone)
    assert.deepEqual([outcome.status, outcome.policy], ['permerror', 'none'], fromDomain)
    assert.equal(zone.queries.length, 0)
  }
  for (const fromDomain of ['[192.0.2.1]', `${'x'.repeat(64)}.example`, 'a..b', 'x.'.repeat(200)]) assert.ok(['none', 'permerror'].includes((await evaluate({ fromDomain })).status), fromDomain)
})

test('whichever step of the walk fails, nothing that rests on it is fail or none', async () => {
  const zone = zoneMap({ '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; sp=reject; np=quarantine'] }, 'b.example.com': { A: ['192.0.2.1'] } })
  const asked = await withEachFailure(zone, (resolver) => evaluateDmarc({ ...INPUT, fromDomain: 'a.b.example.com', spf: pass('other.example.com'), dkim: [pass('x.b.example.com')] }, resolver), ({ status, policy, cause }, failed) => {
    // x.b.example.com and other.example.com both align: one of them is enough, if the domain's own walk was whole.
    if (status === 'temperror') assert.deepEqual([policy, /(?:timeout|servfail)/.test(cause)], ['none', true], failed)
    else assert.equal(status, 'pass', failed)
  })
  assert.ok(asked >= 6)
  await withEachFailure(zone, (resolver) => evaluateDmarc({ ...INPUT, fromDomain: 'a.b.example.com' }, resolver), ({ status }, failed) => assert.equal(status, 'temperror', failed))
})

test('a fail that no failed look-up could change stands', async () => {
  // The domain's own record is there; nothing is authenticated, so the rest of the walk does not matter.
  const outcome = await evaluate({ fromDomain: 'example.com' }, { ...ZONE, '_dmarc.com': 'timeout' })
  assert.deepEqual([outcome.status, outcome.policy], ['fail', 'reject'])
  assert.equal((await evaluate({ spf: pass('example.org') }, { ...ZONE, '_dmarc.com': 'timeout' })).status, 'fail')
  assert.equal((await evaluate({ spf: pass('b.example.com') }, { ...ZONE, '_dmarc.com': 'timeout' })).status, 'temperror')
})

test('a fail waits for SPF and DKIM results that are temperror and would be aligned', async () => {
  const waiting = (domain: string) => ({ status: 'temperror', domain })
  const spf = await evaluate({ spf: waiting('bounce.example.com') })
  assert.deepEqual([spf.status, spf.cause], ['temperror', 'not authenticated, and SPF of bounce.example.com could not be checked'])
  assert.deepEqual([(await evaluate({ dkim: [waiting('example.com')] })).status, (await evaluate({ dkim: [waiting('other.example')], spf: waiting('') })).status], ['temperror', 'fail'])
  assert.equal((await evaluate({ dkim: [waiting('example.com'), pass('example.com')] })).status, 'pass')
  // The walk of the waiting domain can fail too.
  assert.equal((await evaluate({ dkim: [waiting('x.example.com')] }, { ...ZONE, '_dmarc.x.example.com': 'servfail' })).status, 'temperror')
})

test('a hundred signing domains below the author cost a bounded number of questions', async () => {
  const zone = zoneMap(ZONE)
  const outcome = await evaluateDmarc({ ...INPUT, dkim: Array.from({ length: 100 }, (_, i) => pass(`s${i}.example.com`)) }, zone)
  assert.equal(outcome.status, 'pass')
  assert.ok(zone.queries.length <= 20, `${zone.queries.length}`)
})

test('a resolver with a bug is temperror; a record of a stranger is made plain', async () => {
  assert.equal((await evaluateDmarc(INPUT, { lookup: () => { throw new Error('boom') } })).status, 'temperror')
  const { record } = await evaluate({}, { '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; x=\u001b[2J\u00e9'] } })
  assert.equal(record, 'v=DMARC1; p=reject; x=?[2J?')
})
