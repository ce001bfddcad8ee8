/**
 * The outbound halves of two set-ups with the real programs, Postern in the
 * place of the signer: Postfix with Dovecot's SASL and a content_filter (where
 * OpenDKIM was a milter), and Exim with several domains and a folder of keys,
 * which other machines use as their smarthost. What is signed is checked by
 * other people's verifiers; what is not signed leaves as it came.
 */
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { CaptureSink } from '../support/capture-sink.ts'
import { makeCertificate, type Certificate } from '../support/peers/certificate.ts'
import { startDovecotAuth, type DovecotAuth } from '../support/peers/dovecot-auth.ts'
import { startExim } from '../support/peers/exim.ts'
import type { Hop } from '../support/peers/hop.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { lastReply, msmtp, smtplib, swaks, type Submission, type Submitter } from '../support/peers/submitters.ts'
import { freePort } from '../support/ports.ts'
import { temporaryDirectory, type Outcome } from '../support/process.ts'
import { SignatureCheck, signatureFields, tag, writeKey } from '../support/signature-check.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { letter, reload, startSigner, type Signer } from '../support/signing-stage.ts'
import { takeReceived, takeTop } from '../support/trace-fields.ts'

const verifiers = missing('opendkim', 'dkimsign')
const PASSWORD = 'a good one'

/** From the first of our fields on: what we sent, without what servers behind us put on top. */
function fromOurs(data: Buffer): Buffer {
  const text = data.toString('latin1')
  const at = /^(?:DKIM-Signature:|Received:[^\n]*\n(?:[ \t][^\n]*\n)*?[ \t]*by gateway\.example )/m.exec(text)?.index
  if (at === undefined) throw new Error(`nothing of ours in ${text}`)
  return data.subarray(at)
}

describe('C: Postfix with Dovecot\'s SASL, its content_filter, and back', { skip: verifiers === false ? missing('postfix', 'dovecot', 'openssl', 'msmtp', 'swaks', 'python3') : verifiers }, () => {
  let sink: CaptureSink
  let signer: Signer
  let postfix: Hop
  let dovecot: DovecotAuth
  let certificate: Certificate
  let submission: number

  before(async () => {
    const [back, smtps] = [await freePort(), await freePort()]
    submission = smtps
    ;[sink, certificate, dovecot] = await Promise.all([CaptureSink.start(), makeCertificate(), startDovecotAuth(`anna:{PLAIN}${PASSWORD}\n`)])
    signer = await startSigner({
      keys: ['vps2026._domainkey.home.example', 'ed2026._domainkey.home.example'],
      signing: (file) => ({ keys: [{ domain: 'home.example', selector: 'vps2026', key: file('vps2026._domainkey.home.example') }, { domain: 'home.example', selector: 'ed2026', key: file('ed2026._domainkey.home.example') }] }),
      listener: { trust: { xforward: ['127.0.0.1'] } },
      hop: { smtp: `127.0.0.1:${back}`, xforward: true },
    })
    postfix = await startPostfix({
      relayTo: sink.port,
      main: ['smtpd_sasl_type = dovecot', `smtpd_sasl_path = ${dovecot.socket}`, `smtpd_tls_cert_file = ${certificate.certFile}`, `smtpd_tls_key_file = ${certificate.keyFile}`],
      master: [
        `127.0.0.1:${smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject -o content_filter=sign:[127.0.0.1]:${signer.port}`,
        'sign unix - - n - 4 smtp -o smtp_send_xforward_command=yes',
        `127.0.0.1:${back} inet n - n - - smtpd -o content_filter= -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks -o smtpd_authorized_xforward_hosts=127.0.0.0/8`,
      ],
    })
  })
  after(async () => {
    for (const one of [postfix, signer, dovecot, sink]) await one.stop()
  })
  beforeEach(() => void sink.take())

  function submit(program: Submitter, how: Partial<Submission> = {}): Promise<Outcome> {
    return program({ port: submission, tls: 'implicit', authority: certificate.certFile, mechanism: 'PLAIN', user: 'anna', password: PASSWORD, from: 'anna@home.example', to: ['alice@hop.example', 'bob@hop.example'], message: letter('Anna <anna@home.example>'), ...how })
  }

  async function through(): Promise<Buffer> {
    const [message] = await sink.waitFor(1)
    assert.equal(sink.messages.length, 1, 'it came once')
    assert.deepEqual([message!.mail, ...message!.rcpts].map((path) => /<(.*?)>/.exec(path)?.[1]), ['anna@home.example', 'alice@hop.example', 'bob@hop.example'])
    return fromOurs(message!.data)
  }

  for (const [name, program] of Object.entries({ msmtp, swaks, smtplib })) {
    test(`${name} submits: it goes round once, signed with both keys, the rest as it was`, async () => {
      const outcome = await submit(program)
      assert.equal(outcome.code, 0, `${outcome.output}\n${postfix.log()}`)
      const message = await through()
      await signer.signatures.passes(message, ['vps2026', 'ed2026'])
      assert.deepEqual(signatureFields(message).map((field) => tag(field, 's')), ['vps2026', 'ed2026'], 'RSA on top')
      const text = message.toString('latin1')
      assert.ok(text.endsWith(letter('Anna <anna@home.example>')), text)
      await signer.signatures.fails(Buffer.from(text.replace('One line.', 'One lime.'), 'latin1'))
      // XFORWARD tells the returning Postfix who the client was.
      assert.match(postfix.log(), /smtpd\[\d+\]: \w+: client=\S+\[127\.0\.0\.1\],.* orig_client=\S*\[127\.0\.0\.1\]/)
    })
  }

  test('mail for a domain without a key goes round as it came, but for Received', async () => {
    const foreign = letter('guest@elsewhere.example')
    const outcome = await submit(swaks, { message: foreign })
    assert.equal(outcome.code, 0, outcome.output)
    const { rest } = takeReceived(await through())
    const below = takeReceived(rest, 'postfix.example')
    assert.equal(below.rest.toString('latin1'), foreign)
    await signer.gateway.logged('why', ({ msg, signed }) => msg === 'message' && /not signed: no key is meant for guest@elsewhere\.example/.test(String(signed)))
  })

  test('a wrong password stops at Postfix; a signer that is away holds mail in its queue, and loses none', async () => {
    assert.match(lastReply(await submit(swaks, { password: 'wrong' })), /^535 /)
    await signer.gateway.stop()
    const outcome = await submit(msmtp)
    assert.equal(outcome.code, 0, outcome.output)
    assert.equal(sink.messages.length, 0)
    await signer.gateway.restart()
    await signer.signatures.passes(await through(), ['vps2026', 'ed2026'])
  })
})

