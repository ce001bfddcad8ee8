/**
 * Next hops that fail, in every way that smtp-sink and our own scripted sink
 * know: the client gets the hop's own refusal, or a 4xx where the hop made no
 * sense, was slow or went away; never a 250 that the hop did not give. The log
 * names the hop, and the next message works as soon as the hop does.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { CaptureSink, WITHOUT_CHUNKING, type Moment } from '../support/capture-sink.ts'
import { relaying, startGateway, type Gateway } from '../support/gateway.ts'
import { missing } from '../support/peers/programs.ts'
import { startSmtpSink, type SmtpSink } from '../support/peers/smtp-sink.ts'
import { until } from '../support/process.ts'
import { Dialog, type DialogReply } from '../support/smtp-dialog.ts'
import { takeReceived } from '../support/trace-fields.ts'

const SMALL = Buffer.from('Subject: small\r\n\r\nhello\r\n', 'latin1')
/** More than any socket buffer takes at once. */
const LARGE = Buffer.from(`Subject: large\r\n\r\n${`${'0123456789'.repeat(7)}\r\n`.repeat(60_000)}`, 'latin1')

async function send(gateway: Gateway, data: Buffer = SMALL, chunked = false): Promise<DialogReply> {
  const dialog = await Dialog.open(gateway.address())
  try {
    await dialog.hello()
    return await dialog.message({ to: 'alice@hop.example', data, chunked })
  } finally {
    dialog.close()
  }
}

/** One log line for the transaction that failed names the hop, the stage or the reply. */
async function explained(gateway: Gateway, before: number): Promise<void> {
  await until('a log line that names the hop and the trouble', () => gateway.log().slice(before).some((line) => line['hop'] === 'hop' && (line['level'] === 'warn' || line['refused'] !== undefined || /^[45]\d\d/.test(String(line['reply'])))), { detail: () => gateway.output() })
}

describe('smtp-sink', { skip: missing('smtp-sink') }, () => {
  let sink: SmtpSink
  let gateway: Gateway
  before(async () => {
    sink = await startSmtpSink()
    gateway = await startGateway(relaying({ smtp: sink.target }))
    assert.equal((await send(gateway)).status, 250)
  })
  after(async () => {
    await gateway.stop()
    await sink.stop()
  })

  const cases: readonly { readonly options: readonly string[]; readonly reply: RegExp; readonly data?: Buffer }[] = [
    // Refused for good, or for now: the hop's own words.
    ...['MAIL', 'RCPT', 'DATA', '.'].map((verb) => ({ options: ['-f', verb], reply: /^500 5\.3\.0 Error: command failed\r\n$/ })),
    ...['MAIL', 'RCPT', 'DATA', '.'].map((verb) => ({ options: ['-r', verb], reply: /^450 4\.3\.0 Error: command failed\r\n$/ })),
    { options: ['-f', 'RCPT', '-B', '550 5.2.1 alice is on the moon'], reply: /^550 5\.2\.1 alice is on the moon\r\n$/ },
    { options: ['-r', '.', '-b', '452 4.2.2 no room on the moon'], reply: /^452 4\.2\.2 no room on the moon\r\n$/ },
    // Gone without a word: the message is still the client's.
    ...['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.'].map((verb) => ({ options: ['-q', verb], reply: /^451 4\./ })),
    // 421 is about the hop's connection with us; the client's goes on (RFC 5321 §3.8).
    ...['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.'].map((verb) => ({ options: ['-Q', verb], reply: /^451 / })),
    // A hop that wants nobody, or not us: nothing that the sender did.
    ...['-f', '-r'].map((option) => ({ options: [option, 'CONNECT'], reply: /^451 4\./ })),
    { options: ['-r', 'EHLO,HELO'], reply: /^451 4\./ },
    // 550 while the message is on its way, and not a byte read any more: the answer counts.
    { options: ['-A', '0'], reply: /^(?:550|451) /, data: LARGE },
    // Without ESMTP, as old servers are; without pipelining; slow but alive.
    { options: ['-e'], reply: /^250 / },
    { options: ['-f', 'EHLO'], reply: /^250 / },
    { options: ['-P'], reply: /^250 / },
    { options: ['-8', '-N', '-p', '-F', '-C'], reply: /^250 / },
    { options: ['-W', '.:1'], reply: /^250 / },
    { options: ['-w', '1'], reply: /^250 / },
    { options: ['-h', 'other.example'], reply: /^250 / },
    { options: ['-H', '1'], reply: /^250 /, data: LARGE },
  ]
  for (const { options, reply, data } of cases) {
    test(`${options.join(' ')}: ${reply.source}`, async () => {
      const start = gateway.log().length
      await sink.restart(options)
      const got = await send(gateway, data)
      assert.match(got.text, reply)
      if (got.status !== 250) await explained(gateway, start)
      await sink.restart([])
      assert.equal((await send(gateway)).status, 250, 'the next message works')
    })
  }

  test('a hop that refuses RSET does not mix two clients', async () => {
    await sink.restart(['-f', 'RSET'])
    const dialog = await Dialog.open(gateway.address())
    await dialog.hello()
    await dialog.command('MAIL FROM:<left-behind@client.example>', 250)
    await dialog.command('RCPT TO:<left-behind@hop.example>', 250)
    await dialog.command('RSET', 250)
    await dialog.quit()
    assert.equal((await send(gateway)).status, 250)
    // smtp-sink opens a dump at MAIL, and removes that of a transaction without a message.
    await until('nothing is left of the first client', () => !sink.dumps().some((text) => text.includes('left-behind')))
  })
})

