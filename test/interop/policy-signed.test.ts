/**
 * Signed mail, end to end: by dkimpy and by OpenDKIM as Postfix's milter, and
 * forwarded by lists that seal with ARC; what DMARC makes of each where the
 * author's domain says p=reject.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { arcSealed, dkimSigned, makeRsaKey } from '../support/peers/dkimpy.ts'
import { startOpenDkim } from '../support/peers/opendkim.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { startStage, type Mail, type Sent, type Stage } from '../support/policy-stage.ts'
import { CLIENT, ZONE } from '../support/policy-zone.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { toCrlf } from '../support/trace-fields.ts'
import { reverseName } from '../support/zone-map.ts'

const BODY = ['An account statement.', '.', '..two dots', 'blank at the end ', '', 'x'.repeat(900), 'caf\xe9 \xff', '', '', ''].join('\r\n')
const STATEMENT = `${['From: Bank <service@bank.example>', 'To: alice@hop.example', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', 'Message-ID: <1@bank.example>', 'Subject: Your', ' statement', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit'].join('\r\n')}\r\n\r\n${BODY}`
const bank = { domain: 'bank.example', selector: 'b2026', key: makeRsaKey() }
const lists = { domain: 'lists.example', selector: 'arc', key: makeRsaKey() }
const stranger = { domain: 'stranger.example', selector: 'arc', key: makeRsaKey() }
const SIGNED_ZONE = {
  ...ZONE,
  'b2026._domainkey.bank.example': { TXT: [bank.key.record] },
  'arc._domainkey.lists.example': { TXT: [lists.key.record] },
  'arc._domainkey.stranger.example': { TXT: [stranger.key.record] },
}

/** By somebody whom SPF of bank.example does not know: DKIM and ARC are all there is. */
function relayed(stage: Stage, data: string, mail: Mail = {}): Promise<Sent> {
  return stage.swaks(CLIENT.relay, { from: 'post@relay.example', helo: 'mail.relay.example', data, ...mail })
}

async function delivered(stage: Stage): Promise<string> {
  const [message, ...more] = await stage.mailbox().take(1, { detail: () => stage.gateway.output() })
  assert.equal(more.length, 0)
  return toCrlf(message!).toString('latin1')
}

describe('DKIM by dkimpy', { skip: missing('swaks', 'dkimsign') }, () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ zone: SIGNED_ZONE })
  })
  after(() => stage.stop())

  for (const canonicalization of ['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'] as const) {
    test(`${canonicalization}: passes, and DMARC with it; what was signed arrives byte for byte`, async () => {
      const data = await dkimSigned(STATEMENT, { ...bank, canonicalization })
      const sent = await relayed(stage, data)
      assert.match(sent.last, /^250 /, sent.output)
      const message = await delivered(stage)
      assert.ok(message.endsWith(data), message)
      assert.match(message, /^Authentication-Results: gateway\.example;[^]*?\r\n dkim=pass header\.d=bank\.example header\.s=b2026 header\.a=rsa-sha256\r\n? header\.b=[^;]+;\r\n dmarc=pass \(p=reject\) header\.from=bank\.example\r\n/m)
    })
  }

  test('one byte changed on the way: 550, and the log says what failed', async () => {
    const sent = await relayed(stage, (await dkimSigned(STATEMENT, bank)).replace('account', 'Account'))
    assert.match(sent.last, /^550 5\.7\.1 Mail from bank\.example needs SPF or DKIM of that domain/, sent.output)
    assert.match(String((await stage.logged(sent.id))['auth']), /dkim=fail .*dmarc=fail/)
    const { record } = await stage.decision(sent.id)
    assert.match(record.checks.find(({ check }) => check === 'dkim')?.detail ?? '', /bank\.example b2026: fail/)
    assert.equal(stage.mailbox().count, 0)
  })

  test('signed by a domain that is not the author\'s: 550', async () => {
    stage.dns.set('x._domainkey.relay.example', { TXT: [bank.key.record] })
    const sent = await relayed(stage, await dkimSigned(STATEMENT, { ...bank, domain: 'relay.example', selector: 'x' }))
    assert.match(sent.last, /^550 5\.7\.1 /, sent.output)
    assert.match(String((await stage.logged(sent.id))['auth']), /dkim=pass .*dmarc=fail/)
  })

  test('a key that cannot be found out now: 451, and nothing is refused for good', async () => {
    stage.dns.set('lost._domainkey.bank.example', 'servfail')
    const sent = await relayed(stage, await dkimSigned(STATEMENT, { ...bank, selector: 'lost' }))
    assert.match(sent.last, /^451 4\.7\.1 DMARC of bank\.example could not be found out/, sent.output)
    assert.match(String((await stage.logged(sent.id))['auth']), /dkim=temperror .*dmarc=temperror/)
    assert.equal(stage.mailbox().count, 0)
  })
})

