/**
 * Real clients send through the gateway: swaks, curl, msmtp, Python's smtplib,
 * Postfix (pipelining), Exim (BDAT: Postfix's client has no BDAT, Exim's has).
 * What arrives is compared byte for byte, envelope included, less the one
 * Received field that the gateway adds.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { CaptureSink, type CapturedMessage } from '../support/capture-sink.ts'
import { startGateway, type Gateway } from '../support/gateway.ts'
import { makeCertificate, type Certificate } from '../support/peers/certificate.ts'
import { startExim } from '../support/peers/exim.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { run, temporaryDirectory, type Outcome } from '../support/process.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { tapTo } from '../support/tap.ts'
import { sha256, takeReceived } from '../support/trace-fields.ts'

const FROM = 'writer@client.example'
const TO = ['alice@hop.example', 'bob@hop.example'] as const
/** Dots, blanks at line ends, long lines, 8-bit bytes: what careless programs damage. */
const MESSAGE = Buffer.from(
  ['From: writer@client.example', 'Date: Mon, 2 Nov 2026 10:00:00 +0000', 'Message-ID: <1@client.example>', 'Subject: =?utf-8?q?caf=C3=A9?=', 'X-Folded: one', '\ttwo', '', '.', '..', '. .', '.hidden', 'blank at the end ', '', 'x'.repeat(900), 'caf\xe9 \xff', '', ''].join('\r\n'),
  'latin1',
)

let sink: CaptureSink
let gateway: Gateway
let certificate: Certificate
let file: string

const needsOpenssl = missing('openssl')

