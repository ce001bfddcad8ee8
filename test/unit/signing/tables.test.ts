import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { SigningKeys } from '../../../src/signing/signing-keys.ts'
import type { SigningProblem } from '../../../src/signing/problem.ts'
import { describeSigningProblem } from '../../../src/signing/problem.ts'
import { parseTable, tableFile } from '../../../src/signing/table-file.ts'
import { matchesWildcard } from '../../../src/signing/wildcard.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { folder, key, put, recordingLog, request, ROOT, settings } from './signing-fixture.ts'

const where = folder()
put(join(where, 'keys/a.example/mail.private'), key('a').pem)
put(join(where, 'keys/b.example/mail.private'), key('b').pem)
put(join(where, 'keys/notes/README'), '')
put(join(where, 'ed.pem'), key('ed').pem)

let count = 0

interface Tables {
  readonly keys: string
  readonly signing: string
  readonly kind?: 'file' | 'refile'
  readonly keyKind?: 'file' | 'refile'
  readonly multiple?: boolean
}

function load({ keys, signing, kind = 'refile', keyKind = 'file', multiple = false }: Tables): SigningKeys | readonly SigningProblem[] {
  const number = ++count
  const tables = {
    keyTable: { kind: keyKind, path: put(join(where, `KeyTable${number}`), keys) },
    signingTable: { kind, path: put(join(where, `SigningTable${number}`), signing) },
    multipleSignatures: multiple, addressFields: ['from'] as const,
  }
  const loaded = SigningKeys.load(settings({ tables }), { resolver: zoneMap({}), log: recordingLog().log, now: () => 0, reader: ROOT })
  return loaded.status === 'loaded' ? loaded.signing : loaded.problems
}

function open(tables: Tables): SigningKeys {
  const loaded = load(tables)
  if (loaded instanceof SigningKeys) return loaded
  throw new Error(loaded.map(describeSigningProblem).join('\n'))
}

function signers(signing: SigningKeys, from: string): string {
  const decision = signing.decide(request(from))
  return decision.status !== 'sign' ? '' : decision.orders.map(({ key: one, identity }) => `${one.selector}@${one.domain}${identity === undefined ? '' : ` i=${identity}`}`).join(' ')
}

const KEYS = `# name  domain:selector:path
mail._domainkey.a.example a.example:mail:${where}/keys/a.example/mail.private
b      b.example:mail:./keys/b.example/mail.private   # relative to the table
third  esp.example:e1:${where}/ed.pem
`

test('patterns in the order of the file, the first alone', () => {
  const signing = open({ keys: KEYS, signing: '# comment\n\nboss@a.example third\n*@a.example\tmail._domainkey.a.example\n*@*.a.example b\n*.example third\n' })
  assert.equal(signers(signing, 'x@a.example'), 'mail@a.example')
  assert.equal(signers(signing, 'X@A.EXAMPLE'), 'mail@a.example')
  assert.equal(signers(signing, 'boss@a.example'), 'e1@esp.example')
  assert.equal(signers(signing, 'x@sub.a.example'), 'mail@b.example')
  assert.equal(signers(signing, 'x@c.example'), 'e1@esp.example')
  assert.equal(signers(signing, 'x@c.test'), '')
})

test('with MultipleSignatures every match signs, also several keys of one domain and kind', () => {
  const keys = `${KEYS}second a.example:second:${where}/keys/b.example/mail.private\n`
  const signing = open({ keys, signing: '*@a.example mail._domainkey.a.example\n*@a.example second\n* third\n', multiple: true })
  assert.equal(signers(signing, 'x@a.example'), 'mail@a.example second@a.example e1@esp.example')
})

