/**
 * dkimproxy.out and dkimproxy.in in the places that DKIMproxy has in real
 * set-ups: Postfix's content_filter out and smtpd_proxy_filter in, OpenSMTPD's
 * loop through 10027 and 10028, Exim that sends to it. Configuration files are
 * those of DKIMproxy's own documentation. What is signed is checked by other
 * people's verifiers.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { proxyInside, startProxy, type ProxyInside, type ProxyProcess } from '../support/dkimproxy.ts'
import { dkimSigned, makeRsaKey } from '../support/peers/dkimpy.ts'
import { startExim } from '../support/peers/exim.ts'
import type { Hop } from '../support/peers/hop.ts'
import { startOpenSmtpd } from '../support/peers/opensmtpd.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { freePort } from '../support/ports.ts'
import { run, temporaryDirectory } from '../support/process.ts'
import { SignatureCheck, writeKey } from '../support/signature-check.ts'
import { toCrlf } from '../support/trace-fields.ts'
import { zoneMap } from '../support/zone-map.ts'

const key = writeKey(join(temporaryDirectory('key'), 'private.key'))
const RECORDS = { 'sel._domainkey.example.com': key.record }
const BODY = 'Dear Alice,\n.\n..two dots\ntrailing blank \n\n' + 'x'.repeat(900) + '\n'

async function swaks(port: number, ...more: readonly string[]): Promise<string> {
  const { code, output } = await run(['swaks', '--server', `127.0.0.1:${port}`, '--from', 'bob@example.com', '--to', 'alice@hop.example', '--header', 'Subject: signed on the way', '--body', BODY, ...more])
  assert.equal(code, 0, output)
  return output
}

function outConfiguration(listen: number, relay: number): readonly string[] {
  return [
    '# specify what address/port DKIMproxy should listen on', `listen    127.0.0.1:${listen}`, '',
    '# specify what address/port DKIMproxy forwards mail to', `relay     127.0.0.1:${relay}`, '',
    'domain    example.com', 'signature dkim(c=relaxed/relaxed,a=rsa-sha256)', `keyfile   ${key.file}`, 'selector  sel', 'min_servers 5',
  ]
}

async function delivered(hop: Hop, proxy: { output(): string }): Promise<Buffer> {
  const [message] = await hop.mailbox('alice').take(1, { detail: () => `${hop.log()}\n${proxy.output()}` })
  return toCrlf(message!)
}

/** What the proxy signed: from the signature on, as its relay got it. */
function fromSignature(message: Buffer): Buffer {
  return message.subarray(message.indexOf('DKIM-Signature:'))
}

async function signed(message: Buffer): Promise<void> {
  const check = await SignatureCheck.start(RECORDS)
  try {
    await check.passes(fromSignature(message), ['sel'])
  } finally {
    await check.stop()
  }
}

describe('dkimproxy.out as content_filter of Postfix', { skip: missing('postfix', 'swaks', 'dkimsign') }, () => {
  let postfix: Hop
  let proxy: ProxyProcess
  before(async () => {
    const [filter, back] = [await freePort(), await freePort()]
    proxy = await startProxy('dkimproxy.out', outConfiguration(filter, back))
    postfix = await startPostfix({
      main: [`content_filter = dksign:[127.0.0.1]:${filter}`],
      // As DKIMproxy's how-to for Postfix has it.
      master: [
        'dksign unix - - n - 4 smtp -o smtp_send_xforward_command=yes -o smtp_discard_ehlo_keywords=8bitmime,starttls',
        `127.0.0.1:${back} inet n - n - - smtpd -o content_filter= -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks -o smtpd_authorized_xforward_hosts=127.0.0.0/8`,
      ],
    })
  })
  after(async () => {
    await postfix.stop()
    await proxy.stop()
  })

  test('mail comes back signed, and the log line is that of DKIMproxy', async () => {
    await swaks(Number(postfix.target.split(':')[1]))
    await signed(await delivered(postfix, proxy))
    assert.match(proxy.output(), /^DKIM signing - signed; message-id=<[^>]+>, signer=<@example\.com>, from=<bob@example\.com>$/m)
  })
})

describe('dkimproxy.out in the loop of OpenSMTPD (10027 → 10028)', { skip: missing('opensmtpd', 'unshare', 'swaks', 'dkimsign') }, () => {
  let opensmtpd: Hop
  let proxy: ProxyProcess
  before(async () => {
    const [port, back] = [await freePort(), await freePort()]
    proxy = await startProxy('dkimproxy.out', outConfiguration(port, back))
    opensmtpd = await startOpenSmtpd({ signer: { port, back } })
  })
  after(async () => {
    await opensmtpd.stop()
    await proxy.stop()
  })

  test('mail goes round once and is stored signed', async () => {
    await swaks(Number(opensmtpd.target.split(':')[1]))
    await signed(await delivered(opensmtpd, proxy))
  })
})

