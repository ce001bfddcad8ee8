/** The transparent session, played whole, at every split point, and byte by byte. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { playPieces, type PlayOptions, type Played } from '../../support/transparent.ts'

const HELLO = 'EHLO client.example\r\n'
const ENVELOPE = 'MAIL FROM:<a@a.example> SIZE=10\r\nRCPT TO:<b@b.example>\r\n'
const TEXT = 'Subject: x\r\n\r\n..dot\r\ntext\r\n'
const WITHHELD = '250-relay.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n'

/** The same outcome wherever the bytes are cut. Messages wait for their 354 by themselves. */
async function everywhere(text: string, play: PlayOptions = {}): Promise<Played> {
  const whole = await playPieces([text], play)
  for (let cut = 1; cut < text.length; cut++) {
    assert.deepEqual(await playPieces([text.slice(0, cut), text.slice(cut)], play), whole, `cut at ${cut}: ${JSON.stringify(text.slice(0, cut).slice(-20))}`)
  }
  assert.deepEqual(await playPieces(Array.from(text), play), whole, 'byte by byte')
  return whole
}

describe('what passes', () => {
  test('banner, EHLO reply, commands and replies; a field on top of the message, its bytes below; dots stay stuffed', async () => {
    const played = await everywhere(`${HELLO}${ENVELOPE}DATA\r\n${TEXT}.\r\nQUIT\r\n`)
    assert.equal(played.toClient, `220 relay.example ESMTP\r\n${WITHHELD}250 ok\r\n250 ok\r\n354 go on\r\n250 2.0.0 taken\r\n221 bye\r\n`)
    assert.deepEqual(played.commands, ['EHLO client.example', 'MAIL FROM:<a@a.example> SIZE=10', 'RCPT TO:<b@b.example>', 'DATA', 'QUIT'])
    assert.deepEqual(played.messages, ['X-Passed: yes\r\nSubject: x\r\n\r\n.dot\r\ntext\r\n'])
    assert.deepEqual([played.client, played.relay, played.errors], ['ended', 'ended', []])
    assert.deepEqual(played.ends, [{ sender: 'a@a.example', recipients: ['b@b.example'], size: TEXT.length - 1, reply: '250 2.0.0 taken' }])
    assert.equal(played.envelopes[0]?.helo, 'client.example')
  })

  test('commands that nobody knows, XFORWARD and XCLIENT, with what stands behind them', async () => {
    const played = await everywhere(`${HELLO}XFORWARD NAME=x ADDR=IPV6:2001:db8::1 HELO=h+40x\r\nFROB all this\r\nXCLIENT ADDR=192.0.2.7\r\nEHLO again\r\n${ENVELOPE}DATA\r\n${TEXT}.\r\n`, { replies: { FROB: '500 5.5.1 what?\r\n', XCLIENT: '220 new\r\n' } })
    assert.deepEqual(played.commands.slice(1, 5), ['XFORWARD NAME=x ADDR=IPV6:2001:db8::1 HELO=h+40x', 'FROB all this', 'XCLIENT ADDR=192.0.2.7', 'EHLO again'])
    assert.deepEqual(played.envelopes[0]?.forwarded, { address: '192.0.2.7', helo: 'h@x' })
    assert.match(played.toClient, /500 5\.5\.1 what\?\r\n220 new\r\n250-relay\.example/)
  })

  test('AUTH: responses are no commands, whatever they look like', async () => {
    const relay = { replies: { AUTH: '334 VXNlcm5hbWU6\r\n', 'QLVSTA==': '334 UGFzc3dvcmQ6\r\n', STARTTLS: '235 2.7.0 fine\r\n' } }
    const played = await everywhere(`${HELLO}AUTH LOGIN\r\nQlVSTA==\r\nSTARTTLS\r\n${ENVELOPE}DATA\r\n${TEXT}.\r\n`, relay)
    assert.deepEqual(played.commands.slice(1, 4), ['AUTH LOGIN', 'QlVSTA==', 'STARTTLS'])
    assert.equal(played.envelopes[0]?.login, 'burl')
    const plain = await playPieces([`${HELLO}AUTH PLAIN AEFubmEAcHc=\r\n`, `${ENVELOPE}DATA\r\n`, TEXT], { replies: { AUTH: '235 ok\r\n' } })
    assert.equal(plain.envelopes[0]?.login, 'anna')
    const failed = await playPieces([`${HELLO}AUTH PLAIN AEFubmEAcHc=\r\n`, `${ENVELOPE}DATA\r\n`, TEXT], { replies: { AUTH: '535 no\r\n' } })
    assert.equal(failed.envelopes[0]?.login, undefined)
  })

  test('a response that cannot pass cancels the exchange: the next command is not taken for one', async () => {
    const played = await everywhere(`${HELLO}AUTH LOGIN\r\nbad\rresponse\r\nNOOP\r\n`, { replies: { AUTH: '334 VXNlcm5hbWU6\r\n', '*': '501 cancelled\r\n' } })
    assert.deepEqual(played.commands.slice(1), ['AUTH LOGIN', '*', 'NOOP'])
    assert.ok(played.toClient.endsWith('334 VXNlcm5hbWU6\r\n501 cancelled\r\n250 ok\r\n'))
  })

  test('several messages in one session, and RSET between', async () => {
    const played = await everywhere(`${HELLO}${ENVELOPE}RSET\r\nMAIL FROM:<>\r\nRCPT TO:<c@c.example>\r\nDATA\r\none\r\n.\r\n${ENVELOPE}DATA\r\ntwo\r\n.\r\nQUIT\r\n`)
    assert.deepEqual(played.messages, ['X-Passed: yes\r\none\r\n', 'X-Passed: yes\r\ntwo\r\n'])
    assert.deepEqual(played.envelopes.map(({ sender, recipients }) => [sender, ...recipients]), [[null, 'c@c.example'], ['a@a.example', 'b@b.example']])
  })

  test('an empty message, and one without its last line end before the dot', async () => {
    assert.deepEqual((await everywhere(`${HELLO}${ENVELOPE}DATA\r\n.\r\n`)).messages, ['X-Passed: yes\r\n'])
  })
})

