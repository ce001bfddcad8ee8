/** Whom a certificate stands for where the users are not known here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ground, HASHES, withCertificate, type GroundOptions } from './authenticator-fixture.ts'

const DOVECOT = { socket: { path: '/nowhere/auth' }, timeoutMs: 100 }

async function offered(options: GroundOptions, address: string): Promise<boolean> {
  const g = await ground({ certificates: { mode: 'instead', map: options.map === undefined ? undefined : '/etc/map' }, ...options })
  try {
    return g.authenticator.mechanisms(withCertificate({ authorized: true, addresses: [address] })).includes('EXTERNAL')
  } finally {
    await g.close()
  }
}

test('an address that no list of ours names counts at a domain of ours only', async () => {
  assert.equal(await offered({ dovecot: DOVECOT }, 'anna@example.org'), true)
  assert.equal(await offered({ dovecot: DOVECOT }, 'anyone@stranger.example'), false)
  assert.equal(await offered({ dovecot: DOVECOT, file: `bert@stranger.example:${HASHES.argon2}\n` }, 'anyone@stranger.example'), false)
  assert.equal(await offered({ dovecot: DOVECOT, file: `bert@stranger.example:${HASHES.argon2}\n` }, 'bert@stranger.example'), true)
  assert.equal(await offered({ dovecot: DOVECOT, map: 'anyone@stranger.example anna\n' }, 'anyone@stranger.example'), true)
  assert.equal(await offered({ file: `bert:${HASHES.argon2}\n` }, 'anyone@stranger.example'), false)
})
