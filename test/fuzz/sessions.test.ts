/**
 * Whole sessions with random bytes, random answers of the hop and random
 * events: however the bytes are split the same is said, nothing is leaked, and
 * no message is answered 250 that the hop does not have.
 */
import assert from 'node:assert/strict'
import type { Dialog } from '../support/dialog-text.ts'
import { settled, Stage } from '../support/dialog.ts'
import type { ScriptedAnswer } from '../support/fake-hop.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'
import * as replies from '../../src/smtp/reply-catalogue.ts'
import { tlsFacts } from '../support/tls-facts.ts'

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64')
const WORDS = ['EHLO a.example\r\n', 'EHLO a.example\r\n', 'HELO a.example\r\n', 'LHLO a.example\r\n', 'MAIL FROM:<a@client.example>\r\n', 'MAIL FROM:<a@client.example>\r\n', 'MAIL FROM:<a@client.example>\r\n',
  'MAIL FROM:<> BODY=8BITMIME SIZE=20\r\n', 'MAIL FROM:<a@client.example> BODY=BINARYMIME\r\n', 'RCPT TO:<b@hop.example>\r\n', 'RCPT TO:<b@hop.example>\r\n', 'RCPT TO:<c@other.example>\r\n', 'RCPT TO:<x@elsewhere.example>\r\n',
  'RCPT TO:<x%elsewhere.example@hop.example>\r\n', 'DATA\r\n', 'DATA\r\n', 'DATA\r\n', 'Subject: x\r\n', '\r\n', '.\r\n', '.\r\n', '..\r\n', '\n.\n', '\r.\r', '\r\n.\n', '\0', 'BDAT 5\r\nabc\r\n', 'BDAT 3 LAST\r\nab\n', 'BDAT 0 LAST\r\n',
  'BDAT 0\r\n', 'BDAT 4\r\n\r\n.\r', 'BDAT 60 LAST\r\n', 'BDAT x\r\n', 'RSET\r\n', 'NOOP\r\n', 'HELP\r\n', 'VRFY a\r\n', 'QUIT\r\n', 'STARTTLS\r\n', 'XCLIENT ADDR=198.51.100.9\r\n', 'XFORWARD ADDR=198.51.100.9 HELO=h\r\n', 'NOOP\n', 'junk\r\n',
  // accounts of the scripted authenticator: the right password, a wrong one, one that is put off
  `AUTH PLAIN ${base64('\0anna@client.example\0secret')}\r\n`, `AUTH PLAIN ${base64('\0anna@client.example\0wrong')}\r\n`, `AUTH PLAIN ${base64('\0anna@client.example\0later')}\r\n`, 'AUTH PLAIN\r\n', 'AUTH LOGIN\r\n', 'AUTH LOGIN =\r\n',
  `${base64('anna@client.example')}\r\n`, `${base64('secret')}\r\n`, '*\r\n', '=\r\n', 'AUTH ENDLESS\r\n', 'AUTH X\r\n', 'MAIL FROM:<a@client.example> AUTH=anna@client.example\r\n', 'x'.repeat(120), '\r', '\n']
const ANSWERS: readonly ScriptedAnswer[] = [
  [{ status: 250, text: '2.0.0 Queued' }], [{ status: 250, text: ['a', 'b'] }], [{ status: 251, text: 'will forward' }], [{ status: 450, text: '4.2.0 later' }], [{ status: 550, text: ['5.1.1 no', '5.1.1 never'] }],
]

const LOGIN = `AUTH PLAIN ${base64('\0anna@client.example\0secret')}\r\n`

interface Play {
  readonly options: ReadonlyMap<string, string>
  readonly bytes: Buffer
  readonly scripts: readonly (readonly [hop: string, verb: 'MAIL' | 'RCPT' | 'DATA', answer: ScriptedAnswer])[]
}

function makePlay(random: Random): Play {
  const options = new Map([
    ['protocol', random.pick(['smtp', 'smtp', 'lmtp'])], ['newlines', random.pick(['normalise', 'refuse'])], ['tls', random.pick(['none', 'offered', 'required', 'none'])],
    ['trust', random.pick(['', '', 'xclient xforward'])], ['received', random.pick(['yes', 'no'])], ['role', random.pick(['inbound', 'inbound', 'outbound'])],
    ['hop', random.pick(['backend smtp 8BITMIME CHUNKING BINARYMIME', 'backend lmtp', 'backend smtp; other lmtp 8BITMIME', 'backend smtp; other smtp', 'backend smtp down'])],
    ['limits', random.pick(['errors=8, commandLineBytes=100, messageBytes=60, recipients=2, unknownCommands=3', 'messageBytes=1000'])],
  ])
  const auth = random.pick([undefined, 'PLAIN LOGIN', 'PLAIN! LOGIN', 'required PLAIN LOGIN', 'required PLAIN! LOGIN!'])
  if (auth !== undefined) options.set('auth', auth)
  const two = options.get('hop')?.includes(';') === true
  options.set('domains', two ? 'hop.example, other.example=other' : 'hop.example, other.example')
  const hops = two ? ['backend', 'other'] : ['backend']
  const scripts = Array.from({ length: random.below(5) }, () => [random.pick(hops), random.pick(['MAIL', 'RCPT', 'DATA'] as const), random.pick(ANSWERS)] as const)
  // Most plays begin well, so that they come to the interesting places.
  const hello = options.get('protocol') === 'lmtp' ? 'LHLO a\r\n' : 'EHLO a\r\n'
  const opening = random.chance(0.7) ? `${hello}${auth !== undefined && random.chance(0.7) ? LOGIN : ''}MAIL FROM:<a@client.example>\r\nRCPT TO:<b@hop.example>\r\n` : ''
  return { options, scripts, bytes: Buffer.from(opening + random.soup(WORDS, 25, 0.02), 'latin1') }
}

