/** PLAIN, LOGIN, CRAM-MD5, EXTERNAL, and which mechanisms are offered to whom. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { begin, facts, ground, HASHES, logIn, outcome, plain, PLAIN_TLS, TLS, withCertificate, type GroundOptions } from './authenticator-fixture.ts'
import { MAX_RESPONSE_BYTES } from '../../../src/submission/exchange.ts'

async function on<T>(options: GroundOptions, body: (g: Awaited<ReturnType<typeof ground>>) => Promise<T>): Promise<T> {
  const g = await ground(options)
  try {
    return await body(g)
  } finally {
    await g.close()
  }
}

const FILE = [`anna:${HASHES.argon2}`, `bert@example.org:${HASHES.bcrypt}`, `clara:${HASHES.scram}`, `dora:${HASHES.cram}`, `emil:${HASHES.clear}`, 'frida::1000:1000', 'gert:!', ''].join('\n')

test('PLAIN with every scheme, and with every name that an account has', async () => {
  await on({ file: FILE }, async (g) => {
    for (const [name, account] of [['anna', 'anna'], ['ANNA', 'anna'], ['anna@example.org', 'anna'], ['Anna@Example.COM', 'anna'], ['bert@example.org', 'bert@example.org'], ['clara', 'clara'], ['dora', 'dora'], ['emil', 'emil']] as const) {
      assert.equal(await logIn(g, name), `${account} by PLAIN`)
      assert.equal(await logIn(g, name, { password: 'Secret' }), '535')
    }
    for (const nobody of ['nobody', 'bert', 'bert@example.com', 'anna@other.example', 'frida', 'gert', 'a b', '../anna', '']) assert.notEqual((await logIn(g, nobody)).slice(0, 4), 'anna', nobody)
    for (const line of g.log.lines) assert.doesNotMatch(JSON.stringify(line), /[Ss]ecret/)
  })
})

test('PLAIN: what is not of its form is 501, another authorization identity is 535', async () => {
  await on({ file: FILE }, async (g) => {
    const of = async (response: Buffer): Promise<string> => outcome(await begin(g, 'PLAIN').step(response))
    assert.equal(await of(plain('anna', 'secret', 'anna')), 'anna by PLAIN')
    assert.equal(await of(plain('anna', 'secret', 'ANNA')), 'anna by PLAIN')
    assert.equal(await of(plain('anna', 'secret', 'bert@example.org')), '535')
    for (const bad of ['', 'anna', '\0anna', '\0\0secret', '\0anna\0', '\0anna\0se\0cret', 'anna\0secret']) assert.equal(await of(Buffer.from(bad)), '501', JSON.stringify(bad))
    assert.equal(await of(Buffer.from('\0anna\0secr\xff', 'latin1')), '501')
    assert.equal(await of(Buffer.alloc(MAX_RESPONSE_BYTES + 1, 97)), '500')
    const without = begin(g, 'plain')
    assert.equal(outcome(await without.step(null)), '? ')
    assert.equal(outcome(await without.step(plain('anna', 'secret'))), 'anna by PLAIN')
    // Behind the end there is nothing.
    assert.equal(outcome(await without.step(plain('anna', 'secret'))), '501')
  })
})

test('LOGIN, with and without an initial response', async () => {
  await on({ file: FILE }, async (g) => {
    const slow = begin(g, 'LOGIN')
    assert.equal(outcome(await slow.step(null)), '? Username:')
    assert.equal(outcome(await slow.step(Buffer.from('anna'))), '? Password:')
    assert.equal(outcome(await slow.step(Buffer.from('secret'))), 'anna by LOGIN')
    const quick = begin(g, 'LOGIN')
    assert.equal(outcome(await quick.step(Buffer.from('anna'))), '? Password:')
    assert.equal(outcome(await quick.step(Buffer.from('wrong'))), '535')
    assert.equal(outcome(await begin(g, 'LOGIN').step(Buffer.alloc(0))), '501')
  })
})

test('CRAM-MD5: a digest of a challenge that is new each time', async () => {
  await on({ file: FILE, mechanisms: ['CRAM-MD5'] }, async (g) => {
    const of = async (name: string, password: string): Promise<string> => {
      const exchange = begin(g, 'CRAM-MD5')
      const step = await exchange.step(null)
      assert.ok(step.status === 'challenge')
      assert.match(step.data.toString(), /^<[0-9a-f]{24}\.\d+@mx\.example\.org>$/)
      return outcome(await exchange.step(Buffer.from(`${name} ${createHmac('md5', password).update(step.data).digest('hex')}`)))
    }
    assert.equal(await of('dora', 'secret'), 'dora by CRAM-MD5')
    assert.equal(await of('emil', 'secret'), 'emil by CRAM-MD5')
    for (const [name, password] of [['dora', 'other'], ['anna', 'secret'], ['nobody', 'secret']] as const) assert.equal(await of(name, password), '535')
    const early = begin(g, 'CRAM-MD5')
    assert.equal(outcome(await early.step(Buffer.from('dora'))), '501')
    const odd = begin(g, 'CRAM-MD5')
    await odd.step(null)
    assert.equal(outcome(await odd.step(Buffer.from('dora 1234'))), '501')
  })
})

const FINGERPRINT = 'ab'.repeat(32)

test('EXTERNAL: a certificate in place of a password', async () => {
  const map = `${'AB:'.repeat(31)}AB anna\nteam@example.org bert@example.org, clara\n`
  await on({ file: FILE, certificates: { mode: 'instead', map: '/etc/map' }, map }, async (g) => {
    const of = async (tls: Parameters<typeof facts>[0], response: string): Promise<string> => {
      const exchange = g.authenticator.begin('EXTERNAL', facts(tls))
      return exchange === undefined ? 'not offered' : outcome(await exchange.step(Buffer.from(response)))
    }
    const anna = withCertificate({ fingerprint: FINGERPRINT })
    assert.equal(await of(anna, ''), 'anna by EXTERNAL')
    assert.equal(await of(anna, 'anna'), 'anna by EXTERNAL')
    assert.equal(await of(anna, 'clara'), '535')
    const team = withCertificate({ fingerprint: 'cd'.repeat(32), addresses: ['Team@example.org'], authorized: true })
    assert.equal(await of(team, ''), '535')
    assert.equal(await of(team, 'clara'), 'clara by EXTERNAL')
    // What nobody has signed may say what it likes.
    assert.equal(await of(withCertificate({ fingerprint: 'cd'.repeat(32), addresses: ['team@example.org'] }), 'clara'), 'not offered')
    assert.equal(await of(TLS, ''), 'not offered')
    assert.equal(g.authenticator.begin('EXTERNAL', { ...facts(), tls: undefined }), undefined)
    assert.equal(g.authenticator.begin('PLAIN', { ...facts(), tls: undefined }), undefined)
    assert.ok(g.authenticator.mechanisms(anna).includes('EXTERNAL'))
    // Those who have none go on with passwords.
    assert.equal(await logIn(g, 'anna'), 'anna by PLAIN')
  })
  await on({ file: FILE, certificates: { mode: 'instead', map: undefined } }, async (g) => {
    const own = withCertificate({ addresses: ['bert@example.org'], authorized: true })
    assert.equal(outcome(await begin(g, 'EXTERNAL', facts(own)).step(Buffer.alloc(0))), 'bert@example.org by EXTERNAL')
  })
})

test('a certificate as the second factor: one of the same user, beside the password', async () => {
  await on({ file: FILE, certificates: { mode: 'second', map: '/etc/map' }, map: `${FINGERPRINT} anna\n` }, async (g) => {
    const anna = withCertificate({ fingerprint: FINGERPRINT })
    assert.ok(!g.authenticator.mechanisms(anna).includes('EXTERNAL'))
    assert.equal(await logIn(g, 'anna', { from: facts(anna) }), 'anna by PLAIN')
    assert.equal(await logIn(g, 'anna', { from: facts(anna), password: 'wrong' }), '535')
    assert.equal(await logIn(g, 'bert@example.org', { from: facts(anna) }), '535')
    const without = await begin(g, 'PLAIN').step(plain('anna', 'secret'))
    assert.ok(without.status === 'refused')
    assert.match(String(without.reply.text), /certificate/)
  })
})

test('what is offered: passwords under TLS only, the others where everybody can, or somebody, if it is configured', async () => {
  const offered = async (options: GroundOptions, tls: typeof TLS | 'clear' = PLAIN_TLS): Promise<string> => await on(options, (g) => Promise.resolve(g.authenticator.mechanisms(tls === 'clear' ? undefined : tls).join(' ')))
  assert.equal(await offered({ file: FILE }), 'PLAIN LOGIN')
  assert.equal(await offered({ file: FILE }, 'clear'), '')
  const scram = `clara:${HASHES.scram}\nemil:${HASHES.clear}\nfrida:\n`
  assert.equal(await offered({ file: scram }), 'SCRAM-SHA-256 PLAIN LOGIN')
  assert.equal(await offered({ file: scram }, TLS), 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN')
  assert.equal(await offered({ file: scram }, 'clear'), '')
  assert.equal(await offered({ file: scram, withoutTls: true }, 'clear'), 'SCRAM-SHA-256')
  assert.equal(await offered({ file: `emil:${HASHES.clear}\n` }), 'SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN')
  assert.equal(await offered({ file: FILE, mechanisms: ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN'] }), 'SCRAM-SHA-256 CRAM-MD5 PLAIN')
  assert.equal(await offered({ file: FILE, mechanisms: ['PLAIN', 'LOGIN'], withoutTls: true }, 'clear'), '')
  assert.equal(await offered({ file: `anna:${HASHES.argon2}\n`, mechanisms: ['CRAM-MD5', 'SCRAM-SHA-256'] }), '')
})

test('an extra field of Dovecot\'s that shuts somebody out does so here', async () => {
  const file = [`anna:${HASHES.argon2}::::::nologin`, `bert:${HASHES.argon2}::::::allow_nets=192.0.2.0/24,2001:db8::/32`, `clara:${HASHES.argon2}::::::allow_nets=what`, `emil:${HASHES.argon2}::::::nodelay allow_nets=local`].join('\n')
  await on({ file }, async (g) => {
    assert.equal(await logIn(g, 'anna'), '535')
    assert.equal(await logIn(g, 'bert'), 'bert by PLAIN')
    assert.equal(await logIn(g, 'bert', { from: facts(TLS, '2001:db8::1') }), 'bert by PLAIN')
    assert.equal(await logIn(g, 'bert', { from: facts(TLS, '203.0.113.1') }), '535')
    assert.equal(await logIn(g, 'clara'), '535')
    assert.equal(await logIn(g, 'emil'), '535')
    assert.equal(await logIn(g, 'emil', { from: { ...facts(), address: undefined } }), 'emil by PLAIN')
    assert.ok(g.log.has('warn', '/etc/users:3: clara cannot log in: allow_nets'))
  })
})

test('a file that changes counts at once; one that is broken, or gone, is said', async () => {
  await on({ file: `anna:${HASHES.argon2}\n` }, async (g) => {
    assert.equal(await logIn(g, 'bert'), '535')
    g.write('/etc/users', `anna:${HASHES.argon2}\nbert:${HASHES.bcrypt}\ncarl:{ROT13}frperg\n`)
    g.nowMs += 1000
    assert.equal(await logIn(g, 'bert'), 'bert by PLAIN')
    assert.ok(g.log.has('warn', '/etc/users:3: carl cannot log in: {ROT13} is not a scheme'))
    assert.equal(await logIn(g, 'carl'), '535')
    for (const broken of ['anna:\nanna:\n', '', 'a b:c\n']) {
      g.write('/etc/users', broken)
      g.nowMs += 1000
      assert.equal(await logIn(g, 'bert'), 'bert by PLAIN')
    }
    g.disk.fault = { kind: 'error', at: g.disk.calls.length, code: 'EACCES' }
    g.nowMs += 5000
    assert.equal(await logIn(g, 'bert'), '454')
  })
})

test('nobody is told whether the queue was full, or the user unknown: 454 for all', async () => {
  const work = { verify: () => Promise.resolve('busy' as const), derive: () => Promise.resolve('busy' as const), close: () => Promise.resolve() }
  await on({ file: FILE, work }, async (g) => {
    for (const name of ['anna', 'nobody']) assert.equal(await logIn(g, name), '454')
  })
})

test('a bug in an exchange is a 454 and a line in the log, never a rejection', async () => {
  const work = { verify: () => Promise.reject(new Error('broken')), derive: () => Promise.resolve('busy' as const), close: () => Promise.resolve() }
  await on({ file: FILE, work }, async (g) => {
    assert.equal(await logIn(g, 'anna'), '454')
    assert.ok(g.log.has('error', 'broken'))
  })
})
