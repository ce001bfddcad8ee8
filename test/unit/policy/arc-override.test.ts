/** Which ARC chains rescue a message from DMARC, and which must not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArcOutcome } from '../../../src/auth/arc.ts'
import { arcOverride, type ArcEvidenceHop, type ArcOverride } from '../../../src/policy/arc-override.ts'

type Claim = readonly [method: string, result: string, properties?: Readonly<Record<string, string>>]

const DMARC_PASS: Claim = ['dmarc', 'pass', { 'header.from': 'author.example' }]
const DMARC_FAIL: Claim = ['dmarc', 'fail', { 'header.from': 'author.example' }]

/** Hops as they were added, the oldest first. */
function chain(...hops: readonly (readonly [sealer: string, ...claims: Claim[]])[]): readonly ArcEvidenceHop[] {
  return hops.map(([sealer, ...claims], i) => ({ instance: i + 1, sealer, results: claims.map(([method, result, properties = {}]) => ({ method, result, properties })) })).reverse()
}

function asked(hops: readonly ArcEvidenceHop[], trustedSealers: readonly string[] = ['list.example', 'forwarder.example'], fromDomains: readonly string[] = ['author.example']): ArcOverride {
  return arcOverride({ arc: { status: 'pass', hops, cause: '' }, trustedSealers, fromDomains })
}

test('a list that is trusted, and has seen DMARC pass', () => {
  assert.deepEqual(asked(chain(['list.example', ['spf', 'fail'], DMARC_PASS])), {
    rescued: true, sealer: 'list.example', instance: 1, why: 'The trusted ARC sealer list.example (i=1) found dmarc=pass for author.example.',
  })
})

test('the result of ARC validation is what it asks for', () => {
  const hop = { instance: 1, sealer: 'list.example', selector: 's', authservId: 'mx.list.example', results: [{ method: 'dmarc', result: 'pass', properties: { 'header.from': 'author.example' } }], text: '' }
  const outcome: ArcOutcome = { status: 'pass', instance: 1, sealers: ['list.example'], hops: [hop], cause: '' }
  assert.equal(arcOverride({ arc: outcome, trustedSealers: ['list.example'], fromDomains: ['author.example'] }).rescued, true)
})

test('no chain, a broken one, one that could not be checked', () => {
  const arc = (status: 'none' | 'fail' | 'temperror', cause: string): ArcOverride => arcOverride({ arc: { status, hops: chain(['list.example', DMARC_PASS]), cause }, trustedSealers: ['list.example'], fromDomains: ['author.example'] })
  assert.deepEqual(arc('none', ''), { rescued: false, uncertain: false, why: 'The message has no ARC chain.' })
  assert.deepEqual(arc('fail', 'i=2: bad seal.'), { rescued: false, uncertain: false, why: 'The ARC chain does not pass: i=2: bad seal.' })
  assert.deepEqual(arc('temperror', 'SERVFAIL'), { rescued: false, uncertain: true, why: 'The ARC chain could not be checked: SERVFAIL.' })
})

test('nobody is trusted by default, and nobody beside the list', () => {
  assert.deepEqual(asked(chain(['list.example', DMARC_PASS]), []), { rescued: false, uncertain: false, why: 'The newest ARC sealer, list.example (i=1), is not trusted.' })
  for (const trusted of ['example', 'st.example', '.st.example', 'sub.list.example', '.sub.list.example', '', '.', 'list.example.org']) assert.equal(asked(chain(['list.example', DMARC_PASS]), [trusted]).rescued, false, trusted)
  for (const trusted of ['LIST.example', 'list.example.', '.list.example', '.example']) assert.equal(asked(chain(['list.example', DMARC_PASS]), [trusted]).rescued, true, trusted)
  assert.equal(asked(chain(['mx.list.example', DMARC_PASS]), ['list.example']).rescued, false)
  assert.equal(asked(chain(['', DMARC_PASS]), ['', '.']).rescued, false)
})

test('every sealer above the one that is relied on must be trusted', () => {
  assert.deepEqual(asked(chain(['list.example', DMARC_PASS], ['forwarder.example', DMARC_FAIL, ['arc', 'pass']])), {
    rescued: true, sealer: 'list.example', instance: 1, why: 'The trusted ARC sealer list.example (i=1) found dmarc=pass for author.example.',
  })
  assert.deepEqual(asked(chain(['list.example', DMARC_PASS], ['stranger.example', DMARC_FAIL])).why, 'The newest ARC sealer, stranger.example (i=2), is not trusted.')
  assert.deepEqual(asked(chain(['list.example', DMARC_PASS], ['stranger.example', DMARC_FAIL], ['forwarder.example', DMARC_FAIL])), {
    rescued: false, uncertain: false, why: 'forwarder.example found nothing that speaks for author.example, and the sealer before, stranger.example (i=2), is not trusted.',
  })
  // A stranger at the bottom takes nothing from what a trusted hop saw itself.
  assert.equal(asked(chain(['stranger.example', DMARC_FAIL], ['list.example', DMARC_PASS])).rescued, true)
  assert.equal(asked(chain(['stranger.example', DMARC_PASS], ['list.example', DMARC_FAIL])).rescued, false)
})

