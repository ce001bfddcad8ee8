/**
 * Through the gateway into each real next hop: the message arrives as it was
 * sent, the hop's refusals come back in its own words, a hop that is down costs
 * a 4xx, and one that is back gets the next message, without a restart of the
 * gateway.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { relaying, startGateway, type Gateway } from '../support/gateway.ts'
import { EVERY_HOP, ownName, type HopKind } from '../support/peers/every-hop.ts'
import { makeCertificate } from '../support/peers/certificate.ts'
import type { Hop } from '../support/peers/hop.ts'
import { startPostfix } from '../support/peers/postfix.ts'
import { missing } from '../support/peers/programs.ts'
import { Dialog, type DialogReply } from '../support/smtp-dialog.ts'
import { takeReceived, toCrlf, withoutTop } from '../support/trace-fields.ts'

function letter(subject: string): Buffer {
  const lines = ['From: writer@client.example', 'To: alice@hop.example', 'Date: Mon, 2 Nov 2026 10:00:00 +0000', 'Message-ID: <1@client.example>', `Subject: ${subject}`, '', '.', '..hidden', 'caf\xe9', '']
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

/** What lies in the mailbox under the fields of the hop and the gateway. */
function sentPart(stored: Buffer, kind: HopKind): string {
  const underHop = withoutTop(toCrlf(stored), kind.tops)
  return takeReceived(takeReceived(underHop, ownName(kind)).rest).rest.toString('latin1')
}

async function send(gateway: Gateway, to: string, subject: string): Promise<DialogReply> {
  const dialog = await Dialog.open(gateway.address())
  try {
    await dialog.hello()
    return await dialog.message({ to, data: letter(subject) })
  } finally {
    dialog.close()
  }
}

/** OpenSMTPD takes 100 messages on one connection and answers 452 to further ones; others have limits of their own. */
const MANY = 120

for (const kind of EVERY_HOP) {
  describe(kind.name, { skip: missing(...kind.needs) }, () => {
    let hop: Hop
    let gateway: Gateway
    before(async () => {
      hop = await kind.start(['alice', 'carol', 'many'])
      gateway = await startGateway(relaying({ [kind.kind]: hop.target }))
    })
    after(async () => {
      await gateway.stop()
      await hop.stop()
    })

    test('a message arrives as it was sent', async () => {
      const reply = await send(gateway, 'alice@hop.example', 'one')
      assert.equal(reply.status, 250, reply.text)
      const [stored] = await hop.mailbox('alice').take(1, { detail: () => hop.log() })
      assert.equal(sentPart(stored!, kind), letter('one').toString('latin1'))
    })

    test('an unknown user is refused in the words of the hop, and the others get their mail', async () => {
      const direct = await Dialog.open(hop.address)
      await direct.hello('gateway.example', kind.kind === 'lmtp' ? 'LHLO' : 'EHLO')
      await direct.command('MAIL FROM:<sender@client.example>', 250)
      const own = await direct.command('RCPT TO:<nobody-here@hop.example>')
      assert.ok(own.status >= 500, own.text)
      await direct.quit()

      const dialog = await Dialog.open(gateway.address())
      await dialog.hello()
      await dialog.command('MAIL FROM:<sender@client.example>', 250)
      const passed = await dialog.command('RCPT TO:<nobody-here@hop.example>')
      assert.equal(passed.text, own.text)
      await dialog.command('RCPT TO:<carol@hop.example>', 250)
      await dialog.command('DATA', 354)
      await dialog.send('Subject: two\r\n\r\nx\r\n.\r\n')
      await dialog.expect(250)
      await dialog.quit()
      const stored = await hop.mailbox('carol').take(1, { detail: () => hop.log() })
      assert.equal(stored.length, 1)
    })

    test('more messages than the hop takes on one connection', async () => {
      const dialog = await Dialog.open(gateway.address())
      await dialog.hello()
      for (let i = 0; i < MANY; i++) {
        const reply = await dialog.message({ to: 'many@hop.example', data: letter(String(i)) })
        assert.equal(reply.status, 250, `message ${i}: ${reply.text}`)
      }
      await dialog.quit()
      await hop.mailbox('many').take(MANY, { detail: () => hop.log() })
    })

    test('down, it costs a 4xx that the log explains; up again, it gets the next message', async () => {
      assert.equal((await send(gateway, 'alice@hop.example', 'before')).status, 250)
      await hop.mailbox('alice').take(1, { detail: () => hop.log() })
      await hop.stop()
      const refused = await send(gateway, 'alice@hop.example', 'down')
      assert.match(refused.text, /^451 4\.4\.1 /)
      await gateway.logged('the hop cannot be reached', (line) => line['hop'] === 'hop' && line['level'] === 'warn' && /ECONNREFUSED|ENOENT/.test(String(line['detail'])))
      await hop.restart()
      const reply = await send(gateway, 'alice@hop.example', 'after')
      assert.equal(reply.status, 250, reply.text)
      const [stored, ...more] = await hop.mailbox('alice').take(1, { detail: () => hop.log() })
      assert.equal(sentPart(stored!, kind), letter('after').toString('latin1'))
      assert.equal(more.length, 0)
    })

    test('a connection that the hop closed while nobody looked costs nothing', async () => {
      assert.equal((await send(gateway, 'alice@hop.example', 'first')).status, 250)
      await hop.mailbox('alice').take(1, { detail: () => hop.log() })
      await hop.stop()
      await hop.restart()
      const reply = await send(gateway, 'alice@hop.example', 'second')
      assert.equal(reply.status, 250, reply.text)
      await hop.mailbox('alice').take(1, { detail: () => hop.log() })
    })
  })
}

describe('Postfix that trusts us', { skip: missing('postfix', 'openssl') }, () => {
  let hop: Hop
  before(async () => {
    hop = await startPostfix({ users: ['alice'], trusting: true, tls: await makeCertificate() })
  })
  after(() => hop.stop())

  async function through(options: Readonly<Record<string, unknown>>): Promise<string> {
    const gateway = await startGateway(relaying({ smtp: hop.target, ...options }, { listener: { trust: { xclient: ['127.0.0.1'] } } }))
    try {
      const dialog = await Dialog.open(gateway.address())
      await dialog.hello()
      await dialog.command('XCLIENT ADDR=192.0.2.99 NAME=far.example', 220)
      await dialog.command('EHLO helo.far.example', 250)
      const reply = await dialog.message({ to: 'alice@hop.example', data: letter('who') })
      assert.equal(reply.status, 250, `${reply.text}${gateway.output()}`)
      await dialog.quit()
    } finally {
      await gateway.stop()
    }
    const [stored] = await hop.mailbox('alice').take(1, { detail: () => hop.log() })
    return stored!.toString('latin1')
  }

  test('is told of the client by XFORWARD: in its log', async () => {
    await through({ xforward: true })
    assert.match(hop.log(), /client=far\.example\[192\.0\.2\.99\]|orig_client=far\.example\[192\.0\.2\.99\]/)
  })

  test('takes the client for its own by XCLIENT: in its Received field', async () => {
    assert.match(await through({ xclient: true }), /Received: from helo\.far\.example \(far\.example \[192\.0\.2\.99\]\)/)
  })

  test('is spoken to by TLS', async () => {
    const stored = await through({ tls: 'opportunistic' })
    assert.match(stored, /using TLSv1\.3[^]*by postfix\.example \(Postfix\) with ESMTPS/)
  })
})
