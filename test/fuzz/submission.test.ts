/** Logins and the files about them: any bytes give an answer or a sentence, soon, and nobody gets in by them. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { parseUsers } from '../../src/delivery/users.ts'
import { parseCertificateMap } from '../../src/submission/certificates.ts'
import { DovecotLines, parseDovecotLine } from '../../src/submission/dovecot-wire.ts'
import { parsePasswords } from '../../src/submission/password-file.ts'
import { KNOWN_SCHEMES, parsePassword } from '../../src/submission/password-hash.ts'
import { decoyOf } from '../../src/submission/password-work.ts'
import { parseCram } from '../../src/submission/sasl-cram-md5.ts'
import { parsePlain } from '../../src/submission/sasl-password.ts'
import { parseClientFinal, parseClientFirst } from '../../src/submission/scram-messages.ts'
import { maySendAs, parseSenders } from '../../src/submission/send-as.ts'
import { addUser, changePassword, listUsers, removeUser } from '../../src/submission/users-edit.ts'
import { fuzz } from '../support/fuzzing.ts'
import { domains } from '../unit/delivery/local-fixture.ts'
import { begin, facts, ground, HASHES, PLAIN_TLS, TLS, type Ground } from '../unit/submission/authenticator-fixture.ts'

const OURS = domains('example.org', 'example.com')
const HASH_WORDS = ['{', '}', '$', ',', '=', '.', ':', 'm=', 't=', 'p=', 'ln=', 'r=', 'rounds=', 'v=19', '0', '1', '4096', '65536', '999999999', '4294967296', '$argon2id$', '$scrypt$', '$2b$10$', '$5$', '$6$', 'c29tZXNhbHQ', 'A'.repeat(43), 'a'.repeat(53), 'a'.repeat(86), '.b64', '.hex', '!', '*', 'x', ...KNOWN_SCHEMES.split(', ').map((scheme) => `{${scheme}}`)]
const VALID = [...Object.values(HASHES), '{SCRYPT}$scrypt$ln=14,r=8,p=1$c29tZXNhbHQ$' + 'A'.repeat(43), '{SHA512-CRYPT}$6$rounds=6000$salt$' + 'a'.repeat(86), '{PLAIN.b64}c2VjcmV0']

fuzz('passwords of a users file', 30_000, (random) => {
  const field = random.chance(0.5) ? random.spoil(random.pick(VALID), HASH_WORDS) : random.soup(HASH_WORDS, 12)
  const parsed = parsePassword(field)
  if (parsed.status === 'refused') return assert.match(parsed.why, /\S{3}/)
  if (parsed.status === 'none') return
  // What was taken costs no more than is allowed, and can be stood for.
  const { hash } = parsed
  if (hash.scheme === 'argon2id' || hash.scheme === 'argon2i') assert.ok(hash.memoryKiB <= 262_144 && hash.passes * hash.memoryKiB <= 4_194_304 && hash.lanes <= 16)
  if (hash.scheme === 'scrypt') assert.ok(128 * 2 ** hash.ln * hash.blockSize * hash.lanes <= 2 ** 30)
  if (hash.scheme === 'bcrypt') assert.ok(hash.cost <= 15)
  if (hash.scheme === 'sha256-crypt' || hash.scheme === 'sha512-crypt') assert.ok(hash.rounds >= 1000 && hash.rounds <= 1_000_000)
  if (hash.scheme === 'scram-sha-256') assert.ok(hash.iterations >= 1 && hash.iterations <= 1_000_000)
  assert.equal(decoyOf(hash).scheme, hash.scheme)
})

const FILE = `# users\nanna:${HASHES.argon2}:1000:1000::/home/anna\nbert@example.org:${HASHES.scram}::::::allow_nets=192.0.2.0/24\n\ncarl\n`
const FILE_WORDS = ['\n', '\r\n', ':', '::::::', 'anna', 'bert@example.org', '@', ' ', '#', 'nologin', 'allow_nets=', '10.0.0.0/8', '::1', ',', 'local', '\0', '\u202e', 'ü', '/', ...HASH_WORDS]

fuzz('users files', 10_000, (random) => {
  const text = random.chance(0.7) ? random.spoil(FILE, FILE_WORDS) : random.soup(FILE_WORDS, 40)
  const parsed = parsePasswords(text, OURS)
  // Deliveries and logins agree on who is there.
  const users = parseUsers(text)
  assert.equal(parsed.status, users.status)
  if (parsed.status === 'malformed') {
    assert.deepEqual(parsed.problems, users.status === 'malformed' ? users.problems : [])
    for (const edit of [addUser(text, 'zoe', '{X}'), changePassword(text, 'anna', '{X}'), removeUser(text, 'anna')]) assert.equal(edit.status, 'malformed')
    return
  }
  const { value } = parsed
  assert.ok(value.abilities.users <= value.size && value.abilities.scram <= value.abilities.users)
  const added = addUser(text, 'zoe', HASHES.argon2)
  if (added.status !== 'edited') return assert.equal(added.status, 'exists')
  const again = parsePasswords(added.text, OURS)
  assert.ok(again.status === 'ok' && again.value.find('zoe')?.hash?.scheme === 'argon2id')
  const gone = removeUser(added.text, 'zoe')
  assert.ok(gone.status === 'edited')
  const listed = listUsers(gone.text)
  assert.ok(listed.status === 'ok' && !listed.users.some(({ name }) => name === 'zoe'))
  // Nobody else was touched.
  for (const name of ['anna', 'bert@example.org', 'carl']) assert.deepEqual(again.value.find(name)?.hash, value.find(name)?.hash)
})

const MAP_WORDS = ['\n', ' ', ', ', '@', 'anna', 'info@example.org', '@example.org', '#', ':', 'ab'.repeat(32), 'AB:'.repeat(31) + 'AB', 'ü', '\0', '+', '"', '[192.0.2.1]']
const ADDRESSES = ['info@example.org', 'anna@example.org', 'anna+x@example.com', '@', 'x@', '@example.org', '"a b"@example.org', 'é@example.org', '']

fuzz('maps of senders and certificates', 20_000, (random) => {
  const text = random.chance(0.5) ? random.soup(MAP_WORDS, 30) : random.spoil('info@example.org anna, bert\n@example.org carl\n', MAP_WORDS)
  for (const parsed of [parseSenders(text), parseCertificateMap(text)]) {
    if (parsed.status === 'malformed') for (const { line, what } of parsed.problems) assert.ok(line >= 1 && what.length > 5)
  }
  const senders = parseSenders(text)
  const address = random.chance(0.5) ? random.pick(ADDRESSES) : random.soup(MAP_WORDS, 4)
  // A login that no line names may be itself and nobody else.
  if (senders.status === 'ok' && maySendAs({ senders: senders.value, users: undefined, domains: OURS, suffix: '+' }, 'zoe', address)) assert.match(address, /^zoe(?:\+.*)?@/s)
})

const SASL_WORDS = ['n,,', 'y,,', 'p=tls-exporter,,', 'n=', 'a=', 'r=', 'c=', 'p=', 'm=', ',', '=', '=2C', '=3D', '\0', 'anna', 'bert@example.org', 'biws', 'A'.repeat(43) + '=', ' ', '0'.repeat(32), 'ü', '\xff']
const SASL_VALID = ['n,,n=anna,r=abc', 'c=biws,r=abc,p=' + 'A'.repeat(43) + '=', '\0anna\0wrong', 'anna ' + '0'.repeat(32)]

fuzz('SASL messages', 30_000, (random) => {
  const text = random.chance(0.5) ? random.spoil(random.pick(SASL_VALID), SASL_WORDS) : random.soup(SASL_WORDS, 12)
  const first = parseClientFirst(text)
  if (first !== null) assert.ok(first.name !== '' && first.nonce !== '' && text.startsWith(first.gs2Header) && text.endsWith(first.bare))
  const final = parseClientFinal(text)
  if (final !== null) assert.ok(final.proof.length === 32 && text.startsWith(final.withoutProof))
  const bytes = Buffer.from(text, 'latin1')
  const plain = parsePlain(bytes)
  if (plain !== null) assert.deepEqual(Buffer.from(`${plain.authzid}\0${plain.name}\0${plain.password}`), bytes)
  const cram = parseCram(bytes)
  if (cram !== null) assert.equal(cram.digest.length, 16)
})

let shared: Ground | undefined
after(async () => shared?.close())

fuzz('exchanges', 1500, async (random) => {
  shared ??= await ground({ file: `anna:${HASHES.clear}\nbert@example.org:${HASHES.scram}\n`, withoutTls: true, mechanisms: ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'CRAM-MD5'] })
  // Nobody is locked out any more.
  shared.nowMs += 3_600_000
  const tls = random.pick([TLS, PLAIN_TLS])
  const mechanism = random.pick(['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'CRAM-MD5'])
  const exchange = begin(shared, mechanism, { ...facts(tls), address: undefined })
  for (let i = 0; i < 6; i++) {
    const response = random.chance(0.2) ? null : Buffer.from(random.chance(0.5) ? random.spoil(random.pick(SASL_VALID), SASL_WORDS) : random.soup(SASL_WORDS, 8), 'latin1')
    const step = await exchange.step(response)
    assert.notEqual(step.status, 'authenticated')
    if (step.status === 'refused') {
      assert.ok([454, 500, 501, 535].includes(step.reply.status))
      break
    }
    if (random.chance(0.1)) exchange.abort()
  }
  exchange.abort()
  assert.ok(!shared.log.lines.some(({ level }) => level === 'error'))
  shared.log.lines.length = 0
})

const DOVECOT_WORDS = ['VERSION\t1\t2', 'MECH\tPLAIN', 'DONE', 'OK\t1', 'FAIL\t1', 'CONT\t1', '\t', '\n', 'user=anna', 'temp', '=', 'YWJj', '\x01t', '\x01', '-1', '99999999999']

fuzz('lines of Dovecot', 20_000, (random) => {
  const bytes = Buffer.from(random.soup(DOVECOT_WORDS, 30), 'latin1')
  const whole = new DovecotLines().push(bytes)
  const lines = new DovecotLines()
  assert.deepEqual(random.pieces(bytes).flatMap((piece) => lines.push(piece)), whole)
  for (const line of whole) {
    const parsed = parseDovecotLine(line)
    if (parsed.word === 'ok' || parsed.word === 'fail' || parsed.word === 'continue') assert.ok(Number.isSafeInteger(parsed.id) && parsed.id >= 0)
  }
})
