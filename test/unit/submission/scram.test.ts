/** SCRAM-SHA-256 against the example of RFC 7677 and a client of the tests' own, with what goes wrong between them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScramClient, type ScramClientOptions } from '../../support/scram-client.ts'
import { parseClientFinal, parseClientFirst } from '../../../src/submission/scram-messages.ts'
import { scramSecret, serverSignature, storedKeyOf } from '../../../src/submission/scram-keys.ts'
import { begin, BOUND, facts, ground, HASHES, outcome, PLAIN_TLS, type Ground, type GroundOptions } from './authenticator-fixture.ts'

test('the example of RFC 7677', async () => {
  const first = parseClientFirst('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const final = parseClientFinal('c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=')
  assert.ok(first !== null && final !== null)
  const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  const secret = await scramSecret('pencil', { salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), iterations: 4096 })
  const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`
  assert.deepEqual(storedKeyOf(final.proof, secret, authMessage), secret.storedKey)
  assert.equal(serverSignature(secret, authMessage).toString('base64'), '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

const FILE = `clara:${HASHES.scram}\nemil:${HASHES.clear}\nanna:${HASHES.argon2}\nd,=x:${HASHES.scram}\n`

async function on(body: (g: Ground) => Promise<void>, options: GroundOptions = {}): Promise<void> {
  const g = await ground({ file: FILE, mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'], ...options })
  try {
    await body(g)
  } finally {
    await g.close()
  }
}

/** The whole dialogue; what came of it. */
async function run(g: Ground, options: Partial<ScramClientOptions> = {}, { mechanism = 'SCRAM-SHA-256', from = facts(PLAIN_TLS) } = {}): Promise<string> {
  const client = new ScramClient({ user: 'clara', password: 'secret', ...options })
  const exchange = begin(g, mechanism, from)
  const first = await exchange.step(client.first)
  if (first.status !== 'challenge') return outcome(first)
  const second = await exchange.step(client.final(first.data.toString()))
  if (second.status !== 'challenge') return outcome(second)
  assert.equal(second.data.toString(), client.serverFinal, 'the server does not know the password')
  return outcome(await exchange.step(Buffer.alloc(0)))
}

test('who has a SCRAM secret or a password in clear logs in, nobody else does', async () => {
  await on(async (g) => {
    assert.equal(await run(g), 'clara by SCRAM-SHA-256')
    assert.equal(await run(g, { user: 'CLARA@example.org' }), 'clara by SCRAM-SHA-256')
    assert.equal(await run(g, { user: 'emil' }), 'emil by SCRAM-SHA-256')
    assert.equal(await run(g, { user: 'd,=x' }), 'd,=x by SCRAM-SHA-256')
    assert.equal(await run(g, { password: 'Secret' }), '535')
    assert.equal(await run(g, { user: 'anna' }), '535')
    assert.equal(await run(g, { user: 'nobody' }), '535')
    assert.equal(await run(g, { header: 'n,a=clara,' }), 'clara by SCRAM-SHA-256')
    assert.equal(await run(g, { header: 'n,a=emil,' }), '535')
    assert.equal(await run(g, { header: 'y,,' }), 'clara by SCRAM-SHA-256')
  })
})

test('channel binding: to this connection and no other, and nobody takes it out of the list', async () => {
  await on(async (g) => {
    const plus = { mechanism: 'SCRAM-SHA-256-PLUS', from: facts() }
    assert.equal(await run(g, { header: 'p=tls-exporter,,', binding: BOUND }, plus), 'clara by SCRAM-SHA-256-PLUS')
    assert.equal(await run(g, { header: 'p=tls-exporter,,', binding: Buffer.alloc(32, 8) }, plus), '535')
    assert.equal(await run(g, { header: 'p=tls-exporter,,' }, plus), '535')
    // Not to be had on this connection, or not known at all.
    assert.equal(await run(g, { header: 'p=tls-server-end-point,,', binding: BOUND }, plus), '535')
    assert.equal(await run(g, { header: 'p=tls-unique,,', binding: BOUND }, plus), '535')
    assert.equal(await run(g, { header: 'n,,' }, plus), '535')
    assert.equal(await run(g, { header: 'y,,' }, plus), '535')
    const bare = { from: facts() }
    assert.equal(await run(g, { header: 'n,,' }, bare), 'clara by SCRAM-SHA-256')
    // RFC 5802 §6: it could bind, we have offered to, and yet it thinks that we have not.
    assert.equal(await run(g, { header: 'y,,' }, bare), '535')
    assert.equal(await run(g, { header: 'p=tls-exporter,,', binding: BOUND }, bare), '535')
  })
})

