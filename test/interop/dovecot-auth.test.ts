/** Logins that the real Dovecot decides, and passwords that `doveadm pw` writes and checks. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { parsePassword } from '../../src/submission/password-hash.ts'
import { createPasswordWork } from '../../src/submission/password-work.ts'
import { hashPassword } from '../../src/submission/write-password.ts'
import { WRITTEN_SCHEMES } from '../../src/submission/written-schemes.ts'
import { startDovecotAuth, type DovecotAuth } from '../support/peers/dovecot-auth.ts'
import { missing } from '../support/peers/programs.ts'
import { run } from '../support/process.ts'
import { ScramClient } from '../support/scram-client.ts'
import { begin, facts, ground, logIn, outcome, PLAIN_TLS, type Ground } from '../unit/submission/authenticator-fixture.ts'

const skip = missing('dovecot', 'doveadm')
const USERS = 'anna@example.org:{PLAIN}s3cret::::::\nbert@example.org:{SHA512-CRYPT}$6$VcUtZsOmXTZ5jUN9$eelbOwVWkZdKkj5NKReyrhtQLSf4QVs3nuwPS29xd3XfPy6bmgBY.6V/viI91J37sW9Gz/oX2RSN35RQn/LvE0::::::\n'

/** No address: Dovecot lets those wait that have failed. */
const HERE = { ...facts(PLAIN_TLS), address: undefined }

let dovecot: DovecotAuth
let g: Ground

before(async () => {
  if (skip !== false) return
  dovecot = await startDovecotAuth(USERS)
  g = await ground({ dovecot: { socket: { path: dovecot.socket }, timeoutMs: 20_000 } })
})

after(async () => {
  if (skip !== false) return
  await g.close()
  await dovecot.stop()
})

test('PLAIN and LOGIN', { skip }, async () => {
  assert.deepEqual(g.authenticator.mechanisms(PLAIN_TLS), ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'])
  assert.equal(await logIn(g, 'Anna@example.org', { password: 's3cret' }), 'anna@example.org by PLAIN', dovecot.log())
  assert.equal(await logIn(g, 'bert@example.org'), 'bert@example.org by PLAIN')
  assert.equal(await logIn(g, 'anna@example.org', { password: 'wrong', from: HERE }), '535')
  assert.equal(await logIn(g, 'nobody@example.org', { from: HERE }), '535')
  const login = begin(g, 'LOGIN')
  await login.step(Buffer.from('anna@example.org'))
  assert.equal(outcome(await login.step(Buffer.from('s3cret'))), 'anna@example.org by LOGIN')
})

test('SCRAM-SHA-256 and CRAM-MD5 pass through', { skip }, async () => {
  for (const [password, expected] of [['s3cret', 'anna@example.org by SCRAM-SHA-256'], ['wrong', '535']] as const) {
    const client = new ScramClient({ user: 'anna@example.org', password })
    const scram = begin(g, 'SCRAM-SHA-256', HERE)
    const first = await scram.step(client.first)
    assert.ok(first.status === 'challenge', dovecot.log())
    const second = await scram.step(client.final(first.data.toString()))
    if (second.status === 'challenge') {
      assert.equal(second.data.toString(), client.serverFinal)
      assert.equal(outcome(await scram.step(Buffer.alloc(0))), expected)
    } else assert.equal(outcome(second), expected)
  }
  const cram = begin(g, 'CRAM-MD5')
  const challenge = await cram.step(null)
  assert.ok(challenge.status === 'challenge')
  assert.equal(outcome(await cram.step(Buffer.from(`anna@example.org ${createHmac('md5', 's3cret').update(challenge.data).digest('hex')}`))), 'anna@example.org by CRAM-MD5')
})

test('many at once, on one connection', { skip }, async () => {
  const asked = Array.from({ length: 40 }, (_, i) => logIn(g, 'bert@example.org', { password: i % 10 === 9 ? 'wrong' : 'secret', from: HERE }))
  const counted = Object.groupBy(await Promise.all(asked), (one) => one)
  assert.equal(counted['bert@example.org by PLAIN']?.length, 36)
  assert.equal(counted['535']?.length, 4)
})

test('while Dovecot is away logins are 454; when it is back they are as before', { skip }, async () => {
  await dovecot.stop()
  assert.equal(await logIn(g, 'anna@example.org', { password: 's3cret' }), '454')
  await dovecot.restart()
  g.nowMs += 60_000
  assert.equal(await logIn(g, 'anna@example.org', { password: 's3cret' }), 'anna@example.org by PLAIN')
})

test('what doveadm writes is verified here', { skip }, async () => {
  const work = createPasswordWork({ onTrouble: (cause) => assert.fail(cause) })
  try {
    for (const scheme of ['ARGON2ID', 'ARGON2I', 'BLF-CRYPT', 'SHA512-CRYPT', 'SHA256-CRYPT', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'CLEARTEXT']) {
      for (const password of ['x', 'S3cret with spaces', 'pässwörd', 'p'.repeat(71)]) {
        const { output } = await run(['doveadm', 'pw', '-s', scheme, '-p', password])
        const parsed = parsePassword(Buffer.from(output.trim(), 'latin1').toString('utf8'))
        assert.ok(parsed.status === 'ok', `${scheme}: ${output}`)
        assert.equal(await work.verify(parsed.hash, password), 'match', `${scheme} ${password}`)
        assert.equal(await work.verify(parsed.hash, `${password}!`), 'mismatch', `${scheme} ${password}`)
      }
    }
  } finally {
    await work.close()
  }
})

test('what is written here doveadm verifies', { skip }, async () => {
  // scrypt is not among Dovecot's schemes.
  for (const scheme of WRITTEN_SCHEMES.filter((one) => one !== 'scrypt')) {
    const written = await hashPassword('S3cret with ä', scheme)
    const good = await run(['doveadm', 'pw', '-t', written, '-p', 'S3cret with ä'])
    assert.equal(good.code, 0, `${scheme}: ${good.output}`)
    const bad = await run(['doveadm', 'pw', '-t', written, '-p', 'S3cret with a'])
    assert.notEqual(bad.code, 0, scheme)
  }
})
