/** Password schemes against the vectors of their specifications, and the bounds of what a file may ask for. */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { after, test } from 'node:test'
import { hmacContexts, hmacFromContexts, md5 } from '../../../src/submission/md5.ts'
import { parsePassword, type PasswordHash } from '../../../src/submission/password-hash.ts'
import { costOf, createPasswordWork, decoyOf } from '../../../src/submission/password-work.ts'
import { opaqueString, passwordProblem, saslPrep } from '../../../src/submission/prepare.ts'
import { shaCrypt } from '../../../src/submission/sha-crypt.ts'

const troubles: string[] = []
const work = createPasswordWork({ onTrouble: (cause) => troubles.push(cause) })
after(() => work.close())

function hashOf(field: string): PasswordHash {
  const parsed = parsePassword(field)
  assert.ok(parsed.status === 'ok', field)
  return parsed.hash
}

/** All made of the password `secret` by `doveadm pw` of Dovecot 2.3. */
const DOVECOT = [
  '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$ikHAd0xIMQXTh9sT+3HYxA$07lbtnAB5m0qCaoNa8cHpZgjC1Pks2vVX03+gTTz6D8',
  '{BLF-CRYPT}$2y$05$S7CWmaO7232hb0EyBoIeKeEvjCpZieFY16cMd4sgiCN4pZbBC9bya',
  '{SHA512-CRYPT}$6$VcUtZsOmXTZ5jUN9$eelbOwVWkZdKkj5NKReyrhtQLSf4QVs3nuwPS29xd3XfPy6bmgBY.6V/viI91J37sW9Gz/oX2RSN35RQn/LvE0',
  '{SHA512-CRYPT}$6$rounds=6000$JILZJOVDMZr/LLGs$mBknWeV40nbzz8/UBIEuYl6Mw/B/vzpQhhKFYZL/akLF97Mc3U17qg4yjWBVfDQaFuAb9xN5z1vn/vwjremoW.',
  '$6$VcUtZsOmXTZ5jUN9$eelbOwVWkZdKkj5NKReyrhtQLSf4QVs3nuwPS29xd3XfPy6bmgBY.6V/viI91J37sW9Gz/oX2RSN35RQn/LvE0',
  '{CRYPT}$2y$05$S7CWmaO7232hb0EyBoIeKeEvjCpZieFY16cMd4sgiCN4pZbBC9bya',
  '{SHA256-CRYPT}$5$MZNjXqV1uyNf.OAR$BKaRh4dUjF4gkJATo54xEcgllRGT91STeH40vs6N73/',
  '{SCRAM-SHA-256}4096,u8Oc2SVEkgt1ENbuEZeXQA==,sN+tdmHnTcDkOlDCDtE2H4ssGUWLswIzczhQBZuXMhM=,wZhZr5GISLZSg8WPAKFg3YchTTI4QlduxgN3stHp0wE=',
  '{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56',
  '{cram-md5.b64}zTun3qrW5cojRIukLjeXR6ng9/H7wAyKgbuqw5VzG1Y=',
  '{PLAIN}secret',
  '{CLEARTEXT.hex}736563726574',
  '{PLAIN.b64}c2VjcmV0',
]

for (const field of DOVECOT) {
  test(`what Dovecot has written is verified: ${field.slice(0, 24)}`, async () => {
    const hash = hashOf(field)
    assert.equal(await work.verify(hash, 'secret'), 'match')
    for (const wrong of ['Secret', 'secret ', 'secre', '', 's'.repeat(2000)]) assert.equal(await work.verify(hash, wrong), 'mismatch')
    // The decoy costs the same, and is nobody's.
    const decoy = decoyOf(hash)
    assert.equal(costOf(decoy), costOf(hash))
    assert.equal(await work.verify(decoy, 'secret'), 'mismatch')
    assert.deepEqual(troubles, [])
  })
}