test('an unknown user, and one without a secret, get a salt that stays the same, as a known one does', async () => {
  const salts = async (g: Ground, user: string): Promise<string> => {
    const step = await begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS)).step(new ScramClient({ user, password: '' }).first)
    return /s=([^,]+),i=(\d+)$/.exec(outcome(step))?.slice(1).join(' ') ?? outcome(step)
  }
  await on(async (g) => {
    const seen = new Set<string>()
    for (const user of ['nobody', 'anna', 'clara', 'emil', 'nobody2']) {
      const salt = await salts(g, user)
      assert.match(salt, /^[A-Za-z0-9+/]{22}== 4096$/)
      assert.equal(await salts(g, user.toUpperCase()), salt)
      seen.add(salt)
    }
    assert.equal(seen.size, 5)
    // Whether two names are one account does not show either: most of this file's users have no domain.
    for (const user of ['nobody', 'anna', 'clara', 'emil']) assert.equal(await salts(g, `${user}@example.org`), await salts(g, user), user)
    assert.notEqual(await salts(g, 'nobody@other.example'), await salts(g, 'nobody'))
  })
})

test('messages that are not of the form are 501, and a nonce is used once', async () => {
  await on(async (g) => {
    for (const bad of ['', 'n,,n=,r=abc', 'n,,n=clara', 'n,,r=abc,n=clara', 'x,,n=clara,r=abc', 'n,,n=cl=41ra,r=abc', 'n,,m=ext,n=clara,r=abc', 'p=,,n=clara,r=abc', 'n,,n=clara,r=a b', 'n,b=x,n=clara,r=abc', `n,,n=clara,r=${'a'.repeat(600)}`]) {
      assert.equal(outcome(await begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS)).step(Buffer.from(bad))), '501', bad)
    }
    const client = new ScramClient({ user: 'clara', password: 'secret' })
    const final = async (change: (text: string) => string): Promise<string> => {
      const exchange = begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS))
      const step = await exchange.step(client.first)
      assert.ok(step.status === 'challenge')
      return outcome(await exchange.step(Buffer.from(change(client.final(step.data.toString()).toString()))))
    }
    assert.match(await final((text) => text), /^\? v=/)
    assert.equal(await final((text) => text.replace(/p=.*/, 'p=')), '501')
    assert.equal(await final((text) => text.slice(0, -1)), '501')
    assert.equal(await final(() => ''), '501')
    assert.equal(await final((text) => text.replace(/r=[^,]*/, 'r=rOprNGfwEbeRWgbNEkqO')), '535')
    assert.equal(await final((text) => text.replace(/c=biws/, 'c=eSws')), '535')
    let earlier = ''
    await final((text) => (earlier = text))
    assert.equal(await final(() => earlier), '535')
  })
})

test('the client that goes on talking behind the server\'s last word is not logged in', async () => {
  await on(async (g) => {
    const client = new ScramClient({ user: 'clara', password: 'secret' })
    const exchange = begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS))
    assert.equal(outcome(await exchange.step(null)), '? ')
    const step = await exchange.step(client.first)
    assert.ok(step.status === 'challenge')
    assert.match(outcome(await exchange.step(client.final(step.data.toString()))), /^\? v=/)
    assert.equal(outcome(await exchange.step(Buffer.from('x'))), '501')
  })
})