describe('what does not', () => {
  test('STARTTLS, BURL and BDAT are refused by us in their place among the replies; the octets of BDAT are no commands', async () => {
    const octets = 'RSET\r\nQUIT\r\n'
    const played = await everywhere(`${HELLO}MAIL FROM:<a@a.example>\r\nSTARTTLS\r\nRCPT TO:<b@b.example>\r\n starttls\r\nBDAT ${octets.length} LAST\r\n${octets}BURL imap://x LAST\r\nBDAT 0\r\nNOOP\r\n`)
    assert.deepEqual(played.commands, ['EHLO client.example', 'MAIL FROM:<a@a.example>', 'RCPT TO:<b@b.example>', 'NOOP'])
    assert.deepEqual(played.toClient.split('\r\n').slice(4).map((line) => line.slice(0, 3)), ['250', '502', '250', '502', '502', '502', '502', '250', ''])
  })

  test('a BDAT without a length ends the session', async () => {
    const played = await everywhere(`${HELLO}BDAT many\r\nRSET\r\n`)
    assert.match(played.toClient, /421 4\.5\.0 BDAT/)
    assert.deepEqual([played.commands, played.client, played.relay], [['EHLO client.example'], 'ended', 'dropped'])
  })

  test('a command line with a bare CR or a NUL, and one that is too long; a bare LF ends a line', async () => {
    const played = await everywhere(`${HELLO}NOOP\rDATA\r\nNO\0OP\r\nNOOP\n${'x'.repeat(2100)}\r\nNOOP\r\n`)
    assert.deepEqual(played.commands, ['EHLO client.example', 'NOOP', 'NOOP'])
    assert.deepEqual(played.toClient.split('\r\n').slice(4).map((line) => line.slice(0, 3)), ['500', '500', '250', '500', '250', ''])
  })

  test('control characters in a command, which some servers take for blanks; a tab and bytes above ASCII pass', async () => {
    for (let code = 0; code < 0x20; code++) {
      if (code === 9 || code === 10) continue
      for (const line of [`EHLO${String.fromCharCode(code)}x`, `BDAT${String.fromCharCode(code)}5 LAST`, `${String.fromCharCode(code)}STARTTLS`, `NOOP${String.fromCharCode(code, code)}x`, `NOOP x${String.fromCharCode(0x7f)}`]) {
        const played = await playPieces([`${HELLO}${line}\r\nNOOP\r\n`])
        assert.deepEqual(played.commands, ['EHLO client.example', 'NOOP'], JSON.stringify(line))
        assert.match(played.toClient, /500 5\.5\.2 [^\r]*\r\n250 ok\r\n$/)
      }
    }
    const lines = ['NOOP\tx', 'MAIL FROM:<j\xc3\xbcrgen@a.example> SMTPUTF8', 'NOOP \x80\xa0']
    assert.deepEqual((await everywhere(`${HELLO}${lines.map((line) => `${line}\r\n`).join('')}`)).commands.slice(1), lines)
    const responses = await playPieces([`${HELLO}AUTH X\r\n`, '\x01\x0c\x7f\x80\r\n'], { replies: { AUTH: '334 \r\n' } })
    assert.deepEqual(responses.commands.slice(1), ['AUTH X', '\x01\x0c\x7f\x80'])
  })

  test('STARTTLS is taken out wherever it stands, also as the last line', async () => {
    const played = await playPieces([HELLO], { replies: { EHLO: '250-r\r\n250-starttls\r\n250-SIZE\r\n250 CHUNKING\r\n' } })
    assert.ok(played.toClient.endsWith('250-r\r\n250 SIZE\r\n'))
    const nothing = await playPieces([HELLO], { replies: { EHLO: '250-r\r\n250 STARTTLS\r\n' } })
    assert.ok(nothing.toClient.endsWith('\r\n250 r\r\n'))
    const unchanged = '250-r\n250-AUTH PLAIN \r\n250\r\n'
    assert.ok((await playPieces([HELLO], { replies: { EHLO: unchanged } })).toClient.endsWith(unchanged))
  })
})