describe('a scripted hop', () => {
  let sink: CaptureSink
  let gateway: Gateway
  before(async () => {
    sink = await CaptureSink.start({ extensions: WITHOUT_CHUNKING, duringData: (bytes) => bytes > cutAfter })
    gateway = await startGateway(relaying({ smtp: sink.target, timeouts: { connect: '500ms', greeting: '500ms', mail: '500ms', rcpt: '500ms', data: '500ms', block: '500ms', final: '500ms' } }))
  })
  let cutAfter = Infinity
  after(async () => {
    await gateway.stop()
    await sink.stop()
  })
  afterEach(async () => {
    cutAfter = Infinity
    sink.script = () => undefined
    sink.take()
    const reply = await send(gateway)
    assert.equal(reply.status, 250, `the next message works: ${reply.text}`)
    const [message] = await sink.waitFor(1)
    assert.equal(takeReceived(message!.data).rest.toString('latin1'), SMALL.toString('latin1'))
    sink.take()
  })

  /** The transaction fails with a reply that matches, and nothing counts as delivered. */
  async function fails(expected: RegExp, data?: Buffer): Promise<void> {
    const start = gateway.log().length
    const reply = await send(gateway, data)
    assert.match(reply.text, expected)
    await explained(gateway, start)
    assert.equal(sink.messages.length, 0)
  }
  const at = (verb: string, answer: string) => (moment: Moment): string | undefined => (moment.verb === verb ? answer : undefined)

  for (const cut of [1, 100_000, 2_000_000]) {
    test(`closes after ${cut} bytes of a large message`, async () => {
      cutAfter = cut
      await fails(/^451 4\.4\.2 /, LARGE)
    })
  }

  for (const verb of ['MAIL', 'RCPT', 'DATA', '.']) {
    for (const how of ['close', 'reset']) {
      test(`${how}s the connection at ${verb}`, async () => {
        sink.script = at(verb, how)
        await fails(/^451 4\.4\.2 /)
      })
    }
    test(`says nothing at ${verb}`, async () => {
      sink.script = at(verb, 'silent')
      await fails(/^451 4\.4\.2 /)
    })
    test(`says 421 at ${verb}`, async () => {
      sink.script = at(verb, '421 4.3.2 going down')
      await fails(/^451 4\.3\.2 going down/)
    })
  }
  test('says nothing at all', async () => {
    // A connection that is open already would not show it.
    await sink.stop()
    sink.script = at('CONNECT', 'silent')
    await sink.restart()
    await fails(/^451 4\.4\.2 /)
  })

  // A 2xx or 3xx where none may come never passes.
  const nonsense: readonly (readonly [string, string])[] = [
    ['MAIL', '354 go ahead'], ['MAIL', '220 hello again'], ['MAIL', '221 bye'],
    ['RCPT', '354 go ahead'], ['RCPT', '220 hello again'],
    ['DATA', '250 2.0.0 taken already'], ['DATA', '220 hello'], ['DATA', '334 go on'],
    ['.', '354 more'], ['.', '220 hello'], ['.', '251 taken'], ['.', '235 you may'],
    // and what is no reply at all
    ['MAIL', 'hello'], ['RCPT', '25'], ['DATA', '999 what'], ['.', 'OK'], ['.', '2500 ok'], ['.', '250_ok'], ['.', `250 ${'x'.repeat(100_000)}`],
  ]
  for (const [verb, answer] of nonsense) {
    test(`answers ${verb} with ${answer.slice(0, 30)}`, async () => {
      sink.script = at(verb, answer)
      const start = gateway.log().length
      const reply = await send(gateway)
      assert.match(reply.text, /^451 4\./)
      await explained(gateway, start)
    })
  }

  test('a reply without an end', async () => {
    sink.script = at('.', Array.from({ length: 100_000 }, () => '250-and more').join('\r\n'))
    assert.match((await send(gateway)).text, /^451 4\./)
  })

  test('says 250 to a message before it was sent, then goes away', async () => {
    sink.script = (moment) => (moment.verb === 'DATA' ? '354 go ahead\r\n250 2.0.0 taken' : moment.verb === '.' ? 'close' : undefined)
    await fails(/^451 4\./)
    await fails(/^451 4\./, LARGE)
  })

  test('says more than it was asked: the next reply is not taken for another', async () => {
    sink.script = at('RCPT', '250 2.1.5 ok\r\n250 2.1.5 and the next')
    const reply = await send(gateway)
    assert.match(reply.text, /^451 4\./)
    sink.script = at('MAIL', '250 2.1.0 ok\r\n550 5.1.1 no such user')
    assert.match((await send(gateway)).text, /^[45]\d\d /)
  })

  test('takes three messages a connection, and refuses the fourth for now: it goes over a new one', async () => {
    const taken = new Map<number, number>()
    sink.script = ({ verb, connection }) => {
      if (verb === '.') taken.set(connection, (taken.get(connection) ?? 0) + 1)
      return verb === 'MAIL' && (taken.get(connection) ?? 0) >= 3 ? '452 4.5.3 enough on this connection' : undefined
    }
    for (let i = 0; i < 10; i++) assert.equal((await send(gateway)).status, 250)
    assert.equal(sink.take().length, 10)
    // What a new connection is refused too is the hop's word on the message.
    sink.script = at('MAIL', '452 4.3.1 no room')
    assert.equal((await send(gateway)).text, '452 4.3.1 no room\r\n')
  })

  test('refuses in several lines: they come back as they are', async () => {
    for (const [verb, text] of [['RCPT', '550-5.1.1 first line\r\n550-5.1.1 \r\n550 5.1.1 last line'], ['.', '554-5.7.1 why?\r\n554 5.7.1 see https://hop.example/'], ['MAIL', '450-4.7.1 wait\r\n450 4.7.1 a while']] as const) {
      sink.script = at(verb, text)
      assert.equal((await send(gateway)).text, `${text}\r\n`)
    }
  })

  test('refuses one of two recipients: the other gets the mail', async () => {
    sink.script = (moment) => (moment.line.includes('bob') ? '550 5.1.1 no bob' : undefined)
    const dialog = await Dialog.open(gateway.address())
    await dialog.hello()
    await dialog.command('MAIL FROM:<sender@client.example>', 250)
    assert.equal((await dialog.command('RCPT TO:<bob@hop.example>')).text, '550 5.1.1 no bob\r\n')
    await dialog.command('RCPT TO:<alice@hop.example>', 250)
    await dialog.command('DATA', 354)
    await dialog.send('Subject: x\r\n\r\nx\r\n.\r\n')
    await dialog.expect(250)
    await dialog.quit()
    assert.deepEqual(sink.take().map((message) => message.rcpts), [['<alice@hop.example>']])
  })
})

describe('a scripted LMTP hop', () => {
  test('its word on the one recipient is the client’s; a second one comes again', async () => {
    const sink = await CaptureSink.start({ protocol: 'lmtp', extensions: WITHOUT_CHUNKING })
    const gateway = await startGateway(relaying({ lmtp: sink.target }))
    try {
      sink.script = (moment) => (moment.verb === '.' ? '552 5.2.2 mailbox full' : undefined)
      assert.equal((await send(gateway)).text, '552 5.2.2 mailbox full\r\n')
      sink.script = () => undefined
      const dialog = await Dialog.open(gateway.address())
      await dialog.hello()
      await dialog.command('MAIL FROM:<sender@client.example>', 250)
      await dialog.command('RCPT TO:<alice@hop.example>', 250)
      assert.match((await dialog.command('RCPT TO:<bob@hop.example>')).text, /^451 4\.5\.3 /)
      await dialog.command('DATA', 354)
      await dialog.send('Subject: x\r\n\r\nx\r\n.\r\n')
      await dialog.expect(250)
      await dialog.quit()
      assert.deepEqual((await sink.waitFor(1)).map((message) => message.rcpts), [['<alice@hop.example>']])
    } finally {
      await gateway.stop()
      await sink.stop()
    }
  })
})
