/** One account, two names: `anna` of the file is also `anna@` each of our domains, and counts as one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, facts, ground, HASHES, logIn, outcome, plain, TLS, withCertificate, type Ground } from './authenticator-fixture.ts'

async function withGround(options: Parameters<typeof ground>[0], work: (g: Ground) => Promise<void>): Promise<void> {
  const g = await ground({ file: `anna:${HASHES.cram}\n`, ...options })
  try {
    await work(g)
  } finally {
    await g.close()
  }
}

const NAMES = ['anna', 'Anna@example.org', 'anna@EXAMPLE.com']
const from = (network: number): ReturnType<typeof facts> => facts(TLS, `10.0.${network}.1`)

test('failures under any of its names lock the account', async () => {
  await withGround({}, async (g) => {
    for (let i = 0; i < 20; i++) assert.equal(await logIn(g, NAMES[i % 3] ?? '', { password: 'wrong', from: from(i) }), '535')
    for (const name of NAMES) assert.equal(await logIn(g, name, { from: from(30) }), '454')
    assert.equal(await logIn(g, 'anna@elsewhere.example', { from: from(30) }), '535', 'somebody else')
  })
})

test('where it has logged in under one name it is known under all', async () => {
  await withGround({}, async (g) => {
    assert.equal(await logIn(g, 'anna@example.org', { from: from(100) }), 'anna by PLAIN')
    for (let i = 0; i < 20; i++) await logIn(g, 'anna', { password: 'wrong', from: from(i) })
    for (const name of NAMES) {
      assert.equal(await logIn(g, name, { from: from(100) }), 'anna by PLAIN')
      assert.equal(await logIn(g, name, { from: from(30) }), '454')
    }
  })
})

test('an authorization identity under another of its names is its own', async () => {
  await withGround({}, async (g) => {
    assert.equal(outcome(await begin(g, 'PLAIN').step(plain('anna', 'secret', 'anna@example.org'))), 'anna by PLAIN')
    assert.equal(outcome(await begin(g, 'PLAIN').step(plain('anna', 'secret', 'anna@elsewhere.example'))), '535')
  })
})

test('an address in a certificate is the account that is named without the domain', async () => {
  const own = withCertificate({ authorized: true, addresses: ['anna@example.org'] })
  const foreign = withCertificate({ authorized: true, addresses: ['anna@elsewhere.example'] })
  await withGround({ certificates: { mode: 'instead', map: undefined } }, async (g) => {
    for (const asked of ['', ...NAMES]) assert.equal(outcome(await begin(g, 'EXTERNAL', facts(own)).step(Buffer.from(asked))), 'anna by EXTERNAL', asked)
    assert.ok(!g.authenticator.mechanisms(foreign).includes('EXTERNAL'))
  })
  await withGround({ certificates: { mode: 'second', map: undefined } }, async (g) => {
    for (const name of NAMES) assert.equal(await logIn(g, name, { from: facts(own) }), 'anna by PLAIN')
    assert.equal(await logIn(g, 'anna', { from: facts(foreign) }), '535')
    assert.equal(await logIn(g, 'anna'), '535')
  })
})

test('-PLUS is for connections that clients bind to by an exporter: not before TLS 1.3', async () => {
  await withGround({ file: `sam:${HASHES.scram}\n` }, async (g) => {
    const endPointOnly = { ...TLS, channelBinding: (type: string) => (type === 'tls-server-end-point' ? Buffer.alloc(32) : undefined) }
    assert.deepEqual(g.authenticator.mechanisms(TLS).filter((name) => name.startsWith('SCRAM')), ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'])
    assert.deepEqual(g.authenticator.mechanisms(endPointOnly).filter((name) => name.startsWith('SCRAM')), ['SCRAM-SHA-256'])
    await Promise.resolve()
  })
})