test('a plain table is asked for the address, the host, the domains above with and without the user, and everybody', () => {
  const order = ['ada@sub.a.example', 'sub.a.example', 'ada@.a.example', '.a.example', 'ada@.example', '.example', 'ada@*', '*']
  const keys = order.map((_, i) => `k${i} a.example:k${i}:${where}/ed.pem\n`).join('')
  const lines = order.map((one, i) => `${one} k${i}\n`)
  for (const [i] of order.entries()) {
    // In whatever order they stand there: the first that is left counts.
    const signing = open({ keys, signing: lines.slice(i).reverse().join(''), kind: 'file' })
    assert.equal(signers(signing, 'Ada@sub.a.example'), `k${i}@a.example`)
  }
  const all = open({ keys, signing: lines.join(''), kind: 'file', multiple: true })
  assert.equal(signers(all, 'ada@sub.a.example'), order.map((_, i) => `k${i}@a.example`).join(' '))
  // A pattern is text in a plain table.
  assert.equal(signers(open({ keys, signing: '*@a.example k0\n', kind: 'file' }), 'ada@a.example'), '')
  assert.equal(signers(open({ keys, signing: '.a.example k0\n', kind: 'file' }), 'ada@a.example'), '')
})

test('% is the sender\'s domain: for the name of the key, for d=, in the path, in i=', () => {
  const signing = open({ keys: `a.example %:mail:${where}/keys/%/mail.private\nb.example %:mail:${where}/keys/%/mail.private\n`, signing: '*@*.example %:@%\n' })
  assert.equal(signers(signing, 'x@a.example'), 'mail@a.example i=@a.example')
  assert.equal(signers(signing, 'x@b.example'), 'mail@b.example i=@b.example')
  assert.equal(signers(signing, 'x@c.example'), '')
  assert.deepEqual(signing.keys.map(({ domain, file }) => `${domain} ${file.slice(where.length)}`).sort(), ['a.example /keys/a.example/mail.private', 'b.example /keys/b.example/mail.private'])
  const decision = signing.decide(request('x@b.example'))
  assert.ok(decision.status === 'sign')
  assert.equal(decision.orders[0]?.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), key('b').pem)
})

test('one key for every domain: each sender\'s domain signs with it', () => {
  const signing = open({ keys: `all %:all:${where}/ed.pem\n`, signing: '* all\n' })
  assert.equal(signers(signing, 'x@a.example'), 'all@a.example')
  assert.equal(signers(signing, 'x@b.example'), 'all@b.example')
  assert.deepEqual(signing.keys, [])
})

test('a name out of a message never becomes a part of a path', () => {
  const signing = open({ keys: `%  %:mail:${where}/keys/%/mail.private\nx %:mail:${where}/keys/%/mail.private\n`, signing: '* x\n' })
  for (const from of ['x@notes', 'x@..', 'x@a.example/../b.example', 'x@%', 'x@keys/a.example']) assert.equal(signers(signing, from), '', from)
})

test('i= counts only under d=', () => {
  const signing = open({ keys: KEYS, signing: '1@* b:sales@sub.b.example\n2@* b:sales@other.example\n3@* b:@%\n4@* b:nobody\n5@* b:@xb.example\n' })
  assert.equal(signers(signing, '1@b.example'), 'mail@b.example i=sales@sub.b.example')
  assert.equal(signers(signing, '2@b.example'), 'mail@b.example')
  assert.equal(signers(signing, '3@sub.b.example'), 'mail@b.example i=@sub.b.example')
  assert.equal(signers(signing, '3@a.example'), 'mail@b.example')
  assert.equal(signers(signing, '4@b.example'), 'mail@b.example')
  assert.equal(signers(signing, '5@b.example'), 'mail@b.example')
})

test('a key table of patterns, and keys within the table', () => {
  const der = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64')
  assert.equal(signers(open({ keys: `*.example %:mail:${where}/ed.pem\n`, keyKind: 'refile', signing: '* %\n' }), 'x@a.example'), 'mail@a.example')
  assert.equal(signers(open({ keys: `k a.example:s:${der}\n`, signing: '* k\n' }), 'x@a.example'), 's@a.example')
})

