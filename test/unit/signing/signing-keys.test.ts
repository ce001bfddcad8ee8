import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SigningOrder } from '../../../src/auth/dkim/signing-order.ts'
import { SigningKeys, type SigningContext } from '../../../src/signing/signing-keys.ts'
import type { SigningKeySettings, SigningSettings } from '../../../src/signing/settings.ts'
import type { SigningRequest } from '../../../src/signing/signing.ts'
import { zoneMap, type ZoneMap } from '../../support/zone-map.ts'
import { folder, key, keySettings, put, recordingLog, request, ROOT, settings, type Line } from './signing-fixture.ts'

const where = folder()
const file = (name: string): string => put(join(where, `${name}.pem`), key(name).pem)
const A = file('a')
const B = file('b')
const ED = file('ed')

interface Opened {
  readonly signing: SigningKeys
  readonly zone: ZoneMap
  readonly lines: readonly Line[]
  advance(ms: number): void
}

function open(some: Partial<SigningSettings>, zone: ZoneMap = zoneMap({})): Opened {
  const { log, lines } = recordingLog()
  let now = 0
  const context: SigningContext = { resolver: zone, log, now: () => now, random: () => 0, reader: ROOT }
  const load = SigningKeys.load(settings(some), context)
  if (load.status !== 'loaded') throw new Error(JSON.stringify(load.problems))
  return { signing: load.signing, zone, lines, advance: (ms) => void (now += ms) }
}

const keys = (...list: readonly SigningKeySettings[]): Opened => open({ keys: list })

function orders(opened: Opened, asked: SigningRequest): readonly SigningOrder[] {
  const decision = opened.signing.decide(asked)
  return decision.status === 'sign' ? decision.orders : []
}

/** as `s1._domainkey.a.example` */
function signers(opened: Opened, asked: SigningRequest): string {
  return orders(opened, asked).map(({ key: { selector, domain } }) => `${selector}@${domain}`).join(' ')
}

test('a key signs mail of exactly its domain', () => {
  const opened = keys(keySettings('a.example', 's1', { key: A }))
  assert.equal(signers(opened, request('Ada <ada@a.example>')), 's1@a.example')
  assert.equal(signers(opened, request('Ada <ada@A.Example>')), 's1@a.example')
  assert.equal(signers(opened, request('ada@sub.a.example')), '')
  assert.equal(signers(opened, request('ada@xa.example')), '')
  assert.equal(signers(opened, request('ada@example')), '')
})

test('with subdomains it signs for all below, with its own d=', () => {
  const opened = keys(keySettings('a.example', 's1', { key: A, subdomains: true }))
  assert.equal(signers(opened, request('x@deep.sub.a.example')), 's1@a.example')
  assert.equal(signers(opened, request('x@a.example')), 's1@a.example')
  assert.equal(signers(opened, request('x@ba.example')), '')
})

test('a domain in Unicode has the key of its A-labels', () => {
  const opened = keys(keySettings('xn--bcher-kva.example', 's1', { key: A }))
  assert.equal(signers(opened, request('Ada <ada@bücher.example>')), 's1@xn--bcher-kva.example')
})

test('RSA and Ed25519 of one domain sign both, RSA on top; a destination of one signature gets RSA', () => {
  const list = [keySettings('a.example', 'e1', { key: ED }), keySettings('a.example', 's1', { key: A })]
  const opened = open({ keys: list, singleSignature: ['old.example', '.narrow.example'] })
  assert.equal(signers(opened, request('x@a.example')), 's1@a.example e1@a.example')
  for (const to of ['old.example', 'narrow.example', 'mx.narrow.example']) assert.equal(signers(opened, request('x@a.example', { to: ['b.example', to] })), 's1@a.example')
  assert.equal(signers(opened, request('x@a.example', { to: ['sub.old.example'] })), 's1@a.example e1@a.example')
})