test('trusted, but nothing found', () => {
  assert.deepEqual(asked(chain(['list.example', DMARC_FAIL], ['forwarder.example'])).why, 'No trusted ARC sealer (forwarder.example and list.example) found anything that speaks for author.example.')
  assert.equal(asked([]).rescued, false)
})

test('DMARC of another domain, of none, or contradicted, is no pass', () => {
  const claims: readonly (readonly Claim[])[] = [
    [['dmarc', 'pass', { 'header.from': 'other.example' }]],
    [['dmarc', 'pass', { 'header.from': 'sub.author.example' }]],
    [['dmarc', 'pass']],
    [['dmarc', 'pass', { 'policy.dmarc': 'author.example' }]],
    [['dmarc', 'bestguesspass', { 'header.from': 'author.example' }]],
    [DMARC_PASS, DMARC_FAIL],
    // Where DMARC was asked, its answer counts, not what it rests on.
    [DMARC_FAIL, ['dkim', 'pass', { 'header.d': 'author.example' }]],
    [['dmarc', 'none', { 'header.from': 'author.example' }], ['spf', 'pass', { 'smtp.mailfrom': 'a@author.example' }]],
  ]
  for (const claim of claims) assert.equal(asked(chain(['list.example', ...claim])).rescued, false, JSON.stringify(claim))
})

test('where the sealer says nothing of DMARC: SPF or DKIM of the author domain itself', () => {
  const why = (...claims: readonly Claim[]): string | undefined => {
    const made = asked(chain(['list.example', ...claims]))
    return made.rescued ? made.why : undefined
  }
  assert.match(why(['dkim', 'fail', { 'header.d': 'author.example' }], ['dkim', 'pass', { 'header.d': 'Author.Example' }]) ?? '', /dkim=pass for author\.example/)
  assert.match(why(['dkim', 'pass', { 'header.i': '@author.example' }]) ?? '', /dkim=pass/)
  assert.match(why(['spf', 'pass', { 'smtp.mailfrom': 'a@author.example' }]) ?? '', /spf=pass/)
  assert.match(why(['spf', 'pass', { 'smtp.mailfrom': 'author.example' }]) ?? '', /spf=pass/)
  assert.match(why(['spf', 'pass', { 'smtp.mailfrom': '<>', 'smtp.helo': 'author.example' }]) ?? '', /spf=pass/)
  assert.equal(why(['spf', 'pass', { 'smtp.mailfrom': 'a@other.example', 'smtp.helo': 'author.example' }]), undefined)
  assert.equal(why(['spf', 'softfail', { 'smtp.mailfrom': 'a@author.example' }]), undefined)
  assert.equal(why(['dkim', 'pass', { 'header.d': 'mail.author.example' }]), undefined)
  assert.equal(why(['dkim', 'pass', { 'header.d': 'other.example', 'header.i': '@author.example' }]), undefined)
  assert.equal(why(['dkim', 'pass']), undefined)
  assert.equal(why(['iprev', 'pass', { 'policy.iprev': 'author.example' }]), undefined)
})

test('several author domains: each needs its proof, of the same hop', () => {
  const two = ['author.example', 'second.example']
  assert.equal(asked(chain(['list.example', DMARC_PASS]), ['list.example'], two).rescued, false)
  const both = asked(chain(['list.example', ['dkim', 'pass', { 'header.d': 'author.example' }], ['dkim', 'pass', { 'header.d': 'second.example' }]]), ['list.example'], two)
  assert.equal(both.why, 'The trusted ARC sealer list.example (i=1) found dkim=pass for author.example and dkim=pass for second.example.')
  assert.equal(asked(chain(['list.example', DMARC_PASS], ['forwarder.example', ['dmarc', 'pass', { 'header.from': 'second.example' }]]), undefined, two).rescued, false)
  assert.equal(asked(chain(['list.example', DMARC_PASS]), ['list.example'], []).rescued, false)
})

test('a sentence stays one, whatever a stranger calls itself', () => {
  const { why } = asked(chain([`evil\r\nX: y\u202e${'x'.repeat(5000)}`, DMARC_PASS]))
  assert.match(why, /^[\x20-\x7e]{1,400}$/)
})

test('each step of the proof is needed: every combination of chain, trust and finding', () => {
  for (const status of ['none', 'pass', 'fail', 'temperror'] as const) {
    for (const trusted of [['list.example'], ['forwarder.example'], ['list.example', 'forwarder.example'], []]) {
      for (const oldest of [DMARC_PASS, DMARC_FAIL]) {
        for (const newest of [DMARC_PASS, DMARC_FAIL]) {
          const made = arcOverride({ arc: { status, hops: chain(['list.example', oldest], ['forwarder.example', newest]), cause: 'x' }, trustedSealers: trusted, fromDomains: ['author.example'] })
          const byNewest = trusted.includes('forwarder.example') && newest === DMARC_PASS
          const byOldest = trusted.length === 2 && oldest === DMARC_PASS
          assert.equal(made.rescued, status === 'pass' && (byNewest || byOldest), JSON.stringify({ status, trusted, oldest, newest }))
        }
      }
    }
  }
})