const LONG = 'a very much longer text to encrypt.  This one even stretches over morethan one line.'
/** Of the specification of SHA-crypt: password, and salt and hash as crypt(3) writes them. */
const SHA_CRYPT = [
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5', ''],
  ['Hello world!', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA', ''],
  ['This is just a test', '$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5', ''],
  [LONG, '$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1', ''],
  ['we have a short salt string but not a short password', '$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/', ''],
  ['a short string', '$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD', ''],
  ['the minimum number is still observed', '$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC', ''],
  // Fewer than a thousand are a thousand.
  ['the minimum number is still observed', '$5$rounds=10$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC', ''],
  ['Hello world!', '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1', 'malformed'],
  ['Hello world!', '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1', ''],
  ['Hello world!', '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.', ''],
  [LONG, '$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1', ''],
  ['we have a short salt string but not a short password', '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0', ''],
  ['a short string', '$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1', ''],
] as const

test('SHA-crypt: the vectors of the specification', () => {
  for (const [password, whole, more] of SHA_CRYPT) {
    const parsed = parsePassword(more === 'malformed' ? whole : whole + more)
    if (more === 'malformed') {
      assert.equal(parsed.status, 'refused')
      continue
    }
    assert.ok(parsed.status === 'ok' && (parsed.hash.scheme === 'sha256-crypt' || parsed.hash.scheme === 'sha512-crypt'), whole)
    assert.equal(shaCrypt(parsed.hash.scheme, password, parsed.hash), parsed.hash.hash)
  }
  // What is longer than 16 is cut.
  assert.equal(shaCrypt('sha256-crypt', 'Hello world!', { salt: 'saltstringsaltstring', rounds: 10_000 }), '3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA')
})

test('Argon2, scrypt and bcrypt: vectors of their authors', async () => {
  const argon2id = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  // Of libsodium, by `doveadm pw`.
  const argon2i = '$argon2i$v=19$m=32768,t=4,p=1$CA0k4VvRDyS/O+CJjZy+pw$RJVSnNj06isoy85etjllO2a7QQ1IKXpNdZSpQRfEjCE'
  // RFC 7914 §12
  const scrypt = `$scrypt$ln=14,r=8,p=1$${Buffer.from('SodiumChloride').toString('base64')}$${Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887', 'hex').toString('base64')}`
  const bcrypt = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
  for (const [field, password] of [[`{ARGON2ID}${argon2id}`, 'password'], [`{ARGON2I}${argon2i}`, 'password'], [argon2id, 'password'], [`{SCRYPT}${scrypt}`, 'pleaseletmein'], [bcrypt, 'U*U']] as const) {
    assert.equal(await work.verify(hashOf(field), password), 'match', field)
    assert.equal(await work.verify(hashOf(field), `${password}x`), 'mismatch', field)
  }
})

test('MD5 from a state on is the MD5 of node at every length, and CRAM-MD5 is that of RFC 2195', () => {
  for (let length = 0; length < 200; length++) {
    const data = Buffer.alloc(length, length)
    assert.deepEqual(md5(data), createHash('md5').update(data).digest())
    assert.deepEqual(hmacFromContexts(hmacContexts(data), data), createHmac('md5', data).update(data).digest())
  }
  const challenge = Buffer.from('<1896.697170952@postoffice.reston.mci.net>')
  assert.equal(hmacFromContexts(hmacContexts(Buffer.from('tanstaaftanstaaf')), challenge).toString('hex'), 'b913a602c7eda7a495b4e6e7334d3890')
})

test('what would cost too much, or cannot be checked, is refused with what is allowed', () => {
  const tail = '$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  const key = 'A'.repeat(43)
  const cases: readonly (readonly [string, RegExp])[] = [
    [`$argon2id$v=19$m=262145,t=1,p=1${tail}`, /m=262145; allowed: 8 to 262144/],
    [`$argon2id$v=19$m=262144,t=17,p=1${tail}`, /t × m up to 4194304/],
    [`$argon2id$v=19$m=4294967295,t=4294967295,p=1${tail}`, /allowed/],
    [`$argon2id$v=19$m=64,t=1,p=17${tail}`, /p=17; allowed: 1 to 16/],
    [`$argon2id$v=19$m=7,t=1,p=1${tail}`, /m=7/],
    [`$argon2id$v=16$m=64,t=1,p=1${tail}`, /version 16/],
    [`$argon2d$v=19$m=64,t=1,p=1${tail}`, /form/],
    [`{ARGON2I}$argon2id$v=19$m=64,t=1,p=1${tail}`, /form/],
    [`{SCRYPT}$scrypt$ln=22,r=8,p=1$c29tZXNhbHQ$${key}`, /ln=22/],
    [`{SCRYPT}$scrypt$ln=18,r=8,p=16$c29tZXNhbHQ$${key}`, /allowed/],
    [`$2b$16$${'a'.repeat(53)}`, /cost of 16; allowed: 4 to 15/],
    [`$2b$31$${'a'.repeat(53)}`, /cost/],
    [`$2x$10$${'a'.repeat(53)}`, /form/],
    [`$6$rounds=1000001$salt$${'a'.repeat(86)}`, /rounds=1000001; allowed: up to 1000000/],
    [`$6$salt$${'a'.repeat(85)}`, /malformed/],
    [`{SHA512-CRYPT}$5$salt$${'a'.repeat(43)}`, /begin with \$6\$/],
    [`{SCRAM-SHA-256}1000001,c2FsdA==,${key}=,${key}=`, /1000001 iterations/],
    [`{SCRAM-SHA-256}0,c2FsdA==,${key}=,${key}=`, /0 iterations/],
    [`{SCRAM-SHA-256}4096,c2FsdA==,${key}=`, /form/],
    ['{CRAM-MD5}cd3b', /64 hexadecimal/],
    ['$y$j9T$abc$def', /\$y\$ cannot be checked/],
    ['$1$abc$def', /\$1\$/],
    ['{SSHA}abcdef', /\{SSHA\} is not a scheme/],
    ['{PLAIN.rot13}abc', /encoding/],
    ['{PLAIN', /malformed/],
    ['secret', /no scheme/],
  ]
  for (const [field, why] of cases) {
    const parsed = parsePassword(field)
    assert.ok(parsed.status === 'refused', field)
    assert.match(parsed.why, why)
    assert.ok(!parsed.why.includes('secret') && !parsed.why.includes('CTFhFdXPJO'), 'the password stands in the message')
  }
  for (const none of ['', '*', '!', '!$6$salt$x', 'x']) assert.equal(parsePassword(none).status, 'none')
})

test('a password is the same however it was typed', async () => {
  const composed = 'caf\u00e9 1'
  const decomposed = 'cafe\u0301\u00a01'
  assert.equal(opaqueString(decomposed), composed)
  assert.equal(await work.verify(hashOf(`{PLAIN}${composed}`), decomposed), 'match')
  // As Dovecot would have hashed it, which prepares nothing.
  assert.equal(await work.verify({ scheme: 'cram-md5', contexts: hmacContexts(Buffer.from(decomposed)) }, decomposed), 'match')
  // RFC 4013 §3
  assert.equal(saslPrep('I\u00adX'), 'IX')
  assert.equal(saslPrep('\u00aa'), 'a')
  assert.equal(saslPrep('\u2168'), 'IX')
  assert.equal(passwordProblem('ok'), undefined)
  for (const bad of ['', 'a\tb', 'a\0', '\ud800', 'x'.repeat(1025)]) assert.match(passwordProblem(bad) ?? '', /\S/)
})