describe('DATA counts when the relay has agreed', () => {
  const refusing = { replies: { DATA: '451 4.3.0 not now\r\n' } }

  test('a refusal passes, and the session goes on', async () => {
    const played = await playPieces([`${HELLO}${ENVELOPE}DATA\r\n`, 'RSET\r\nQUIT\r\n'], refusing)
    assert.deepEqual(played.commands.slice(-3), ['DATA', 'RSET', 'QUIT'])
    assert.match(played.toClient, /451 4\.3\.0 not now\r\n250 ok\r\n221 bye\r\n$/)
    assert.deepEqual([played.messages, played.envelopes], [[], []])
  })

  test('a message that was sent all the same is not read as commands', async () => {
    const played = await playPieces([`${HELLO}${ENVELOPE}DATA\r\nMAIL FROM:<evil@x.example>\r\n.\r\n`], refusing)
    assert.deepEqual(played.commands.at(-1), 'DATA')
    assert.match(played.toClient, /451 4\.3\.0 not now\r\n421 4\.5\.0 [^\r]*\r\n$/)
    assert.deepEqual([played.client, played.relay], ['ended', 'dropped'])
  })

  test('354 to whatever command is followed by a message', async () => {
    const played = await playPieces([HELLO, 'XDATA\r\n', 'RSET\r\n.\r\nNOOP\r\n'], { replies: { XDATA: '354 go\r\n' } })
    assert.deepEqual([played.commands.slice(1), played.messages], [['XDATA', 'NOOP'], ['X-Passed: yes\r\nRSET\r\n']])
  })

  test('the final reply passes, whatever it is', async () => {
    const played = await everywhere(`${HELLO}${ENVELOPE}DATA\r\n${TEXT}.\r\nNOOP\r\n`, { replies: { '.': '554-5.6.0 no\r\n554 5.6.0 really\r\n' } })
    assert.ok(played.toClient.endsWith('554-5.6.0 no\r\n554 5.6.0 really\r\n250 ok\r\n'))
    assert.equal(played.ends[0]?.reply, '554-5.6.0 no / 554 5.6.0 really')
  })
})

describe('a message that is refused by us', () => {
  const refused: PlayOptions = { verdict: () => ({ status: 'refuse', reply: '450 DKIM - temperror (no key)\r\n' }) }

  test('the relay is dropped without it, the client has its reply, QUIT is answered', async () => {
    const played = await everywhere(`${HELLO}${ENVELOPE}DATA\r\n${TEXT}.\r\nQUIT\r\n`, refused)
    assert.ok(played.toClient.endsWith('354 go on\r\n450 DKIM - temperror (no key)\r\n221 2.0.0 Bye\r\n'))
    assert.deepEqual([played.messages, played.relay, played.client], [[], 'dropped', 'ended'])
  })

  test('any other command is told that the relay is gone', async () => {
    const played = await playPieces([`${HELLO}${ENVELOPE}DATA\r\n${TEXT}.\r\n`, 'MAIL FROM:<x@x.example>\r\n'], refused)
    assert.match(played.toClient, /\(no key\)\r\n421 4\.4\.2 [^\r]*\r\n$/)
  })

  test('a bug in who makes it ready leaves the message with the client', async () => {
    const played = await playPieces([`${HELLO}${ENVELOPE}DATA\r\n${TEXT}.\r\n`], { verdict: () => Promise.reject(new Error('broken')) })
    assert.ok(played.toClient.endsWith('354 go on\r\n451 4.3.0 Internal error, try again later\r\n'))
    assert.deepEqual([played.messages, played.errors], [[], ['broken']])
  })

  test('one that is too large, once it has come to its end', async () => {
    const played = await everywhere(`${HELLO}${ENVELOPE}DATA\r\n${TEXT}.\r\nQUIT\r\n`, { options: { maxMessageBytes: 5 } })
    assert.match(played.toClient, /354 go on\r\n552 5\.3\.4 [^\r]*\r\n221 2\.0\.0 Bye\r\n$/)
  })
})
