/** A configuration as a whole: references, addresses, roles, loops, keys that would do nothing. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { describeError } from '../../../src/config/problem.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { loadFrom } from '../../support/settings.ts'
import type { TestGround } from '../../support/settings.ts'

interface Parts {
  readonly listeners?: readonly string[]
  readonly hops?: readonly string[]
  readonly domains?: string
  readonly more?: string
}

const INBOUND = '{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }'

function text({ listeners = [INBOUND], hops = ['backend: { smtp: "127.0.0.1:10025" }'], domains = '[example.org]', more = '' }: Parts): string {
  return `listeners:\n${listeners.map((one) => `  - ${one}\n`).join('')}hops:\n${hops.map((one) => `  ${one}\n`).join('')}domains: ${domains}\n${more}\n`
}

function outcome(parts: Parts, ground: TestGround = { cwd: '/etc/postern' }): { errors: string; warnings: string } {
  const loaded = loadFrom(text(parts), ground)
  assert.notEqual(loaded.status, 'unreadable')
  if (loaded.status === 'unreadable') throw new Error(loaded.cause)
  return { errors: loaded.status === 'invalid' ? loaded.errors.map(describeError).join('\n') : '', warnings: loaded.warnings.join('\n') }
}

function fine(parts: Parts, ground?: TestGround): void {
  assert.deepEqual(outcome(parts, ground), { errors: '', warnings: '' })
}

const listener = (name: string, listen: string, rest = 'role: inbound, next: backend'): string => `{ name: ${name}, listen: ${listen}, ${rest} }`

test('a plain configuration has neither errors nor warnings', () => fine({}))

test('references lead to hops', () => {
  const { errors } = outcome({ listeners: [INBOUND.replace('next: backend', 'next: backnd')], domains: '[{ domain: a.example, next: lists }, example.org]' })
  assert.match(errors, /listeners\[0\]\.next: there is no hop "backnd"; did you mean "backend"\?; allowed: backend/)
  assert.match(errors, /domains\[0\]\.next: there is no hop "lists"; allowed: backend/)
})

test('a hop that cannot be read is still there for those that name it', () => {
  const { errors } = outcome({ hops: ['backend: { smtp: "x" }'] })
  assert.match(errors, /hops\.backend\.smtp/)
  assert.doesNotMatch(errors, /there is no hop/)
})

test('a hop that nothing uses is warned of', () => {
  const hops = ['backend: { smtp: "127.0.0.1:10025" }', 'spare: { smtp: "10.0.0.1:25" }']
  assert.match(outcome({ hops }).warnings, /test\.yaml:5:3: hops\.spare: nothing uses the hop/)
  fine({ hops, domains: '[example.org, { domain: a.example, next: spare }]' })
})

test('listeners have names and addresses of their own', () => {
  const taken = (a: string, b: string): string => outcome({ listeners: [listener('a', a), listener('b', b)], hops: ['backend: { smtp: "10.0.0.1:25" }'] }).errors
  assert.match(outcome({ listeners: [listener('a', '"127.0.0.1:1"'), listener('a', '"127.0.0.1:2"')] }).errors, /listeners\[1\]\.name: another listener has the name "a"/)
  for (const [a, b] of [
    ['"127.0.0.1:25"', '"127.0.0.1:25"'], ['"0.0.0.0:25"', '"127.0.0.1:25"'], ['"192.0.2.1:25"', '"0.0.0.0:25"'], ['"[::]:25"', '"[::1]:25"'], ['"localhost:25"', '"127.0.0.1:25"'],
    ['"[2001:db8::1]:25"', '"[2001:DB8:0::1]:25"'], ['"[::ffff:127.0.0.1]:25"', '"127.0.0.1:25"'], ['"unix:run/x"', '"unix:/etc/postern/run/../run/x"'],
  ] as const) assert.match(taken(a, b), /listeners\[1\]\.listen(\[0\])?: .* cannot be bound beside /, `${a} ${b}`)
  for (const [a, b] of [
    ['"127.0.0.1:25"', '"127.0.0.1:26"'], ['"127.0.0.1:25"', '"127.0.0.2:25"'], ['"0.0.0.0:25"', '"[::]:25"'], ['"127.0.0.1:0"', '"127.0.0.1:0"'], ['"unix:/run/x"', '"unix:/run/y"'],
  ] as const) assert.equal(taken(a, b), '', `${a} ${b}`)
  assert.match(outcome({ listeners: [listener('a', '["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1"]')] }).errors, /listen\[2\]: 127\.0\.0\.1:1 cannot be bound beside 127\.0\.0\.1:1/)
})

test('a hop does not lead back to a listener of ours', () => {
  const machine = { hostname: () => 'mx.test.example', addresses: () => ['127.0.0.1', '::1', '192.0.2.10', '2001:db8::10'] }
  const loop = (listen: string, hop: string): string => outcome({ listeners: [listener('in', listen)], hops: [`backend: ${hop}`] }, { cwd: '/', machine }).errors
  for (const [listen, hop] of [
    ['"127.0.0.1:25"', '{ smtp: "127.0.0.1:25" }'], ['"127.0.0.1:25"', '{ smtp: "localhost:25" }'], ['"[::1]:25"', '{ smtp: "localhost:25" }'], ['"0.0.0.0:25"', '{ smtp: "127.0.0.5:25" }'],
    ['"0.0.0.0:25"', '{ smtp: "192.0.2.10:25" }'], ['"[::]:25"', '{ smtp: "[2001:db8::10]:25" }'], ['"[::]:25"', '{ smtp: "[::1]:25" }'], ['"0.0.0.0:25"', '{ smtp: "MX.test.example:25" }'],
    ['"192.0.2.10:25"', '{ smtp: "mx.test.example:25" }'], ['"127.0.0.1:25"', '{ smtp: "[::ffff:127.0.0.1]:25" }'], ['"unix:run/x"', '{ lmtp: "unix:/run/./x" }'], ['["127.0.0.1:1", "127.0.0.1:2"]', '{ lmtp: "127.0.0.1:2" }'],
  ] as const) assert.match(loop(listen, hop), /hops\.backend\.\w+: .* is our own listener "in": mail would go round in a loop/, `${listen} ${hop}`)
  for (const [listen, hop] of [
    ['"127.0.0.1:25"', '{ smtp: "127.0.0.1:26" }'], ['"127.0.0.1:25"', '{ smtp: "127.0.0.2:25" }'], ['"0.0.0.0:25"', '{ smtp: "192.0.2.11:25" }'], ['"0.0.0.0:25"', '{ smtp: "[2001:db8::10]:25" }'],
    ['"0.0.0.0:25"', '{ smtp: "other.example:25" }'], ['"127.0.0.1:0"', '{ smtp: "127.0.0.1:25" }'], ['"unix:/run/x"', '{ lmtp: "unix:/run/y" }'],
  ] as const) assert.equal(loop(listen, hop), '', `${listen} ${hop}`)
  // The machine's own name is known, whatever hostname says.
  const named = outcome({ listeners: [listener('in', '"0.0.0.0:25"')], hops: ['backend: { smtp: "mx.test.example:25" }'], more: 'hostname: other.example' })
  assert.match(named.errors, /is our own listener "in"/)
  const chain = outcome({ listeners: [INBOUND, listener('out', '"127.0.0.1:10027"', 'role: outbound, next: backend')], hops: ['backend: { smtp: "127.0.0.1:10027" }'] })
  assert.match(chain.errors, /is our own listener "out"/)
})

test('no hop is at a wildcard address', () => {
  assert.match(outcome({ hops: ['backend: { smtp: "0.0.0.0:25" }'] }).errors, /0\.0\.0\.0:25 is no address to connect to/)
  assert.match(outcome({ hops: ['backend: { smtp: "[::]:25" }'] }).errors, /\[::\]:25 is no address to connect to/)
})

test('inbound needs domains', () => {
  assert.match(outcome({ domains: '[]' }).errors, /domains: no domains, and a listener whose role is inbound/)
  assert.match(outcome({ listeners: [listener('out', '"127.0.0.1:1"', 'role: outbound, next: backend')] }).warnings, /domains: all listeners have the role outbound/)
})

test('a domain stands once, however it is written', () => {
  const { errors } = outcome({ domains: '[Example.org, bücher.example, "example.org.", xn--bcher-kva.example]' })
  assert.match(errors, /domains\[2\]: the domain example\.org stands twice/)
  assert.match(errors, /domains\[3\]: the domain xn--bcher-kva\.example stands twice/)
})

test('clients are for outbound, and somebody must be in them', () => {
  assert.match(outcome({ listeners: [listener('a', '"127.0.0.1:1"', 'role: inbound, next: backend, clients: [10.0.0.0/8]')] }).errors, /listeners\[0\]\.clients: the key is for listeners whose role is outbound/)
  assert.match(outcome({ listeners: [INBOUND, listener('a', '"127.0.0.1:1"', 'role: outbound, next: backend, clients: []')] }).errors, /listeners\[1\]\.clients: an empty list/)
  fine({ listeners: [INBOUND, listener('a', '"127.0.0.1:1"', 'role: outbound, next: backend, clients: unix')] })
})

test('LMTP is not on port 25', () => {
  assert.match(outcome({ listeners: [listener('a', '"127.0.0.1:25"', 'role: inbound, protocol: lmtp, next: backend')] }).errors, /protocol: LMTP must not be on port 25/)
  assert.match(outcome({ hops: ['backend: { lmtp: "127.0.0.1:25" }'] }).errors, /hops\.backend\.lmtp: LMTP must not be on port 25/)
  fine({ listeners: [listener('a', '["127.0.0.1:24", "unix:/run/x"]', 'role: inbound, protocol: lmtp, next: backend')] })
})

test('outbound into Maildirs goes no further, which is warned of', () => {
  assert.match(outcome({ listeners: [INBOUND, listener('a', '"127.0.0.1:1"', 'role: outbound, next: local')], hops: ['backend: { smtp: "10.0.0.1:25" }', 'local: { maildir: "/m/{user}" }'] }).warnings,
    /listeners\[1\]\.next: mail to any domain goes into the Maildirs of hop "local" and no further/)
})

test('keys of TLS that would do nothing are refused', () => {
  const tls = (rest: string, address = '10.0.0.1:25'): { errors: string; warnings: string } => outcome({ hops: [`backend: { smtp: "${address}", ${rest} }`] })
  assert.match(tls('tls_verify: true').errors, /hops\.backend\.tls_verify: does nothing with tls: opportunistic; allowed: tls: required or/)
  assert.match(tls('tls_name: a.example', '127.0.0.1:26').errors, /tls_name: does nothing with tls: off/)
  assert.match(tls('tls: off, tls_ca: ca.pem').errors, /tls_ca: does nothing with tls: off/)
  assert.match(tls('tls: required, tls_verify: false, tls_ca: ca.pem').errors, /tls_ca: does nothing with tls_verify: false/)
  assert.match(tls('tls: required, tls_verify: false').warnings, /tls_verify: the certificate is not checked/)
  assert.match(tls('tls: required', 'unix:/run/x').errors, /a unix socket has no name that a certificate could have/)
  assert.deepEqual(tls('tls: required, tls_name: a.example', 'unix:/run/x'), { errors: '', warnings: '' })
  assert.deepEqual(tls('tls: implicit, tls_verify: true'), { errors: '', warnings: '' })
})

test('Maildir hops', () => {
  const directory = temporaryDirectory('config')
  writeFileSync(join(directory, 'users'), '')
  mkdirSync(join(directory, 'folder'))
  const local = (rest: string, machine: TestGround['machine'] = {}): { errors: string; warnings: string } => outcome({ hops: [`backend: { maildir: "/m/{user}", ${rest} }`] }, { cwd: directory, machine })
  assert.deepEqual(local('users: users, catch_all: postmaster@example.org, owner: vmail'), { errors: '', warnings: '' })
  assert.match(local('users: usr').errors, /hops\.backend\.users: there is no file ".*\/usr"; allowed: a file that can be read/)
  assert.match(local('aliases: folder').errors, /hops\.backend\.aliases: ".*\/folder" is not a file/)
  assert.match(local('catch_all: a@exmple.org').errors, /catch_all: the domain exmple\.org is not one of domains; did you mean "example\.org"\?/)
  assert.match(local('owner: nobdy').errors, /owner: no user "nobdy" in \/etc\/passwd; write numbers, uid:gid/)
  assert.match(local('owner: "vmail:nogrp"').errors, /owner: no group "nogrp" in \/etc\/group/)
  assert.match(local('owner: 4711').errors, /owner: the group of "4711" is not known/)
  assert.match(local('owner: vmail', { uid: () => 1000 }).warnings, /owner: only root can give files to another user, and this process has uid 1000/)
  assert.deepEqual(local('owner: vmail', { uid: () => 5000 }), { errors: '', warnings: '' })
  assert.match(local('mode: 0644').warnings, /mode: every user of the machine can read the users' mail/)
  assert.match(outcome({ hops: ['backend: { maildir: "/m/all" }'] }).warnings, /maildir: the path has neither \{local\} nor \{user\}/)
})

test('a machine without a user database has no named users', () => {
  const missing = (): never => {
    throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
  }
  assert.match(outcome({ hops: ['backend: { maildir: "/m/{user}", owner: root }'] }, { cwd: '/', machine: { userDatabase: missing } }).errors, /no user "root"/)
})

test('the state directory may be missing, but is no file', () => {
  const directory = temporaryDirectory('config')
  writeFileSync(join(directory, 'file'), '')
  assert.equal(outcome({ more: 'state: missing/deep' }, { cwd: directory }).errors, '')
  assert.match(outcome({ more: 'state: file' }, { cwd: directory }).errors, /state: ".*\/file" is not a directory/)
  assert.match(outcome({ more: 'state: file/below' }, { cwd: directory }).errors, /state: ".*\/file\/below": ENOTDIR/)
})

test('limits below what RFC 5321 asks for are warned of', () => {
  const { errors, warnings } = outcome({ more: 'limits: { message_bytes: 60KB, recipients: 99 }' })
  assert.equal(errors, '')
  assert.match(warnings, /limits\.message_bytes: RFC 5321 §4\.5\.3\.1\.7 asks for at least 64KiB/)
  assert.match(warnings, /limits\.recipients: RFC 5321 §4\.5\.3\.1\.8 asks for at least 100/)
})

test('paths of unix sockets are measured once they are absolute', () => {
  const cwd = `/${'d'.repeat(100)}`
  assert.match(outcome({ listeners: [listener('a', '"unix:socket"')] }, { cwd }).errors, /listen(\[0\])?: the path of a unix socket has at most 107 bytes/)
  assert.match(outcome({ hops: ['backend: { lmtp: "unix:socket" }'] }, { cwd }).errors, /hops\.backend\.lmtp: the path of a unix socket has at most 107 bytes/)
})

test('for `postern deliver` there need be no listener, and their files need not be readable', () => {
  const ground: TestGround = { cwd: temporaryDirectory('deliver-config'), purpose: 'delivery' }
  const hops = 'hops: { local: { maildir: "mail/{local}" }, far: { smtp: "mx.example:25", tls: required, tls_ca: gone.pem } }\n'
  const read = (yaml: string, where: TestGround = ground): string => {
    const loaded = loadFrom(yaml, where)
    return loaded.status === 'invalid' ? loaded.errors.map(describeError).join('\n') : loaded.status
  }
  assert.equal(read(`${hops}domains: [example.org]\n`), 'ok')
  const gateway = `${hops}domains: [example.org]\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:25", next: local, tls: { cert: a.pem, key: b.pem } }]\n`
  assert.equal(read(gateway), 'ok')
  assert.match(read(gateway, { ...ground, purpose: 'gateway' }), /there is no file/)
  assert.match(read(hops), /domains: no domains: nothing could be delivered/)
  assert.match(read(`${hops}domains: [example.org]\nlistners: []\n`), /listners: .*unknown key.*listeners/)
  assert.match(read('hops: { local: { maildir: "mail/{local}", users: gone } }\ndomains: [example.org]\n'), /hops\.local\.users: there is no file/)
})
