/** Which mechanism is used where, and what becomes of each answer of the server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCapabilities } from '../../../src/smtp/capabilities.ts'
import { Loss, type Answer } from '../../../src/smtp/client-connection.ts'
import { logIn, type LoginChannel, type LoginOutcome, type LoginTerms } from '../../../src/smtp/client-login.ts'

const b64 = (text: string) => Buffer.from(text, 'utf8').toString('base64')
const LOGIN = { user: 'anna', password: 'secret' }
const PLAIN = b64('\0anna\0secret')

interface Played {
  readonly said: readonly string[]
  readonly outcome: LoginOutcome
}

/** A server that offers `auth` and says these things one after the other. */
async function play(auth: string | null, answers: readonly (string | Loss)[], change: Partial<LoginTerms> = {}): Promise<Played> {
  const said: string[] = []
  const left = [...answers]
  const channel: LoginChannel = {
    loss: undefined,
    conceal: () => undefined,
    command: (line): Promise<Answer> => {
      said.push(line)
      const next = left.shift()
      assert.ok(next !== undefined, `the server has no answer to ${line}`)
      return Promise.resolve(next instanceof Loss ? next : { status: Number(next.slice(0, 3)), text: next.slice(4) })
    },
  }
  const offered = parseCapabilities(auth === null ? ['mx'] : ['mx', `AUTH ${auth}`])
  const outcome = await logIn(channel, offered, { login: LOGIN, channelBinding: undefined, confidential: true, timeoutMs: 1000, preferred: undefined, ...change })
  assert.deepEqual(left, [], 'answers that nobody asked for')
  return { said, outcome }
}

test('the strongest that both have', async () => {
  for (const [auth, expected] of [
    ['PLAIN LOGIN', 'PLAIN'], ['LOGIN PLAIN', 'PLAIN'], ['LOGIN', 'LOGIN'], ['plain', 'PLAIN'], ['PLAIN CRAM-MD5', 'CRAM-MD5'], ['PLAIN SCRAM-SHA-1 SCRAM-SHA-256 CRAM-MD5', 'SCRAM-SHA-256'],
    ['GSSAPI SCRAM-SHA-256-PLUS PLAIN', 'PLAIN'], ['XPLAIN LOGIN', 'LOGIN'],
  ] as const) {
    const { said } = await play(auth, ['454 4.7.0 no'])
    assert.equal(said[0]?.trim().split(' ')[1], expected, auth)
  }
  const { said } = await play('SCRAM-SHA-256 SCRAM-SHA-256-PLUS', ['454 4.7.0 no'], { channelBinding: Buffer.from('x') })
  assert.match(said[0] ?? '', /^AUTH SCRAM-SHA-256-PLUS /)
})

test('where others may listen, only what does not show the password', async () => {
  for (const auth of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'PLAIN LOGIN CRAM-MD5']) {
    const { said, outcome } = await play(auth, [], { confidential: false })
    assert.deepEqual([said, outcome], [[], { status: 'no-mechanism', offered: auth }])
  }
  const { said } = await play('PLAIN SCRAM-SHA-256', ['535 5.7.8 no'], { confidential: false })
  assert.equal(said.length, 1, 'PLAIN is no way out')
})

test('no AUTH at all', async () => {
  assert.deepEqual((await play(null, [])).outcome, { status: 'no-mechanism', offered: 'no AUTH' })
})

test('PLAIN: with the command, or behind it where the command would be too long', async () => {
  assert.deepEqual(await play('PLAIN', ['235 2.7.0 yes']), { said: [`AUTH PLAIN ${PLAIN}\r\n`], outcome: { status: 'in', mechanism: 'PLAIN' } })
  const password = 'x'.repeat(400)
  assert.deepEqual((await play('PLAIN', ['334 ', '235 yes'], { login: { user: 'anna', password } })).said, ['AUTH PLAIN\r\n', `${b64(`\0anna\0${password}`)}\r\n`])
})

test('LOGIN: whatever words the server asks in', async () => {
  for (const [user, password] of [['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6'], ['334 Username:', '334 Password:'], ['334 ', '334 ']] as const) {
    const { said, outcome } = await play('LOGIN', [user, password, '235 2.7.0 yes'])
    assert.deepEqual(said, ['AUTH LOGIN\r\n', `${b64('anna')}\r\n`, `${b64('secret')}\r\n`])
    assert.equal(outcome.status, 'in')
  }
})

test('what the server says instead', async () => {
  for (const [answer, expected] of [
    ['535 5.7.8 no', 'refused'], ['534 5.7.9 too weak', 'refused'], ['503 5.5.1 not now', 'refused'], ['454 4.7.0 later', 'put-off'], ['421 4.7.0 bye', 'put-off'],
    ['250 ok', 'faulty'], ['354 go on', 'faulty'], ['334 again', 'faulty'], [new Loss('closed', 'gone'), 'lost'], [new Loss('timeout', 'slow'), 'lost'],
  ] as const) assert.equal((await play('PLAIN', [answer])).outcome.status, expected, JSON.stringify(answer))
})

test('a mechanism for which the server has no secret: PLAIN is tried, once', async () => {
  const challenge = `334 ${b64('<1@mx>')}`
  const worked = await play('CRAM-MD5 PLAIN LOGIN', [challenge, '535 5.7.8 no', '235 2.7.0 yes'])
  assert.deepEqual(worked.outcome, { status: 'in', mechanism: 'PLAIN' })
  assert.equal((await play('CRAM-MD5 PLAIN LOGIN', [challenge, '535 5.7.8 no', '535 5.7.8 no'])).outcome.status, 'refused')
  assert.equal((await play('CRAM-MD5', [challenge, '535 5.7.8 no'])).outcome.status, 'refused')
  assert.equal((await play('PLAIN LOGIN', ['535 5.7.8 no'])).outcome.status, 'refused')
})

test('what has worked before comes first', async () => {
  assert.equal((await play('CRAM-MD5 PLAIN', ['235 yes'], { preferred: 'PLAIN' })).said[0], `AUTH PLAIN ${PLAIN}\r\n`)
  assert.equal((await play('LOGIN', ['454 no'], { preferred: 'PLAIN' })).said[0], 'AUTH LOGIN\r\n')
})

test('SCRAM: 235 before the server has shown what it knows is no success', async () => {
  const { outcome } = await play('SCRAM-SHA-256', ['235 2.7.0 come in'])
  assert.ok(outcome.status === 'faulty' && outcome.detail.includes('before the server has shown'), outcome.status)
})