function makeStage({ options, scripts }: Play): Stage {
  const dialog: Dialog = { file: 'fuzz', line: 0, name: 'fuzz', options, steps: [] }
  const stage = new Stage(dialog)
  for (const [hop, verb, answer] of scripts) stage.hop(hop).script(verb, answer)
  return stage
}

async function finish(stage: Stage): Promise<void> {
  for (let i = 0; i < 5; i++) {
    for (const hop of stage.hops.values()) hop.release()
    await settled()
  }
  stage.session.lost()
  await settled()
}

/** What must hold whatever happened; the session is over. */
function check(stage: Stage, said: string): void {
  assert.deepEqual(stage.errors, [])
  assert.match(said, /^(?:[2-5]\d\d[- ][\x20-\x7e]*\r\n)*$/, 'replies and nothing else')
  for (const hop of stage.hops.values()) {
    assert.deepEqual(hop.violations, [])
    assert.equal(hop.open, 0, 'a transaction is left open')
  }
  assert.equal(stage.logged.length, stage.ids, 'each transaction is one line in the log')
  let binary = false
  let messages = 0
  for (const event of stage.events) {
    if (event.includes('MESSAGE')) {
      messages++
      binary = event.includes('binary')
    }
    if (/^[>|]/.test(event)) assert.ok(binary || !/\\r|\\n|\\0/.test(event), `a line end that is none: ${event}`)
    else assert.ok(!event.includes('elsewhere') || stage.logged.length > 0)
  }
  const accepted = stage.logged.filter((facts) => facts['verdict'] === 'accept').length
  assert.ok(accepted <= messages, 'accepted without a message at the hop')
}

fuzz('sessions, in pieces and whole', 2500, async (random) => {
  const play = makePlay(random)
  const outcomes: { said: string; events: readonly string[]; ended: boolean }[] = []
  for (const pieces of [[play.bytes], random.pieces(play.bytes), random.pieces(play.bytes)]) {
    const stage = makeStage(play)
    stage.session.start()
    for (const piece of pieces) {
      stage.session.receive(piece)
      await settled()
      if (stage.transport.handshakes > 0) break
    }
    const { ended } = stage.transport
    await finish(stage)
    const said = stage.transport.take()
    check(stage, said)
    if (play.options.get('auth')?.startsWith('required') === true && !said.includes('\r\n235 ')) assert.equal(stage.ids, 0, 'a transaction without a login')
    if (play.options.get('role') === 'inbound') assert.ok(!stage.events.some((event) => /^(?:\w+: )?RCPT .*elsewhere/.test(event)), 'relayed')
    outcomes.push({ said, events: stage.events, ended })
  }
  assert.deepEqual(outcomes[1], outcomes[0])
  assert.deepEqual(outcomes[2], outcomes[0])
})

type Event = (stage: Stage, random: Random) => void
const EVENTS: readonly Event[] = [
  (stage, random) => {
    stage.nowMs += random.pick([1000, 60_000, 400_000])
    stage.session.tick()
  },
  (stage) => stage.session.tick(),
  (stage) => stage.session.stop(),
  (stage) => stage.session.inputEnded(),
  (stage) => stage.session.lost(),
  (stage) => stage.session.close(replies.CLOSING_DOWN),
  (stage) => {
    stage.transport.reading = false
  },
  (stage) => {
    stage.transport.reading = true
    stage.session.drained()
  },
  (stage) => {
    for (const hop of stage.hops.values()) hop.release()
  },
  (stage) => {
    if (stage.transport.handshakes > 0 && !stage.transport.ended) stage.session.secured(tlsFacts())
  },
]

fuzz('sessions, with everything that can happen to them', 4000, async (random) => {
  const play = makePlay(random)
  const stage = makeStage({ ...play, scripts: [...play.scripts, ['backend', random.pick(['MAIL', 'RCPT', 'DATA'] as const), 'hang']] })
  stage.session.start()
  let said = ''
  for (const piece of random.pieces(play.bytes)) {
    stage.session.receive(piece)
    if (random.chance(0.7)) await settled()
    if (random.chance(0.15)) random.pick(EVENTS)(stage, random)
    if (random.chance(0.3)) said += stage.transport.take()
  }
  await finish(stage)
  said += stage.transport.take()
  check(stage, said)
  // What is over stays over.
  const { ended } = stage.transport
  for (const event of EVENTS) event(stage, random)
  await settled()
  assert.equal(stage.transport.take(), '')
  assert.equal(stage.transport.ended, ended)
})
