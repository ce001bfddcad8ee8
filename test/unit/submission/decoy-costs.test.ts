/** An unknown user costs what some user costs, always the same, so that time does not tell whom the file has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PasswordWork } from '../../../src/submission/password-work.ts'
import { DEFAULT_GUARD } from '../../../src/submission/settings.ts'
import { ground, HASHES, logIn } from './authenticator-fixture.ts'

test('where schemes differ, decoys have them in proportion', async () => {
  const seen: string[] = []
  const work: PasswordWork = { verify: (hash) => (seen.push(hash.scheme), Promise.resolve('mismatch')), derive: () => Promise.resolve('busy'), close: () => Promise.resolve() }
  const g = await ground({ file: `anna:${HASHES.argon2}\nbert:${HASHES.argon2}\ncarl:${HASHES.bcrypt}\n`, work, guard: { ...DEFAULT_GUARD, perAddress: 10_000, perNetwork: 10_000 } })
  for (let i = 0; i < 300; i++) await logIn(g, `nobody${i}`)
  const bcrypt = seen.filter((scheme) => scheme === 'bcrypt').length
  assert.ok(bcrypt > 60 && bcrypt < 140, `${bcrypt} of 300`)
  const first = seen.splice(0)
  for (let i = 0; i < 300; i++) await logIn(g, `NOBODY${i}@example.org`)
  assert.deepEqual(seen, first)
})