describe('C: OpenDKIM\'s own tables in Postern\'s hands', { skip: verifiers === false ? missing('postfix', 'swaks') : verifiers }, () => {
  let signer: Signer
  before(async () => {
    const tables = temporaryDirectory('opendkim-tables')
    signer = await startSigner({
      keys: ['vps._domainkey.home.example', 'lists._domainkey.lists.example', 'all._domainkey.all.example'],
      signing: (file) => {
        writeFileSync(join(tables, 'key.table'), ['# name domain:selector:key', `home home.example:vps:${file('vps._domainkey.home.example')}`, `lists lists.example:lists:${file('lists._domainkey.lists.example')}`, `any %:all:${file('all._domainkey.all.example')}`, ''].join('\n'))
        writeFileSync(join(tables, 'signing.table'), ['owner-*@home.example lists', '*@home.example home', '*@*.home.example home', '*@all.example any', ''].join('\n'))
        return { key_table: join(tables, 'key.table'), signing_table: `refile:${join(tables, 'signing.table')}` }
      },
    })
  })
  after(() => signer.stop())

  for (const [author, selector, domain] of [['anna@home.example', 'vps', 'home.example'], ['Anna@Host.Home.Example', 'vps', 'home.example'], ['owner-tea@home.example', 'lists', 'lists.example'], ['x@all.example', 'all', 'all.example']] as const) {
    test(`${author} is signed by ${domain}`, async () => {
      const sent = await signer.swaks(letter(author))
      assert.match(sent.last, /^250 /, sent.output)
      const { data } = await signer.arrived()
      await signer.signatures.passes(data, [selector])
      assert.equal(tag(signatureFields(data)[0] ?? '', 'd'), domain)
    })
  }

  test('who is in none of its lines is not signed', async () => {
    assert.match((await signer.swaks(letter('x@elsewhere.example'))).last, /^250 /)
    assert.equal(takeReceived((await signer.arrived()).data).rest.toString('latin1'), letter('x@elsewhere.example'))
  })
})