test('by sender, by user, by listener, by List-Id', () => {
  const opened = keys(
    keySettings('one.example', 's1', { key: A, senders: ['ada@a.example', '@b.example', '@.c.example'] }),
    keySettings('two.example', 's2', { key: B, senders: ['*'], users: ['bob'], listeners: ['submission'] }),
    keySettings('lists.example', 's3', { key: ED, listIds: ['tea.lists.example', '.all.example'] }),
  )
  assert.equal(signers(opened, request('Ada@A.example')), 's1@one.example')
  assert.equal(signers(opened, request('eve@a.example')), '')
  assert.equal(signers(opened, request('x@b.example')), 's1@one.example')
  assert.equal(signers(opened, request('x@sub.c.example')), 's1@one.example')
  assert.equal(signers(opened, request('x@c.example')), '')
  assert.equal(signers(opened, request('x@z.example', { login: 'Bob', listener: 'submission' })), 's2@two.example')
  assert.equal(signers(opened, request('x@z.example', { login: 'bob', listener: 'out' })), '')
  assert.equal(signers(opened, request('x@z.example', { listener: 'submission' })), '')
  const list = (id: string, login?: string): SigningRequest => request('', { fields: ['From: x@z.example', `List-Id: ${id}`], ...(login === undefined ? {} : { login }) })
  assert.equal(signers(opened, list('Tea <TEA.lists.example>')), 's3@lists.example')
  assert.equal(signers(opened, list('<one.all.example>')), 's3@lists.example')
  assert.equal(signers(opened, list('<coffee.lists.example>')), '')
  // Anybody can write a List-Id.
  assert.equal(signers(opened, list('<tea.lists.example>', 'bob')), '')
})

test('a List-Id that stands twice is none; a user whom the entry names may have it signed', () => {
  const opened = keys(keySettings('lists.example', 's3', { key: A, listIds: ['tea.lists.example'], users: ['mlm'] }))
  const fields = ['From: x@z.example', 'List-Id: <tea.lists.example>']
  assert.equal(signers(opened, request('', { fields, login: 'mlm' })), 's3@lists.example')
  assert.equal(signers(opened, request('', { fields: [...fields, 'List-Id: <other.example>'], login: 'mlm' })), '')
})

test('Sender counts only where the key says so', () => {
  const fields = ['From: x@z.example', 'Sender: ada@a.example']
  assert.equal(signers(keys(keySettings('a.example', 's1', { key: A })), request('', { fields })), '')
  assert.equal(signers(keys(keySettings('a.example', 's1', { key: A, addressFields: ['sender', 'from'] })), request('', { fields })), 's1@a.example')
  assert.equal(signers(keys(keySettings('a.example', 's1', { key: A, addressFields: ['sender', 'from'] })), request('ada@a.example')), 's1@a.example')
})

const UNCLEAR: readonly [string, readonly string[], RegExp][] = [
  ['two authors', ['From: ada@a.example, eve@b.example'], /several addresses/],
  ['two authors of one domain', ['From: ada@a.example, eve@a.example'], /several addresses/],
  ['two From fields', ['From: ada@a.example', 'From: ada@a.example'], /there are 2 From fields/],
  ['no From', ['To: b@b.example'], /no From field/],
  ['an empty group', ['From: nobody:;'], /nobody/],
  ['an address in a display name that a reader could take', ['From: "ada@a.example <x" <eve@z.example>'], /in several ways/],
  ['no address', ['From: ada'], /no address/],
]
for (const [name, fields, expected] of UNCLEAR) {
  test(`nobody's key signs where From is not clear: ${name}`, () => {
    const opened = keys(keySettings('a.example', 's1', { key: A }))
    const decision = opened.signing.decide(request('', { fields }))
    assert.equal(decision.status, 'unsigned')
    assert.match(decision.why, expected)
  })
}

test('whoever is not entitled to the address gets no signature', () => {
  const opened = keys(keySettings('a.example', 's1', { key: A }))
  const asked: string[] = []
  const entitled = (address: string): boolean => asked.push(address) > 0 && address === 'bob@a.example'
  const decision = opened.signing.decide(request('Ada <Ada@A.example>', { login: 'bob', entitled }))
  assert.deepEqual(decision, { status: 'unsigned', why: 'bob may not write in the name of Ada@a.example' })
  assert.deepEqual(asked, ['Ada@a.example'])
  assert.equal(signers(opened, request('bob@a.example', { login: 'bob', entitled })), 's1@a.example')
})

test('why nothing is signed', () => {
  assert.deepEqual(open({}).signing.decide(request('x@a.example')), { status: 'unsigned', why: 'there are no keys' })
  const decision = keys(keySettings('a.example', 's1', { key: A })).signing.decide(request('x@b.example'))
  assert.deepEqual(decision, { status: 'unsigned', why: 'no key is meant for x@b.example' })
})