describe('real clients', { skip: needsOpenssl }, () => {
  before(async () => {
    certificate = await makeCertificate()
    sink = await CaptureSink.start()
    const tls = { cert: certificate.certFile, key: certificate.keyFile }
    gateway = await startGateway({
      listeners: [
        { name: 'plain', next: 'sink' },
        { name: 'starttls', next: 'sink', tls: { ...tls, mode: 'starttls' } },
        { name: 'implicit', next: 'sink', tls: { ...tls, mode: 'implicit' } },
        { name: 'xclient', next: 'sink', trust: { xclient: ['127.0.0.1'], xforward: ['127.0.0.1'] } },
        { name: 'proxy', next: 'sink', trust: { proxy: ['127.0.0.1'] } },
        { name: 'lmtp', next: 'sink', protocol: 'lmtp' },
      ],
      hops: { sink: { smtp: sink.target, xforward: true } },
    })
    file = join(temporaryDirectory('message'), 'message.eml')
    writeFileSync(file, MESSAGE)
    // swaks ends what it sends with a line end of its own.
    writeFileSync(`${file}.swaks`, MESSAGE.subarray(0, -2))
  })
  after(async () => {
    await gateway.stop()
    await sink.stop()
  })
  beforeEach(() => {
    sink.take()
  })

  describe('swaks', { skip: missing('swaks') }, () => {
    test('in clear', async () => {
      sent(await swaks('plain', []))
      arrived(await one())
    })

    test('pipelined', async () => {
      const outcome = sent(await swaks('plain', ['--pipeline']))
      assert.match(outcome.output, /-> RCPT [^\n]*\n -> RCPT [^\n]*\n -> DATA\n<-/, 'no reply was waited for in between')
      arrived(await one())
    })

    test('with STARTTLS, and over TLS from the first byte', async () => {
      sent(await swaks('starttls', ['--tls', '--tls-verify', '--tls-ca-path', certificate.certFile]))
      assert.match(arrived(await one()), /using TLSv1\.3 .*ESMTPS id/s)
      sink.take()
      sent(await swaks('implicit', ['--tls-on-connect']))
      assert.match(arrived(await one()), /using TLSv1\.3 .*ESMTPS id/s)
    })

    test('XCLIENT from a trusted peer tells who the client is', async () => {
      sent(await swaks('xclient', ['--xclient-addr', '192.0.2.77', '--xclient-name', 'far.example', '--xclient-helo', 'helo.far.example']))
      const message = await one()
      assert.match(arrived(message), /from client\.example \(far\.example \[192\.0\.2\.77\]\)|from helo\.far\.example \(far\.example \[192\.0\.2\.77\]\)/)
      assert.equal(message.client.get('XFORWARD ADDR'), '192.0.2.77')
      assert.equal(message.client.get('XFORWARD NAME'), 'far.example')
    })

    test('XCLIENT from anybody else gains nothing', async () => {
      const outcome = await swaks('plain', ['--xclient-addr', '192.0.2.77', '--xclient-optional'])
      sent(outcome)
      const message = await one()
      assert.match(arrived(message), /\[127\.0\.0\.1\]/)
      assert.equal(message.client.get('XFORWARD ADDR'), '127.0.0.1')
      // Not offered; and refused to a client that sends it all the same.
      assert.doesNotMatch(outcome.output, /XCLIENT NAME/)
      const dialog = await Dialog.open(gateway.address('plain'))
      await dialog.hello()
      assert.match((await dialog.command('XCLIENT ADDR=192.0.2.77')).text, /^5\d\d /)
      await dialog.quit()
    })

    test('XFORWARD from a trusted peer goes on to the hop; from anybody else it gains nothing', async () => {
      const trusted = await Dialog.open(gateway.address('xclient'))
      await trusted.hello()
      await trusted.command('XFORWARD NAME=far.example ADDR=192.0.2.79 PORT=4712 HELO=helo.far.example', 250)
      await trusted.message({ from: FROM, to: TO, data: MESSAGE })
      await trusted.quit()
      const message = await one()
      arrived(message)
      assert.equal(message.client.get('XFORWARD ADDR'), '192.0.2.79')
      assert.equal(message.client.get('XFORWARD HELO'), 'helo.far.example')
      sink.take()
      const stranger = await Dialog.open(gateway.address('plain'))
      await stranger.hello()
      assert.match((await stranger.command('XFORWARD ADDR=192.0.2.79')).text, /^5\d\d /)
      await stranger.message({ from: FROM, to: TO, data: MESSAGE })
      await stranger.quit()
      assert.equal((await one()).client.get('XFORWARD ADDR'), '127.0.0.1')
    })

    for (const version of ['1', '2']) {
      test(`PROXY version ${version} from a trusted peer tells who the client is`, async () => {
        const proxy = ['--proxy-version', version, '--proxy-family', version === '1' ? 'TCP4' : 'AF_INET', '--proxy-source', '192.0.2.78', '--proxy-source-port', '4711', '--proxy-dest', '198.51.100.1', '--proxy-dest-port', '25']
        sent(await swaks('proxy', version === '1' ? proxy : [...proxy, '--proxy-protocol', 'STREAM', '--proxy-command', 'PROXY']))
        const message = await one()
        assert.match(arrived(message), /\[192\.0\.2\.78\]/)
        assert.equal(message.client.get('XFORWARD ADDR'), '192.0.2.78')
        assert.equal(message.client.get('XFORWARD PORT'), '4711')
      })
    }

    test('PROXY from anybody else gains nothing', async () => {
      const dialog = await Dialog.open(gateway.address('plain'))
      await dialog.expect(220)
      assert.match((await dialog.command('PROXY TCP4 192.0.2.78 198.51.100.1 4711 25')).text, /^5\d\d /)
      await dialog.command('EHLO client.example', 250)
      await dialog.message({ from: FROM, to: TO, data: MESSAGE })
      const message = await one()
      assert.match(arrived(message), /\[127\.0\.0\.1\]/)
      assert.equal(message.client.get('XFORWARD ADDR'), '127.0.0.1')
      await dialog.quit()
    })

    test('over LMTP', async () => {
      const outcome = sent(await swaks('lmtp', ['--protocol', 'LMTP']))
      assert.match(arrived(await one()), /with LMTP id/)
      assert.match(outcome.output, /LHLO/)
    })
  })

  test('curl, in clear and with STARTTLS', { skip: missing('curl') }, async () => {
    const envelope = ['--mail-from', FROM, ...TO.flatMap((to) => ['--mail-rcpt', to]), '--upload-file', file]
    sent(await run(['curl', '-sS', `smtp://127.0.0.1:${port('plain')}/client.example`, ...envelope]))
    arrived(await one())
    sink.take()
    sent(await run(['curl', '-sS', '--ssl-reqd', '--cacert', certificate.certFile, `smtp://127.0.0.1:${port('starttls')}/client.example`, ...envelope]))
    assert.match(arrived(await one()), /ESMTPS id/)
  })

  test('msmtp, in clear and with STARTTLS', { skip: missing('msmtp') }, async () => {
    const common = ['--file=/dev/null', '--host=127.0.0.1', `--from=${FROM}`, '--domain=client.example']
    sent(await run(['msmtp', ...common, `--port=${port('plain')}`, '--tls=off', ...TO], { input: MESSAGE }))
    arrived(await one())
    sink.take()
    sent(await run(['msmtp', ...common, `--port=${port('starttls')}`, '--tls=on', '--tls-starttls=on', `--tls-trust-file=${certificate.certFile}`, ...TO], { input: MESSAGE }))
    assert.match(arrived(await one()), /ESMTPS id/)
  })

  test("Python's smtplib, in clear and with STARTTLS", { skip: missing('python3') }, async () => {
    const script = [
      'import smtplib, ssl, sys',
      'port, secure, path, sender, *to = sys.argv[1:]',
      's = smtplib.SMTP("127.0.0.1", int(port), "client.example")',
      'if secure == "yes":',
      '    context = ssl.create_default_context(cafile=path)',
      '    s.starttls(context=context)',
      'refused = s.sendmail(sender, to, sys.stdin.buffer.read())',
      's.quit()',
      'sys.exit(1 if refused else 0)',
    ].join('\n')
    const python = (listener: string, secure: string): Promise<Outcome> => run(['python3', '-c', script, port(listener), secure, certificate.certFile, FROM, ...TO], { input: MESSAGE })
    sent(await python('plain', 'no'))
    arrived(await one())
    sink.take()
    sent(await python('starttls', 'yes'))
    assert.match(arrived(await one()), /ESMTPS id/)
  })

  test('Postfix, which pipelines', { skip: missing('postfix') }, async () => {
    const tap = await tapTo(Number(port('plain')))
    const sender = await startPostfix({ relayTo: tap.port })
    try {
      await submit(Number(sender.target.split(':')[1]))
      const message = await one()
      const { rest } = takeReceived(message.data)
      assert.equal(sha256(takeReceived(rest, 'postfix.example').rest), sha256(MESSAGE))
      assert.deepEqual(envelopeOf(message), [FROM, ...TO])
      const burst = tap.fromClient.find((piece) => piece.startsWith('MAIL FROM'))
      assert.match(burst ?? '', /^MAIL [^\n]*\nRCPT [^\n]*\nRCPT [^\n]*\nDATA\r\n/, 'MAIL, RCPT and DATA came in one piece')
    } finally {
      await sender.stop()
      await tap.stop()
    }
  })

  test('Exim, which sends BDAT', { skip: missing('exim') }, async () => {
    const tap = await tapTo(Number(port('plain')))
    const sender = await startExim({ relayTo: tap.port })
    try {
      await submit(Number(sender.target.split(':')[1]))
      const message = await one()
      const { rest } = takeReceived(message.data)
      assert.equal(sha256(takeReceived(rest, 'exim.example').rest), sha256(MESSAGE))
      assert.deepEqual(envelopeOf(message), [FROM, ...TO])
      assert.match(tap.fromClient.join(''), /^BDAT \d+ LAST\r$/m)
      assert.doesNotMatch(tap.fromClient.join(''), /^DATA\r$/m)
      assert.equal(message.chunked, true, 'a hop that offers CHUNKING gets BDAT too')
    } finally {
      await sender.stop()
      await tap.stop()
    }
  })
})