describe('OpenDKIM as Postfix\'s milter', { skip: missing('postfix', 'opendkim') }, () => {
  test('what it signs passes, and the body is what was handed in', async () => {
    const loopback = '127.0.0.1'
    const stage = await startStage({
      // The sending Postfix is on this machine, and has no exemption here.
      policy: { exempt: ['unix'] }, listener: { trust: {} },
      zone: { ...SIGNED_ZONE, [reverseName(loopback)]: { PTR: ['postfix.example'] }, 'postfix.example': { A: [loopback], MX: [[10, 'postfix.example']] } },
    })
    const started: { stop(): Promise<void> }[] = [stage]
    try {
      const opendkim = await startOpenDkim(bank)
      started.unshift(opendkim)
      const postfix = await startPostfix({ relayTo: stage.port, main: [`smtpd_milters = ${opendkim.milter}`, 'milter_default_action = tempfail'] })
      started.unshift(postfix)
      const dialog = await Dialog.open(postfix.address)
      await dialog.hello()
      const reply = await dialog.message({ from: 'bounces@postfix.example', to: 'alice@hop.example', data: Buffer.from(STATEMENT, 'latin1'), mailParameters: ' BODY=8BITMIME' })
      assert.equal(reply.status, 250, reply.text)
      await dialog.quit()
      const [stored] = await stage.mailbox().take(1, { detail: () => `${postfix.log()}${opendkim.log()}${stage.gateway.output()}` })
      const message = toCrlf(stored!).toString('latin1')
      assert.match(message, /^Authentication-Results: gateway\.example;\r\n iprev=pass \(postfix\.example\) policy\.iprev=127\.0\.0\.1;[^]*?\r\n dkim=pass header\.d=bank\.example header\.s=b2026[^]*?;\r\n dmarc=pass \(p=reject\) header\.from=bank\.example\r\n/m)
      assert.match(message, /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/simple; d=bank\.example;\r\n\ts=b2026;/m)
      assert.ok(message.endsWith(STATEMENT), message)
    } finally {
      for (const one of started) await one.stop()
    }
  })
})

describe('mailing lists', { skip: missing('swaks', 'dkimsign', 'arcsign') }, () => {
  let stage: Stage
  /** as the list sends it: signed by its author, changed, with what the list found, and sealed */
  let posting: (sealer: typeof lists, found?: string) => Promise<string>
  before(async () => {
    stage = await startStage({ zone: SIGNED_ZONE, policy: { trusted_sealers: ['lists.example'] } })
    posting = async (sealer, found = 'dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example') => {
      const changed = (await dkimSigned(STATEMENT, bank)).replace('Subject: Your', 'Subject: [tea] Your').concat('-- \r\nthe list about tea\r\n')
      return arcSealed(`Authentication-Results: ${sealer.domain}; ${found}\r\n${changed}`, sealer)
    }
  })
  after(() => stage.stop())
  const fromTheList = (data: string): Promise<Sent> => stage.swaks(CLIENT.lists, { from: 'tea-bounces@lists.example', helo: 'mail.lists.example', data })

  test('one that is trusted: delivered though DMARC fails, and the trace says who vouches', async () => {
    const data = await posting(lists)
    const sent = await fromTheList(data)
    assert.match(sent.last, /^250 /, sent.output)
    const message = await delivered(stage)
    assert.ok(message.endsWith(data), message)
    const [own = ''] = /^Authentication-Results: gateway\.example;(?:[^\n]*\n )*[^\n]*\n/m.exec(message) ?? []
    assert.match(own, /dkim=fail/)
    assert.match(own, /dmarc=fail \(p=reject\) reason="fail, but lists\.example vouches for it \(ARC\)"\s+header\.from=bank\.example;/)
    assert.match(own, /arc=pass \(sealed by lists\.example\)/)
    const id = / with ESMTP id (\w{10})\r\n/.exec(message)?.[1] ?? ''
    const { record } = await stage.decision(id)
    assert.match(record.checks.find(({ check }) => check === 'arc')?.detail ?? '', /The trusted ARC sealer lists\.example \(i=1\) found dmarc=pass for bank\.example/)
  })

  test('one that is not: 550, whoever brings it', async () => {
    const sent = await relayed(stage, await posting(stranger))
    assert.match(sent.last, /^550 5\.7\.1 Mail from bank\.example needs SPF or DKIM/, sent.output)
    const { record } = await stage.decision(sent.id)
    assert.match(record.checks.find(({ check }) => check === 'arc')?.detail ?? '', /stranger\.example \(i=1\), is not trusted/)
  })

  test('a trusted one that found nothing good: 550', async () => {
    const sent = await fromTheList(await posting(lists, 'dkim=fail header.d=bank.example; dmarc=fail header.from=bank.example'))
    assert.match(sent.last, /^550 5\.7\.1 /, sent.output)
  })

  test('changed after it was sealed, or with the seal of a trusted name and another\'s key: 550', async () => {
    assert.match((await fromTheList((await posting(lists)).replace('about tea', 'about TEA'))).last, /^550 5\.7\.1 /)
    assert.match((await fromTheList(await posting({ ...lists, key: stranger.key }))).last, /^550 5\.7\.1 /)
  })

  test('a seal whose key cannot be found out now: 4xx, for it may be rescued later', async () => {
    stage.dns.set('later._domainkey.lists.example', 'servfail')
    const data = await posting({ ...lists, selector: 'later' })
    const waiting = await fromTheList(data)
    assert.match(waiting.last, /^4\d\d /, waiting.output)
    assert.equal(stage.mailbox().count, 0)
  })
})