describe('dkimproxy.out between Exim and a Postfix that offers BDAT and STARTTLS', { skip: missing('exim', 'postfix', 'swaks', 'dkimsign') }, () => {
  let exim: Hop
  let postfix: Hop
  let proxy: ProxyProcess
  before(async () => {
    postfix = await startPostfix()
    const port = await freePort()
    proxy = await startProxy('dkimproxy.out', outConfiguration(port, Number(postfix.target.split(':')[1])))
    exim = await startExim({ relayTo: port })
  })
  after(async () => {
    for (const one of [exim, postfix, proxy]) await one.stop()
  })

  test('Exim is not offered BDAT, and what it sends arrives signed', async () => {
    const greeting = await run(['swaks', '--server', postfix.target, '--quit-after', 'EHLO'])
    assert.match(greeting.output, /250[- ]CHUNKING/)
    await swaks(Number(exim.target.split(':')[1]))
    await signed(await delivered(postfix, proxy))
  })
})

describe('dkimproxy.in as smtpd_proxy_filter of Postfix', { skip: missing('postfix', 'swaks', 'dkimsign') }, () => {
  const bank = { domain: 'bank.example', selector: 'b2026', key: makeRsaKey() }
  const zone = zoneMap({
    'b2026._domainkey.bank.example': { TXT: [bank.key.record] },
    '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] }, 'bank.example': { TXT: ['v=spf1 -all'] },
    'key._domainkey.broken.example': 'servfail', '_dmarc.broken.example': { TXT: ['v=DMARC1; p=reject'] },
  })
  const LETTER = 'From: service@bank.example\r\nTo: alice@hop.example\r\nSubject: statement\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@bank.example>\r\n\r\nAn account statement.\r\n'
  const FORGED = 'Authentication-Results: mx.example.org; dkim=pass header.i=@bank.example\r\n'
  let postfix: Hop
  let proxy: ProxyInside
  before(async () => {
    const back = await freePort()
    proxy = await proxyInside('dkimproxy.in', { resolver: zone, configuration: ['listen 127.0.0.1:0', `relay 127.0.0.1:${back}`, 'hostname mx.example.org'], argv: ['--reject-fail', '--reject-error'] })
    postfix = await startPostfix({
      main: [`smtpd_proxy_filter = 127.0.0.1:${proxy.port}`],
      master: [`127.0.0.1:${back} inet n - n - - smtpd -o smtpd_proxy_filter= -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o smtpd_client_restrictions=`],
    })
  })
  after(async () => {
    await postfix.stop()
    assert.equal(await proxy.stop(), 0)
  })

  async function sent(letter: string): Promise<string> {
    const { output } = await run(['swaks', '--server', postfix.target, '--from', 'x@elsewhere.example', '--to', 'alice@hop.example', '--data', letter])
    return output
  }

  test('a signature that holds: results on top, forged ones gone, the rest as it came', async () => {
    assert.match(await sent(FORGED + (await dkimSigned(LETTER, bank))), /<- {2}250 /)
    const message = (await delivered(postfix, proxy)).toString('latin1')
    assert.match(message, /\r\nAuthentication-Results: mx\.example\.org;\r\n dkim=pass header\.i=@bank\.example\r\nX-DKIM-Authentication-Results: pass\r\n/)
    assert.equal(message.split('Authentication-Results: mx.example.org').length, 2)
    assert.match(proxy.output(), /^DKIM verify - pass; message-id=<1@bank\.example>, signer=<@bank\.example>, from=<service@bank\.example>$/m)
  })

  test('one that does not hold, from a domain whose policy says reject: 550, in the session', async () => {
    const output = await sent((await dkimSigned(LETTER, bank)).replace('account', 'Account'))
    assert.match(output, /550 5\.7\.1 DKIM - fail \(/)
  })

  test('a key that the DNS does not tell: 450, whatever the policy says', async () => {
    const letter = (await dkimSigned(LETTER.replaceAll('bank.example', 'broken.example'), { ...bank, domain: 'broken.example', selector: 'key' }))
    assert.match(await sent(letter), /450 DKIM - temperror \(/)
  })

  test('no signature from a domain without a policy: dkim=none', async () => {
    assert.match(await sent(LETTER.replaceAll('bank.example', 'plain.example')), /<- {2}250 /)
    assert.match((await delivered(postfix, proxy)).toString('latin1'), /Authentication-Results: mx\.example\.org;\r\n dkim=none\r\nX-DKIM-Authentication-Results: none\r\n/)
  })
})