function port(listener: string): string {
  const address = gateway.address(listener)
  if (!('port' in address)) throw new Error(`${listener} has no port`)
  return String(address.port)
}

function swaks(listener: string, options: readonly string[]): Promise<Outcome> {
  return run(['swaks', '--server', '127.0.0.1', '--port', port(listener), '--helo', 'client.example', '--from', FROM, '--to', TO.join(','), '--data', `@${file}.swaks`, ...options])
}

function sent(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.output)
  return outcome
}

async function one(): Promise<CapturedMessage> {
  const messages = await sink.waitFor(1)
  assert.equal(messages.length, 1)
  return messages[0]!
}

/** Compares envelope and bytes; gives the Received field. */
function arrived(message: CapturedMessage): string {
  const { field, rest } = takeReceived(message.data)
  assert.equal(rest.toString('latin1'), MESSAGE.toString('latin1'))
  assert.deepEqual(envelopeOf(message), [FROM, ...TO])
  return field
}

function envelopeOf(message: CapturedMessage): string[] {
  return [message.mail, ...message.rcpts].map((path) => /<([^>]*)>/.exec(path)?.[1] ?? path)
}

/** Hands the message to a sending server of our own. */
async function submit(to: number): Promise<void> {
  const dialog = await Dialog.open({ port: to })
  await dialog.hello()
  const reply = await dialog.message({ from: FROM, to: TO, data: MESSAGE })
  assert.equal(reply.status, 250, reply.text)
  await dialog.quit()
}
