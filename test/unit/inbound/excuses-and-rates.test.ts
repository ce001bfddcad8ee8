/** What is decided later or counted: exceptions, the allow list, greylisting, rates. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AllowEntry, AllowIdentity } from '../../../src/reputation/allow-list.ts'
import { CLIENT, GOOD, LETTER, LIST, listed } from '../../support/judged-zone.ts'
import { judged } from '../../support/judged.ts'
import type { ZoneData } from '../../support/zone-map.ts'

describe('what may be excused waits', () => {
  const NO_NAME: ZoneData = { 'partner.example': { TXT: [`v=spf1 ip4:${CLIENT} -all`], MX: [[10, 'mx.partner.example']] }, 'sender.example': { MX: [[10, 'mx.sender.example']] } }
  const policy = 'preset: standard, early_talker_wait: 0s, exceptions: [{ checks: [rdns, fcrdns], when: { spf: pass, spf_domain: partner.example }, reason: their relay has no name }]'

  test('a client without a name is greeted where SPF may excuse it, served if SPF does, and refused at RCPT if not', async () => {
    const friend = await judged({ zone: NO_NAME, policy })
    assert.match(await friend.greeting(), /^220/)
    assert.match(await friend.envelope('eve@partner.example'), /^250/)
    assert.match(await friend.message(LETTER), /^250/)
    const stranger = await judged({ zone: NO_NAME, policy })
    assert.match(await stranger.greeting(), /^220/)
    assert.match(await stranger.envelope('anna@sender.example'), /^550 5\.7\.25 Your address 192\.0\.2\.7 has no name/)
  })

  test('an excuse that cannot be found out is 451, not 550', async () => {
    const stage = await judged({ zone: { ...NO_NAME, 'partner.example': { TXT: 'servfail' } }, policy })
    await stage.greeting()
    assert.match(await stage.envelope('eve@partner.example'), /^451 4\.7\.25/)
  })

  test('recipients with excuses of their own do not share a message: neither loses it', async () => {
    const stage = await judged({
      zone: NO_NAME,
      policy: 'preset: standard, early_talker_wait: 0s, exceptions: [{ checks: [rdns, fcrdns], when: { recipient: b@hop.example }, reason: b }, { checks: [rdns, fcrdns], when: { recipient: c@hop.example }, reason: c }]',
    })
    await stage.greeting()
    assert.match(await stage.envelope(), /^250/)
    // The reply OTHER_VERDICT.
    assert.match(await stage.say('RCPT TO:<c@hop.example>'), /^451 4\.5\.3 This recipient has rules of its own, send it again/)
    assert.match(await stage.message(LETTER), /^250/)
    await stage.say('MAIL FROM:<anna@sender.example>')
    assert.match(await stage.say('RCPT TO:<c@hop.example>'), /^250/)
    assert.match(await stage.message(LETTER), /^250/)
  })

  test('an exception for one recipient opens nothing for another', async () => {
    const stage = await judged({ zone: NO_NAME, policy: 'preset: standard, early_talker_wait: 0s, exceptions: [{ checks: [rdns, fcrdns], when: { recipient: b@hop.example }, reason: takes everything }]' })
    assert.match(await stage.greeting(), /^220/)
    assert.match(await stage.envelope(), /^250/)
    assert.match(await stage.say('RCPT TO:<c@hop.example>'), /^550 5\.7\.25/)
    assert.match(await stage.message(LETTER), /^250/)
    assert.equal(stage.delivered().length, 1)
  })

  const entry = (match: AllowIdentity, checks?: readonly string[]): AllowEntry => ({ id: 'partner', match, scope: checks === undefined ? {} : { checks }, reason: 'a partner', author: 'eve', expiresAt: undefined })

  test('the allow list: an address at once, a domain once SPF passes for it; a forged From gains nothing; hits are counted', async () => {
    const byAddress = await judged({ zone: NO_NAME, allow: [entry({ kind: 'address', networks: [CLIENT] }, ['rdns', 'fcrdns', 'early_talker'])] })
    assert.match(await byAddress.greeting(), /^220/)
    assert.match(await byAddress.envelope(), /^250/)
    await byAddress.message(LETTER)
    assert.equal(byAddress.shared.hits.of('partner')?.count, 1)
    const byDomain = await judged({ zone: NO_NAME, policy: 'preset: standard, early_talker_wait: 0s', allow: [entry({ kind: 'domain', domain: 'partner.example' })] })
    assert.match(await byDomain.greeting(), /^220/)
    assert.match(await byDomain.envelope('eve@partner.example'), /^250/)
    const forged = await judged({ zone: NO_NAME, policy: 'preset: standard, early_talker_wait: 0s', allow: [entry({ kind: 'domain', domain: 'partner.example' })] })
    await forged.greeting()
    // DKIM of the message could still prove the domain.
    assert.match(await forged.envelope('anna@sender.example'), /^250/)
    assert.match(await forged.message(['From: Eve <eve@partner.example>', ...LETTER.slice(1)]), /^550 5\.7\.25/)
    assert.deepEqual(forged.delivered(), [])
  })
})

describe('greylisting', () => {
  const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.4'] } }
  const policy = 'preset: standard, early_talker: off, dnsbl: { lists: [bl.example] }, greylist: { action: suspicious }'

  test('a suspicious client is asked to come back, and is let in when it does', async () => {
    const first = await judged({ zone, policy })
    await first.greeting()
    assert.match(await first.envelope(), /^451 4\.7\.1 Greylisted: please send this again in 5 minutes, as mail servers do \(ID1\)/)
    assert.equal(first.remembered.length, 0)
    await first.say('RSET')
    assert.deepEqual(first.remembered.map(({ action }) => action), ['refused'])
    first.clock.nowMs += 6 * 60_000
    const second = await judged({ zone, policy, before: first })
    await second.greeting()
    assert.match(await second.envelope(), /^250/)
  })

  test('nobody else is', async () => {
    const stage = await judged({ zone: GOOD, policy })
    await stage.greeting()
    assert.match(await stage.envelope(), /^250/)
  })
})

describe('rates', () => {
  test('an entry of the allow list that waits for the message switches no limit off, and no greylisting', async () => {
    const allow: AllowEntry[] = [{ id: 'x', match: { kind: 'domain', domain: 'partner.example' }, scope: {}, reason: 'r', author: 'eve', expiresAt: undefined }]
    const policy = 'preset: standard, rate: { connections_per_address: 1/1m, recipients_per_address: 1/1h }'
    const first = await judged({ zone: GOOD, policy, allow })
    assert.match(await first.greeting(), /^220/)
    assert.match(await first.envelope(), /^250/)
    assert.match(await first.say('RCPT TO:<c@hop.example>'), /^451 4\.7\.1 Too many recipients/)
    assert.match(await (await judged({ zone: GOOD, policy, allow, before: first })).greeting(), /^421/)
    const suspicious = await judged({ zone: { 'sender.example': { MX: [[10, 'mx.sender.example']] } }, allow, policy: 'preset: standard, early_talker: off, greylist: { action: suspicious }' })
    assert.match(await suspicious.greeting(), /^220/)
    assert.match(await suspicious.envelope(), /^451 4\.7\.1 Greylisted/)
  })

  test('a limit holds for a client that would be refused later, and nothing is asked for it', async () => {
    const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.4'] } }
    const policy = 'preset: standard, early_talker: off, dnsbl: { action: reject, lists: [bl.example] }, rate: { sessions_per_address: 1 }'
    const first = await judged({ zone, policy })
    assert.match(await first.greeting(), /^220/)
    const asked = first.zone.queries.length
    const second = await judged({ zone, policy, before: first })
    const proofs = second.zone.queries.length - asked
    assert.match(await second.greeting(), /^421 4\.7\.1 Too many sessions/)
    assert.equal(second.zone.queries.length, asked + proofs)
  })

  test('so many look-ups of one network at once, and no more', async () => {
    const first = await judged({ zone: GOOD, crowd: 0 })
    assert.match(await first.greeting(), /^421 4\.7\.0 Too many connections from your network at once/)
    assert.deepEqual(first.zone.queries, [])
  })

  test('connections: 421 in place of the greeting; messages and recipients: 451', async () => {
    const policy = 'preset: standard, rate: { connections_per_address: 2/1m, recipients_per_sender: 1/1h }'
    const first = await judged({ zone: GOOD, policy })
    assert.match(await first.greeting(), /^220/)
    assert.match(await first.envelope(), /^250/)
    assert.match(await first.say('RCPT TO:<c@hop.example>'), /^451 4\.7\.1 Too many recipients from your sender: at most 1 in 3600 s/)
    const second = await judged({ zone: GOOD, policy, before: first })
    assert.match(await second.greeting(), /^220/)
    const third = await judged({ zone: GOOD, policy, before: first })
    assert.match(await third.greeting(), /^421 4\.7\.1 Too many connections from your address: at most 2 in 60 s/)
    assert.ok(third.transport.ended)
  })

  test('sessions at once end with their sessions, also those that were refused', async () => {
    const policy = 'preset: standard, rate: { sessions_per_address: 1 }'
    const first = await judged({ zone: GOOD, policy })
    assert.match(await first.greeting(), /^220/)
    assert.match(await (await judged({ zone: GOOD, policy, before: first })).greeting(), /^421/)
    await first.say('QUIT')
    assert.match(await (await judged({ zone: GOOD, policy, before: first })).greeting(), /^220/)
  })
})