describe('D: Exim, several domains, a folder of keys, a smarthost for others', { skip: verifiers === false ? missing('exim', 'postfix', 'swaks') : verifiers }, () => {
  const SELECTOR = '20261121'
  const DOMAINS = ['one.example', 'two.example', 'three.example']
  let signer: Signer
  let signatures: SignatureCheck
  let exim: Hop
  let other: Hop

  before(async () => {
    const folder = join(temporaryDirectory('folder'), 'dkim')
    mkdirSync(folder)
    const records = Object.fromEntries(DOMAINS.map((domain) => [`${SELECTOR}._domainkey.${domain}`, writeKey(join(folder, `${domain}.pem`)).record]))
    // One that says its selector itself.
    const own = 'special._domainkey.four.example'
    records[own] = writeKey(join(folder, `${own}.pem`)).record
    writeFileSync(join(folder, 'README'), 'Keys of this house.\n')
    signer = await startSigner({ keys: [], signing: () => ({ directory: folder, selector: SELECTOR }), listener: { clients: ['127.0.0.1', '127.0.0.2'] } })
    for (const [name, record] of Object.entries(records)) signer.dns.set(name, { TXT: [record] })
    signatures = await SignatureCheck.start(records)
    ;[exim, other] = await Promise.all([
      startExim({ relayTo: signer.port }),
      // Another server of the owner's, at an address of its own.
      startPostfix({ relayTo: signer.port, main: ['smtp_bind_address = 127.0.0.2', 'smtp_send_xforward_command = yes'] }),
    ])
  })
  after(async () => {
    for (const one of [exim, other, signer, signatures]) await one.stop()
  })
  beforeEach(() => void signer.sink.take())

  async function handIn(server: Hop, author: string, envelope = author): Promise<Buffer> {
    const dialog = await Dialog.open(server.address)
    await dialog.hello()
    const reply = await dialog.message({ from: envelope, to: 'alice@hop.example', data: Buffer.from(letter(author), 'latin1'), mailParameters: ' BODY=8BITMIME' })
    assert.equal(reply.status, 250, reply.text)
    await dialog.quit()
    await signer.sink.waitFor(1)
    const [message] = signer.sink.take()
    return message!.data
  }

  for (const domain of DOMAINS) {
    test(`Exim sends for ${domain}: the key of the domain in From signs`, async () => {
      // The reverse-path is that of a list: it does not matter.
      const message = await handIn(exim, `writer@${domain}`, 'bounces@one.example')
      await signatures.passes(message, [SELECTOR])
      assert.deepEqual(signatureFields(message).map((field) => tag(field, 'd')), [domain])
      assert.ok(message.toString('latin1').endsWith(letter(`writer@${domain}`)))
    })
  }

  test('a file that names its selector, and no key for domains below and beside', async () => {
    await signatures.passes(await handIn(exim, 'writer@four.example'), ['special'])
    for (const author of ['writer@sub.one.example', 'writer@five.example']) {
      const message = await handIn(exim, author)
      await signatures.passes(message, [])
      assert.equal(takeReceived(takeReceived(message).rest, 'exim.example').rest.toString('latin1'), letter(author))
    }
  })

  test('another machine uses it as its smarthost, by its address; a third one may not', async () => {
    const message = await handIn(other, 'cron@two.example')
    await signatures.passes(message, [SELECTOR])
    const received = takeTop(message.subarray(signatureFields(message).join('').length))
    assert.match(received?.field ?? '', /^Received: from postfix\.example \(\[127\.0\.0\.2\]\)/)
    const sent = await signer.swaks(letter('cron@two.example'), { interface: '127.0.0.3' })
    assert.match(sent.last, /^(?:421|55[04]) /, sent.output)
    assert.equal(signer.sink.messages.length, 0)
  })

  test('a key for a domain more: it is put into the folder, and SIGHUP makes it count', async () => {
    await signatures.passes(await handIn(exim, 'writer@five.example'), [])
    const folder = (JSON.parse(readConfiguration()) as { signing: { directory: string } }).signing.directory
    copyFileSync(join(folder, 'one.example.pem'), join(folder, 'five.example.pem'))
    chmodSync(join(folder, 'five.example.pem'), 0o600)
    assert.equal(await reload(signer.gateway), 'reloaded')
    const fields = signatureFields(await handIn(exim, 'writer@five.example'))
    assert.deepEqual(fields.map((field) => [tag(field, 'd'), tag(field, 's')]), [['five.example', SELECTOR]])
  })

  function readConfiguration(): string {
    return readFileSync(join(signer.gateway.directory, 'postern.yaml'), 'utf8')
  }
})