test('the fields: From always, oversigned ones also where they are not, others only where they are or will be', () => {
  const opened = open({ keys: [keySettings('a.example', 's1', { key: A })], fields: ['subject'], oversign: ['to', 'subject'], oversignPresent: ['date', 'message-id', 'content-type'], expireSeconds: 86_400 })
  const [order] = orders(opened, request('', { fields: ['From: x@a.example', 'Content-Type: text/plain'], added: ['date'] }))
  assert.ok(order !== undefined)
  assert.deepEqual(order.oversignedFields, ['to', 'subject', 'date', 'content-type'])
  assert.deepEqual(order.signedFields, ['from', 'subject', 'to', 'date', 'content-type'])
  assert.deepEqual([order.lifetimeSeconds, order.identity, order.canonicalization], [86_400, undefined, { header: 'relaxed', body: 'relaxed' }])
})

test('a folder of keys: by the selector of the settings, or by their own', () => {
  const keysFolder = join(where, 'folder')
  put(join(keysFolder, 'a.example.pem'), key('a').pem)
  put(join(keysFolder, 'e1._domainkey.a.example.pem'), key('ed').pem)
  put(join(keysFolder, 'B.example.pem'), key('b').pem)
  put(join(keysFolder, 'README'), 'notes', 0o644)
  put(join(keysFolder, 'a.example.pub.pem'), '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n', 0o644)
  const opened = open({ directory: keysFolder, selector: '20160101' })
  assert.equal(signers(opened, request('x@a.example')), '20160101@a.example e1@a.example')
  assert.equal(signers(opened, request('x@b.example')), '20160101@b.example')
  assert.equal(signers(opened, request('x@sub.a.example')), '')
})

test('what is wrong with files is told all at once, with the file, and nothing is loaded', () => {
  const keysFolder = join(where, 'bad')
  put(join(keysFolder, 'a.example.pem'), key('a').pem)
  put(join(keysFolder, 's1._domainkey.b.example.pem'), 'no key')
  put(join(keysFolder, 's1._domainkey.c.example.pem'), key('b').pem, 0o644)
  put(join(keysFolder, 'not a domain.pem'), key('b').pem)
  const { log } = recordingLog()
  const load = SigningKeys.load(settings({ directory: keysFolder, keys: [keySettings('z.example', 's', { key: join(where, 'none.pem') })] }), { resolver: zoneMap({}), log, now: () => 0, reader: ROOT })
  assert.ok(load.status === 'refused')
  assert.deepEqual(load.problems.map(({ file: path, problem }) => `${path.slice(where.length + 1)} ${problem}`).sort(), [
    'bad/a.example.pem has no selector in its name, and signing.selector is not set',
    'bad/not a domain.pem is not named after a domain',
    'bad/s1._domainkey.b.example.pem holds no PEM key',
    'bad/s1._domainkey.c.example.pem is open to every user of the machine (mode 0644)',
    'none.pem is not there',
  ])
  assert.deepEqual(load.problems[0]?.key, ['signing', 'keys', 0, 'key'])
})

test('two keys under one name are a problem', () => {
  const { log } = recordingLog()
  const load = SigningKeys.load(settings({ keys: [keySettings('a.example', 's1', { key: A }), keySettings('a.example', 's1', { key: B })] }), { resolver: zoneMap({}), log, now: () => 0, reader: ROOT })
  assert.ok(load.status === 'refused')
  assert.match(load.problems[0]?.problem ?? '', /another key than .*a\.pem, and both are s1\._domainkey\.a\.example/)
})

test('a reload reads new keys, and keeps the old ones where there is something wrong', () => {
  const path = put(join(where, 'reloaded.pem'), key('a').pem)
  const wanted = settings({ keys: [keySettings('a.example', 's1', { key: path })] })
  const opened = open(wanted)
  writeFileSync(path, 'half a k')
  assert.match(opened.signing.reload(wanted)[0]?.problem ?? '', /no PEM key/)
  assert.equal(orders(opened, request('x@a.example'))[0]?.key.privateKey.asymmetricKeyType, 'rsa')
  writeFileSync(path, key('ed').pem)
  assert.deepEqual(opened.signing.reload(wanted), [])
  assert.equal(orders(opened, request('x@a.example'))[0]?.key.algorithm, 'ed25519-sha256')
  rmSync(path)
  assert.match(opened.signing.reload(wanted)[0]?.problem ?? '', /is not there/)
  assert.equal(signers(opened, request('x@a.example')), 's1@a.example')
  assert.deepEqual(opened.signing.reload(settings({ keys: [keySettings('b.example', 's2', { key: A })] })), [])
  assert.equal(signers(opened, request('x@a.example')), '')
  assert.equal(signers(opened, request('x@b.example')), 's2@b.example')
})
