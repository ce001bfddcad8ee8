/** Whole sessions of judged clients: what they are told, what the hop gets, what is remembered. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { CLIENT, GOOD, LETTER, LIST, listed, PTR } from '../../support/judged-zone.ts'
import { judged } from '../../support/judged.ts'
import { reverseName, type ZoneData } from '../../support/zone-map.ts'

describe('who is calling', () => {
  test('a client in order is greeted, its mail is tagged and goes on; nothing of the body changes', async () => {
    const stage = await judged({ zone: GOOD })
    assert.equal(await stage.greeting(), '220 mx.example ESMTP Postern\r\n')
    assert.equal(await stage.envelope(), '250 2.1.5 Ok\r\n')
    assert.equal(await stage.message(LETTER), '250 2.0.0 Queued\r\n')
    const [message = ''] = stage.delivered()
    assert.ok(message.endsWith(`\r\n${LETTER.join('\r\n')}\r\n`), message)
    assert.match(message, /^X-Spam-Score: 0\.0\r\nX-Spam-Status: No, score=0\.0 required=5\.0 tests=none\r\nAuthentication-Results: mx\.example;\r\n/)
    assert.match(message, /iprev=pass \(mail\.sender\.example\) policy\.iprev=192\.0\.2\.7;/)
    assert.match(message, /spf=pass smtp\.mailfrom=anna@sender\.example;/)
    assert.match(message, /dkim=none;/)
    assert.match(message, /dmarc=none header\.from=sender\.example\r\n/)
    assert.match(message, /Received-SPF: pass receiver=mx\.example; identity=mailfrom;/)
    const [decision] = stage.remembered
    assert.equal(decision?.action, 'accept')
  })

  test('without a name: 550 5.7.25 in place of the greeting, which says what to mend, and the session is over', async () => {
    const stage = await judged({ zone: {} })
    assert.equal(await stage.greeting(), '550 5.7.25 Your address 192.0.2.7 has no name: let its provider add a PTR record, or send through a relay that has one (ID1)\r\n')
    assert.ok(stage.transport.ended)
    assert.equal(stage.remembered[0]?.id, 'ID1')
    assert.equal(stage.remembered[0].action, 'disconnect')
    assert.deepEqual(stage.logged.find(({ text }) => text === 'client refused')?.facts['tests'], ['rdns:no-ptr', 'fcrdns:no-ptr'])
  })

  test('a name that does not lead back: 550 5.7.25', async () => {
    for (const forward of [{}, { 'mail.sender.example': { A: ['192.0.2.8'] } }] as ZoneData[]) {
      const stage = await judged({ zone: { [PTR]: { PTR: ['mail.sender.example'] }, ...forward } })
      assert.match(await stage.greeting(), /^550 5\.7\.25 Your address 192\.0\.2\.7 is called mail\.sender\.example, which does not lead back to it/)
      assert.ok(stage.transport.ended)
    }
  })

  test('IPv6 as well', async () => {
    const address = '2001:db8::7'
    const zone = { [reverseName(address)]: { PTR: ['six.example'] }, 'six.example': { AAAA: [address] } }
    assert.match(await (await judged({ zone, client: address })).greeting(), /^220/)
    assert.match(await (await judged({ zone: {}, client: address })).greeting(), /^550 5\.7\.25 Your address 2001:db8::7 has no name/)
  })

  test('what cannot be found out now is 451 4.7.25 at RCPT, never a 5xx', async () => {
    for (const zone of [{ [PTR]: 'servfail' }, { [PTR]: { PTR: ['mail.sender.example'] }, 'mail.sender.example': 'servfail' }] as ZoneData[]) {
      const stage = await judged({ zone: { 'sender.example': { MX: [[10, 'mail.sender.example']] }, ...zone } })
      assert.match(await stage.greeting(), /^220/)
      assert.match(await stage.envelope(), /^451 4\.7\.25 The name of your address 192\.0\.2\.7 could not be found out: the DNS did not answer; try again later \(ID1\)/)
    }
  })

  test('with no DNS at all mail flows and says temperror; with dns_down: tempfail it waits', async () => {
    const zone = { [PTR]: 'timeout', 'sender.example': 'timeout', 'mail.sender.example': 'timeout', '_dmarc.sender.example': 'timeout' } as const
    const stage = await judged({ zone })
    assert.match(await stage.greeting(), /^220/)
    assert.match(await stage.envelope(), /^250/)
    assert.match(await stage.message(LETTER), /^250/)
    assert.match(stage.delivered()[0] ?? '', /iprev=temperror[^]*spf=temperror[^]*dmarc=temperror/)
    const waiting = await judged({ zone, policy: 'preset: standard, dns_down: tempfail' })
    await waiting.greeting()
    assert.match(await waiting.envelope(), /^451 4\.7\.25/)
  })

  test('a client on this machine or a unix socket is exempt: nothing is asked, nothing is added', async () => {
    const stage = await judged({ zone: {}, client: undefined })
    assert.match(await stage.greeting(), /^220/)
    await stage.envelope()
    await stage.message(LETTER)
    assert.deepEqual(stage.delivered(), [`${LETTER.join('\r\n')}\r\n`])
    assert.deepEqual(stage.zone.queries, [])
    assert.equal(stage.remembered[0]?.action, 'accept')
  })

  test('observe refuses nobody', async () => {
    const stage = await judged({ zone: { ...LIST, [listed('bl.example')]: { A: ['127.0.0.4'] }, '_dmarc.sender.example': { TXT: ['v=DMARC1; p=reject'] }, 'sender.example': { TXT: ['v=spf1 -all'] } }, policy: 'preset: observe, dnsbl: { lists: [bl.example] }' })
    assert.match(await stage.greeting(), /^220/)
    assert.match(await stage.envelope(), /^250/)
    assert.match(await stage.message(LETTER), /^250/)
    assert.match(stage.delivered()[0] ?? '', /^X-Warning: 192\.0\.2\.7 is in a black list at bl\.example\r\nX-Warning: 192\.0\.2\.7 is not allowed to send mail from sender\.example\r\n/)
  })
})

describe('lists', () => {
  const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.4'], TXT: ['see https://bl.example/'] } }

  test('standard warns, with the words of the guides; strict refuses with the reason of the list', async () => {
    const stage = await judged({ zone, policy: 'preset: standard, early_talker_wait: 0s, dnsbl: { lists: [{ zone: bl.example, weight: 3 }] }' })
    await stage.greeting()
    assert.match(await stage.envelope(), /^250/)
    await stage.message(LETTER)
    assert.match(stage.delivered()[0] ?? '', /^X-Warning: 192\.0\.2\.7 is in a black list at bl\.example\r\nX-Spam-Score: 3\.0\r\nX-Spam-Level: \*\*\*\r\n/)
    const strict = await judged({ zone, policy: 'preset: strict, early_talker_wait: 0s, dnsbl: { lists: [{ zone: bl.example, weight: 3 }] }' })
    await strict.greeting()
    assert.match(await strict.envelope(), /^550 5\.7\.1 Your address 192\.0\.2\.7 is listed at bl\.example: see https:\/\/bl\.example\/ \(ID1\)/)
  })

  test('an answer that says "you are blocked" is no listing, and neither is one of a list that lists everything', async () => {
    for (const broken of [{ ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.255.255.254'] } }, { ...zone, [listed('bl.example', '127.0.0.1')]: { A: ['127.0.0.2'] } }, { ...zone, [listed('bl.example', '127.0.0.2')]: {} }] as ZoneData[]) {
      const stage = await judged({ zone: broken, policy: 'preset: strict, dnsbl: { lists: [bl.example] }' })
      await stage.greeting()
      assert.match(await stage.envelope(), /^250/)
      assert.ok(stage.logged.some(({ text, facts }) => /set aside/.test(text) && facts['zone'] === 'bl.example'), JSON.stringify(stage.logged))
    }
  })

  test('a list that cannot be asked is 451 where a listing would be 550', async () => {
    const stage = await judged({ zone: { ...zone, [listed('bl.example')]: 'servfail' }, policy: 'preset: strict, dnsbl: { lists: [bl.example] }' })
    await stage.greeting()
    assert.match(await stage.envelope(), /^451 4\.7\.1 The block list bl\.example could not be asked/)
  })

  test('a list that speaks for the client takes points away', async () => {
    const stage = await judged({
      zone: { ...zone, [listed('wl.example', '127.0.0.2')]: { A: ['127.0.0.2'] }, [listed('wl.example')]: { A: ['127.0.10.3'] } },
      policy: 'preset: standard, early_talker_wait: 0s, dnsbl: { lists: [{ zone: bl.example, weight: 3 }, { zone: wl.example, kind: allow, weight: 5 }] }',
    })
    await stage.greeting()
    await stage.envelope()
    await stage.message(LETTER)
    assert.match(stage.delivered()[0] ?? '', /X-Spam-Score: -2\.0\r\n/)
  })
})

describe('early talkers', () => {
  const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.4'] } }
  const policy = 'preset: strict, dnsbl: { action: note, lists: [bl.example] }, early_talker_wait: 4s, greylist: { action: off }'

  test('only a suspicious client waits, and one that cannot is shown out', async () => {
    const patient = await judged({ zone: GOOD, policy })
    assert.match(await patient.greeting(), /^220/)
    assert.deepEqual(patient.waits, [])
    const robot = await judged({ zone, policy })
    robot.session.start()
    while (robot.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(robot.transport.take(), '')
    robot.session.receive(Buffer.from('EHLO robot\r\n'))
    assert.equal(robot.waits[0]?.ms, 4000)
    robot.waits[0].end()
    assert.match(await robot.heard(), /^550 5\.5\.1 You spoke before you were greeted/)
    assert.ok(robot.transport.ended)
  })

  test('a suspicious client that waits is served', async () => {
    const stage = await judged({ zone, policy })
    stage.session.start()
    while (stage.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
    stage.waits[0]?.end()
    assert.match(await stage.heard(), /^220/)
    assert.match(await stage.envelope(), /^250/)
  })
})

describe('the envelope', () => {
  test('SPF fail: a warning in standard, 550 5.7.23 in strict; softfail refuses nothing', async () => {
    const zone = { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'], MX: [[10, 'mail.sender.example']] } } as const
    const stage = await judged({ zone })
    await stage.greeting()
    await stage.envelope()
    await stage.message(LETTER)
    assert.match(stage.delivered()[0] ?? '', /^X-Warning: 192\.0\.2\.7 is not allowed to send mail from sender\.example\r\n/)
    assert.match(stage.delivered()[0] ?? '', /spf=fail/)
    const strict = await judged({ zone, policy: 'preset: strict' })
    await strict.greeting()
    assert.match(await strict.envelope(), /^550 5\.7\.23 192\.0\.2\.7 is not allowed to send mail from sender\.example \(SPF\)/)
    const soft = await judged({ zone: { ...zone, 'sender.example': { TXT: ['v=spf1 ~all'], MX: [[10, 'mail.sender.example']] } }, policy: 'preset: strict, greylist: { action: off }' })
    await soft.greeting()
    assert.match(await soft.envelope(), /^250/)
    await soft.message(LETTER)
    assert.match(soft.delivered()[0] ?? '', /X-Spam-Score: 1\.0\r\n[^]*tests=SPF_SOFTFAIL/)
  })

  test('HELO and sender domain: scored in standard, refused in strict', async () => {
    const strict = await judged({ zone: GOOD, policy: 'preset: strict, greylist: { action: off }' })
    await strict.greeting()
    assert.match(await strict.envelope('anna@sender.example', { helo: 'mx.example' }), /^550 5\.7\.1 Say your own full name in HELO or EHLO/)
    await strict.say('RSET')
    assert.match(await strict.envelope('anna@nowhere.example'), /^550 5\.1\.8 Mail to your sender could not be answered/)
    const standard = await judged({ zone: GOOD })
    await standard.greeting()
    assert.match(await standard.envelope('anna@nowhere.example', { helo: 'localhost' }), /^250/)
    await standard.message(LETTER)
    assert.match(standard.delivered()[0] ?? '', /tests=HELO_SINGLE_LABEL,SENDER_DOMAIN_NO_SUCH_DOMAIN|tests=[A-Z_,]*HELO/)
  })

  test('a null reverse-path is judged by HELO', async () => {
    const stage = await judged({ zone: { ...GOOD, 'mail.sender.example': { A: [CLIENT], TXT: ['v=spf1 a -all'] } } })
    await stage.greeting()
    assert.match(await stage.envelope(''), /^250/)
    await stage.message(LETTER)
    assert.match(stage.delivered()[0] ?? '', /spf=pass smtp\.helo=mail\.sender\.example;/)
  })

  test('relaying is denied before anything else, and costs no look-up more', async () => {
    const stage = await judged({ zone: GOOD, policy: 'preset: strict' })
    await stage.greeting()
    assert.match(await stage.envelope('anna@sender.example', { to: 'x@elsewhere.example' }), /^550 5\.7\.1 .*relay/i)
  })
})

describe('DMARC', () => {
  const forged = (record: string): ZoneData => ({ ...GOOD, 'bank.example': { MX: [[10, 'mx.bank.example']] }, '_dmarc.bank.example': { TXT: [record] } })
  const FORGERY = ['From: Bank <service@bank.example>', ...LETTER.slice(1)]

  test('p=reject is honoured: 550, and the hop gets nothing', async () => {
    const stage = await judged({ zone: forged('v=DMARC1; p=reject') })
    await stage.greeting()
    await stage.envelope()
    assert.match(await stage.message(FORGERY), /^550 5\.7\.1 Mail from bank\.example needs SPF or DKIM of that domain, and this has neither \(DMARC, policy reject\) \(ID1\)/)
    assert.deepEqual(stage.delivered(), [])
    assert.equal(stage.hop.open, 0)
    assert.equal(stage.remembered[0]?.action, 'reject')
  })

  test('two authors: the policy of either counts', async () => {
    const stage = await judged({ zone: forged('v=DMARC1; p=reject') })
    await stage.greeting()
    await stage.envelope()
    assert.match(await stage.message(['From: Anna <anna@sender.example>, Bank <service@bank.example>', ...LETTER.slice(1)]), /^550 5\.7\.1/)
  })

  test('p=quarantine is kept, durably, before 250; where it cannot be kept it is 4xx', async () => {
    const stage = await judged({ zone: forged('v=DMARC1; p=quarantine') })
    await stage.greeting()
    await stage.envelope()
    // The replies KEPT, and below NO_ROOM and NOT_KEPT.
    assert.match(await stage.message(FORGERY), /^250 2\.0\.0 Message taken \(ID1\)/)
    assert.deepEqual(stage.delivered(), [])
    assert.match(stage.kept[0]?.text ?? '', /dmarc=fail[^]*From: Bank/)
    assert.deepEqual([stage.kept[0]?.facts.id, stage.kept[0]?.facts.hop], ['ID1', 'backend'])
    assert.equal(stage.remembered[0]?.action, 'quarantine')
    for (const [outcome, reply] of [['no-room', /^452 4\.3\.1/], ['failed', /^451 4\.3\.0/]] as const) {
      const full = await judged({ zone: forged('v=DMARC1; p=quarantine'), quarantine: outcome })
      await full.greeting()
      await full.envelope()
      assert.match(await full.message(FORGERY), reply)
    }
  })

  test('p=none changes nothing; a policy that cannot be found out keeps the message waiting, and refuses nothing for good', async () => {
    const answer = async (zone: ZoneData, lines: readonly string[]): Promise<string> => {
      const stage = await judged({ zone })
      await stage.greeting()
      await stage.envelope()
      return stage.message(lines)
    }
    assert.match(await answer(forged('v=DMARC1; p=none'), FORGERY), /^250 2\.0\.0 Queued/)
    assert.match(await answer({ ...GOOD, '_dmarc.bank.example': 'servfail' }, FORGERY), /^451 4\.7\.1 DMARC of bank\.example could not be found out/)
    const bodyHash = createHash('sha256').update('text\r\n').digest('base64')
    const signed = [`DKIM-Signature: v=1; a=rsa-sha256; d=bank.example; s=s1; h=from; bh=${bodyHash}; b=AAAA`, ...FORGERY]
    const dead = { 's1._domainkey.bank.example': 'servfail' } as const
    assert.match(await answer({ ...forged('v=DMARC1; p=reject'), ...dead }, signed), /^451 4\.7\.1 DMARC/)
    // Whatever the key would have said, nothing is asked for.
    assert.match(await answer({ ...forged('v=DMARC1; p=none'), ...dead }, signed), /^250/)
  })
})

describe('forged fields', () => {
  test('Authentication-Results that claim to be ours go, all others stay byte for byte', async () => {
    const stage = await judged({ zone: GOOD })
    await stage.greeting()
    await stage.envelope()
    const others = ['Authentication-Results: other.example; spf=pass', 'X-Folded: a', ' b', 'AUTHENTICATION-RESULTS : (c) MX.example (d); dkim=pass', 'Authentication-Results:', '\t"mx.example"; dmarc=pass', ...LETTER]
    await stage.message(others)
    const [message = ''] = stage.delivered()
    assert.ok(message.endsWith(['Authentication-Results: other.example; spf=pass', 'X-Folded: a', ' b', ...LETTER, ''].join('\r\n')), message)
  })

  test('a header section that cannot be looked through is refused: HEADER_TOO_LONG', async () => {
    const stage = await judged({ zone: GOOD })
    await stage.greeting()
    await stage.envelope()
    assert.match(await stage.message([...Array.from({ length: 10_001 }, () => 'X: y'), 'Authentication-Results: mx.example; spf=pass', ...LETTER]), /^554 5\.6\.0 The header section is too long/)
    assert.deepEqual(stage.delivered(), [])
  })

  test('an author that cannot be read is refused where DMARC is honoured, and only there', async () => {
    const many = `From: ${Array.from({ length: 11 }, (_, i) => `a@d${i}.example`).join(', ')}`
    const stage = await judged({ zone: GOOD })
    await stage.greeting()
    await stage.envelope()
    assert.match(await stage.message([many, ...LETTER.slice(1)]), /^550 5\.6\.0 The author of the message cannot be read/)
    const observing = await judged({ zone: GOOD, policy: 'preset: observe' })
    await observing.greeting()
    await observing.envelope()
    assert.match(await observing.message([many, ...LETTER.slice(1)]), /^250/)
  })
})

describe('several recipients, LMTP, and clients that leave', () => {
  test('LMTP: the refusal of a message is said for each recipient', async () => {
    const stage = await judged({ zone: { ...GOOD, '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] } }, protocol: 'lmtp' })
    assert.match(await stage.greeting(), /^220/)
    await stage.envelope()
    await stage.say('RCPT TO:<c@hop.example>')
    const answer = await stage.message(['From: Bank <service@bank.example>', ...LETTER.slice(1)])
    assert.equal(answer.split('\r\n').filter((line) => line.startsWith('550 5.7.1')).length, 2)
  })

  test('a client that leaves while it is judged leaves nothing behind', async () => {
    const stage = await judged({ zone: GOOD, policy: 'preset: standard, rate: { sessions_per_address: 1 }' })
    stage.session.start()
    stage.session.lost()
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    assert.match(await (await judged({ zone: GOOD, policy: 'preset: standard, rate: { sessions_per_address: 1 }', before: stage })).greeting(), /^220/)
    assert.deepEqual(stage.errors, [])
  })

  test('XCLIENT: the client that a trusted peer speaks for is judged, not the peer', async () => {
    const stage = await judged({ zone: GOOD, client: undefined })
    assert.match(await stage.greeting(), /^220/)
    assert.match(await stage.say('EHLO proxy.example'), /^250/)
    assert.match(await stage.say('XCLIENT ADDR=192.0.2.9'), /^550 5\.7\.25 Your address 192\.0\.2\.9 has no name/)
  })
})