test('what is wrong is told with file and line', () => {
  const problems = (tables: Tables): readonly string[] => {
    const loaded = load(tables)
    return loaded instanceof SigningKeys ? [] : loaded.map((one) => describeSigningProblem(one).replaceAll(`${where}/`, '').replace(/Table\d+/g, 'Table').replace(/; allowed.*/, ''))
  }
  assert.deepEqual(problems({ keys: KEYS, signing: '*@a.example nowhere\n*@b.example b\nlonely\n' }), ['SigningTable:3: "lonely" stands there without a value'])
  assert.deepEqual(problems({ keys: KEYS, signing: '*@a.example nowhere\n*@b.example b\n' }), ['SigningTable:1: names the key "nowhere", which KeyTable does not have'])
  assert.deepEqual(problems({ keys: `one a.example:s:${where}/none.pem\ntwo a.example:s\nthree a b:s:/x\nfour a.example:-:/x\n`, signing: '1@* one\n2@* two\n3@* three\n4@* four\n' }), [
    'KeyTable:1: none.pem is not there',
    'KeyTable:2: the value of "two" has 2 parts',
    'KeyTable:3: "a b" is no domain',
    'KeyTable:4: "-" is no selector',
  ])
  // A broken key that no sender leads to does no harm.
  assert.deepEqual(problems({ keys: `${KEYS}broken a.example:x:/nowhere\n`, signing: '* b\n' }), [])
  assert.match(problems({ keys: 'k a.example:s:c2VjcmV0\n', signing: '* k\n' })[0] ?? '', /^KeyTable:1: is neither the path/)
})

test('tables that cannot be read', () => {
  const tables = { keyTable: { kind: 'file', path: join(where, 'none') }, signingTable: { kind: 'file', path: where }, multipleSignatures: false, addressFields: ['from'] } as const
  const loaded = SigningKeys.load(settings({ tables }), { resolver: zoneMap({}), log: recordingLog().log, now: () => 0, reader: ROOT })
  assert.ok(loaded.status === 'refused')
  assert.deepEqual(loaded.problems.map(({ problem }) => problem), ['is not there', 'is no file'])
})

test('what a table is called', () => {
  assert.deepEqual(tableFile('refile:/etc/dkim/SigningTable'), { status: 'ok', table: { kind: 'refile', path: '/etc/dkim/SigningTable' } })
  assert.deepEqual(tableFile('/etc/dkim/KeyTable'), { status: 'ok', table: { kind: 'file', path: '/etc/dkim/KeyTable' } })
  for (const text of ['dsn:mysql://x', 'ldap://x', 'csl:a,b', 'lua:/x', 'refile:', '/etc/keys.db', '']) assert.equal(tableFile(text).status, 'refused', text)
})

test('bounds of a table, and which of two same keys counts', () => {
  const file = { kind: 'file', path: '/t' } as const
  assert.equal(parseTable('x y\n'.repeat(50_001), file).status, 'refused')
  const reading = parseTable('A one\r\na two\n', file)
  assert.ok(reading.status === 'read')
  assert.deepEqual(reading.table.find('a'), { key: 'a', value: 'one', line: 1 })
})

test('wildcards', () => {
  for (const [pattern, text, expected] of [
    ['*', '', true], ['*', 'x', true], ['a*c', 'abbc', true], ['a*c', 'ac', true], ['a*c', 'acb', false], ['*@a', 'x@a', true], ['*@a', 'x@ab', false],
    ['a.c', 'abc', false], ['a?c', 'abc', false], ['*a*b*', 'xxaxxbxx', true], ['*a*b', 'ab ab', true], ['', '', true], ['', 'a', false], ['[a]', 'a', false],
  ] as const) assert.equal(matchesWildcard(pattern, text), expected, `${pattern} ${text}`)
  // Quadratic at the most: this would take for ever with backtracking.
  assert.equal(matchesWildcard('*a'.repeat(100) + 'b', 'a'.repeat(5000)), false)
})

test('thousands of domains are looked up, in the order of the file', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `*@d${i}.example third\n`)
  lines.splice(2500, 0, '*@d4000.* b\n', '*@d1.* b\n')
  const signing = open({ keys: KEYS, signing: lines.join('') })
  assert.equal(signers(signing, 'x@d4000.example'), 'mail@b.example')
  assert.equal(signers(signing, 'x@d1.example'), 'e1@esp.example')
  assert.equal(signers(signing, 'x@d4999.example'), 'e1@esp.example')
})
