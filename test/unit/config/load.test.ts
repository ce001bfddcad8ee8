/** The whole way: where the file is found, what the environment changes, what comes out. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { EMBEDDED_SOURCE } from '../../../src/config/embedded.ts'
import { loadConfiguration } from '../../../src/config/load.ts'
import type { Loaded, LoadOptions } from '../../../src/config/load.ts'
import { describeError } from '../../../src/config/problem.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { loadFrom, settingsFrom, TEST_MACHINE } from '../../support/settings.ts'

const SMALL = `
hostname: mx.example.org
listeners:
  - { name: mail-in, role: inbound, listen: "127.0.0.1:2525", next: backend }
  - { name: out, role: outbound, listen: ["127.0.0.1:10027", "unix:run/out"], next: backend }
hops:
  backend: { smtp: "127.0.0.1:10025" }
domains: [example.org]
`

function load(cwd: string, options: Partial<LoadOptions> = {}): Loaded {
  return loadConfiguration({ environment: {}, cwd, machine: TEST_MACHINE, searchPath: ['postern.yaml', 'etc/postern.yaml'], ...options })
}

function errors(loaded: Loaded): readonly string[] {
  assert.ok(loaded.status === 'invalid', JSON.stringify(loaded))
  return loaded.errors.map(describeError)
}

test('without a file the embedded default is used, in the working directory', () => {
  const cwd = temporaryDirectory('config')
  const loaded = load(cwd)
  assert.ok(loaded.status === 'ok')
  assert.equal(loaded.source, EMBEDDED_SOURCE)
  assert.deepEqual(loaded.warnings, [])
  const { settings } = loaded
  assert.equal(settings.workers, 1)
  assert.equal(settings.hostname, 'mx.test.example')
  assert.equal(settings.state, join(cwd, 'var/state'))
  assert.deepEqual(settings.listeners.map(({ role, listen }) => ({ role, listen })), [{ role: 'inbound', listen: [{ kind: 'tcp', host: '127.0.0.1', port: 2525 }] }])
  const hop = settings.hops.get('local')
  assert.ok(hop?.kind === 'maildir')
  assert.equal(hop.path, join(cwd, 'var/mail/{domain}/{local}'))
  assert.equal(hop.users, undefined)
  assert.deepEqual([...settings.domains], [['localhost', { next: undefined }]])
})

test('the order: --config, POSTERN_CONFIG, the working directory, /etc, the embedded default', () => {
  const cwd = temporaryDirectory('config')
  mkdirSync(join(cwd, 'etc'))
  const names: string[] = []
  for (const name of ['etc/postern.yaml', 'postern.yaml', 'variable.yaml', 'option.yaml']) {
    writeFileSync(join(cwd, name), SMALL)
    const environment = names.includes('postern.yaml') ? { POSTERN_CONFIG: 'variable.yaml' } : {}
    const loaded = load(cwd, { environment, ...(name === 'option.yaml' ? { file: name } : {}) })
    assert.ok(loaded.status === 'ok')
    assert.equal(loaded.source, join(cwd, name))
    assert.deepEqual(loaded.warnings, [])
    names.push(name)
  }
})

test('an empty POSTERN_CONFIG is as if unset', () => {
  assert.equal(load(temporaryDirectory('config'), { environment: { POSTERN_CONFIG: '' } }).source, EMBEDDED_SOURCE)
})

test('a file that was named and is not there is told, not passed over', () => {
  const cwd = temporaryDirectory('config')
  assert.deepEqual(load(cwd, { file: 'none.yaml' }), { status: 'unreadable', source: join(cwd, 'none.yaml'), cause: 'there is no such file' })
  assert.equal(load(cwd, { environment: { POSTERN_CONFIG: 'none.yaml' } }).status, 'unreadable')
})

test('a file that is there and cannot be read is told, not passed over', () => {
  const cwd = temporaryDirectory('config')
  mkdirSync(join(cwd, 'postern.yaml'))
  assert.deepEqual(load(cwd), { status: 'unreadable', source: join(cwd, 'postern.yaml'), cause: 'it is a directory' })
  const secret = join(cwd, 'secret.yaml')
  writeFileSync(secret, SMALL)
  chmodSync(secret, 0)
  // Root reads everything.
  const loaded = load(cwd, { file: secret })
  assert.equal(loaded.status, process.getuid?.() === 0 ? 'ok' : 'unreadable')
})

test('bytes that are no UTF-8, and a file that is too large', () => {
  const cwd = temporaryDirectory('config')
  writeFileSync(join(cwd, 'postern.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]))
  assert.match(errors(load(cwd)).join('\n'), /postern\.yaml: is not UTF-8 text/)
  writeFileSync(join(cwd, 'postern.yaml'), Buffer.alloc(2 * 1024 * 1024, '#'))
  assert.match(errors(load(cwd)).join('\n'), /larger than 1048576 bytes/)
})

test('defaults are filled in, paths made absolute, units put into names', () => {
  const settings = settingsFrom(SMALL, { cwd: '/etc/postern' })
  assert.equal(settings.hostname, 'mx.example.org')
  assert.equal(settings.state, '/var/lib/postern')
  assert.equal(settings.workers, 4)
  assert.deepEqual(settings.log, { level: 'info', format: 'auto' })
  assert.equal(settings.newlines, 'normalise')
  assert.deepEqual(settings.limits, {
    messageBytes: 50_000_000, commandLineBytes: 4096, recipients: 1000, errors: 20, unknownCommands: 10, junkCommands: 100, sessions: 1000, sessionsPerNetwork: 50, received: 50,
  })
  assert.deepEqual(settings.timeouts, { commandMs: 300_000, dataMs: 180_000, handshakeMs: 30_000, sessionMs: 3_600_000, stopMs: 30_000 })
  assert.deepEqual(settings.listeners[1], {
    name: 'out', role: 'outbound', protocol: 'smtp', listen: [{ kind: 'tcp', host: '127.0.0.1', port: 10027 }, { kind: 'unix', path: '/etc/postern/run/out' }],
    tls: undefined, trust: { proxy: [], xclient: [], xforward: [] }, clients: ['127.0.0.0/8', '::1', 'unix'], next: 'backend', received: true, hideClient: false, transparent: false, submission: undefined,
  })
  assert.deepEqual(settings.listeners[0]?.clients, [])
  assert.deepEqual(settings.hops.get('backend'), {
    kind: 'smtp', name: 'backend', address: { kind: 'tcp', host: '127.0.0.1', port: 10025 }, tls: { mode: 'off', verify: false, name: undefined, ca: undefined },
    xforward: false, xclient: false, connections: 100, idleMs: 30_000, maxAgeMs: 300_000, login: undefined, senderLogins: [],
    timeouts: { connectMs: 30_000, greetingMs: 300_000, mailMs: 300_000, rcptMs: 300_000, dataMs: 120_000, blockMs: 180_000, finalMs: 600_000 },
  })
})

test('TLS to a hop is off on this machine, opportunistic elsewhere, and verified where it is demanded', () => {
  const tlsOf = (hop: string): unknown => {
    const made = settingsFrom(SMALL.replace('{ smtp: "127.0.0.1:10025" }', hop), { cwd: '/' }).hops.get('backend')
    return made?.kind === 'maildir' ? undefined : [made?.tls.mode, made?.tls.verify, made?.tls.name]
  }
  for (const address of ['127.0.0.9:1', '[::1]:1', 'localhost:1', 'unix:/run/x']) assert.deepEqual(tlsOf(`{ lmtp: "${address}" }`), ['off', false, undefined], address)
  for (const address of ['10.0.0.1:1', 'mail.example.org:1', '[fd00::1]:1']) assert.deepEqual(tlsOf(`{ smtp: "${address}" }`), ['opportunistic', false, undefined], address)
  assert.deepEqual(tlsOf('{ smtp: "a.example:25", tls: required }'), ['required', true, undefined])
  assert.deepEqual(tlsOf('{ smtp: "a.example:465", tls: implicit, tls_name: B.example }'), ['implicit', true, 'b.example'])
  assert.deepEqual(tlsOf('{ smtp: "a.example:25", tls: required, tls_verify: false }'), ['required', false, undefined])
})

test('a Maildir hop, with its owner by name and its mode in octal', () => {
  const hop = settingsFrom(SMALL.replace('{ smtp: "127.0.0.1:10025" }', '{ maildir: "mail/{user}", suffix: "+-", catch_all: Anna@EXAMPLE.org, owner: "vmail:mail", mode: 0640 }'), { cwd: '/srv' }).hops.get('backend')
  assert.deepEqual(hop, {
    kind: 'maildir', name: 'backend', path: '/srv/mail/{user}', users: undefined, aliases: undefined, suffix: '+-', catchAll: 'Anna@example.org', uid: 5000, gid: 8, mode: 0o640,
  })
})

test('owners: the group of a user is its own, and numbers need no entry', () => {
  const ids = (owner: string): unknown => {
    const hop = settingsFrom(SMALL.replace('{ smtp: "127.0.0.1:10025" }', `{ maildir: "/m/{user}", owner: "${owner}" }`), { cwd: '/' }).hops.get('backend')
    return hop?.kind === 'maildir' ? [hop.uid, hop.gid] : undefined
  }
  assert.deepEqual(ids('vmail'), [5000, 5001])
  assert.deepEqual(ids('5000'), [5000, 5001])
  assert.deepEqual(ids('4711:4712'), [4711, 4712])
  assert.deepEqual(ids('root:8'), [0, 8])
})

test('each variable goes before the file, lists with commas', () => {
  const settings = settingsFrom(SMALL, {
    cwd: '/',
    environment: {
      POSTERN_HOSTNAME: 'Other.example', POSTERN_WORKERS: '0', POSTERN_LOG_LEVEL: 'debug', POSTERN_LIMITS_MESSAGE_BYTES: '1MiB', POSTERN_TIMEOUTS_STOP: '5s',
      POSTERN_DOMAINS: 'a.example, B.example', POSTERN_LISTENERS_MAIL_IN_LISTEN: '127.0.0.1:1025,[::1]:1025', POSTERN_LISTENERS_OUT_CLIENTS: '10.0.0.0/8,unix',
      POSTERN_LISTENERS_OUT_RECEIVED: 'false', POSTERN_HOPS_BACKEND_SMTP: 'postfix:25', POSTERN_HOPS_BACKEND_TIMEOUTS_CONNECT: '1s', POSTERN_STATE: '', UNRELATED: 'x',
    },
  })
  assert.equal(settings.hostname, 'other.example')
  assert.equal(settings.workers, 0)
  assert.equal(settings.log.level, 'debug')
  assert.equal(settings.limits.messageBytes, 1_048_576)
  assert.equal(settings.timeouts.stopMs, 5000)
  assert.equal(settings.state, '/var/lib/postern', 'an empty variable is as if unset')
  assert.deepEqual([...settings.domains.keys()], ['a.example', 'b.example'])
  assert.equal(settings.listeners[0]?.listen.length, 2)
  assert.deepEqual(settings.listeners[1]?.clients, ['10.0.0.0/8', 'unix'])
  assert.equal(settings.listeners[1].received, false)
  const hop = settings.hops.get('backend')
  assert.ok(hop?.kind === 'smtp')
  assert.deepEqual(hop.address, { kind: 'tcp', host: 'postfix', port: 25 })
  assert.equal(hop.timeouts.connectMs, 1000)
  assert.equal(hop.tls.mode, 'opportunistic')
})

test('an error of a variable names the variable; of two sources only the one that counts is looked at', () => {
  const found = errors(loadFrom(SMALL.replace('hostname: mx.example.org', 'hostname: "not valid"'), {
    cwd: '/', environment: { POSTERN_HOSTNAME: 'fine.example', POSTERN_LIMITS_ERRORS: 'many', POSTERN_LISTENERS_OUT_CLIENTS: '0.0.0.0/0', POSTERN_HOPS_BACKEND_IDLE: '30', POSTERN_LISTENERS_OUT_NEXT: 'bakend' },
  }))
  assert.equal(found.length, 4)
  assert.match(found.join('\n'), /^environment variable POSTERN_LIMITS_ERRORS: limits\.errors: found "many"; allowed: an integer/m)
  assert.match(found.join('\n'), /^environment variable POSTERN_LISTENERS_OUT_CLIENTS: listeners\[1\]\.clients: "0\.0\.0\.0\/0" is refused/m)
  assert.match(found.join('\n'), /^environment variable POSTERN_HOPS_BACKEND_IDLE: hops\.backend\.idle: found "30", which has no unit/m)
  assert.match(found.join('\n'), /^environment variable POSTERN_LISTENERS_OUT_NEXT: listeners\[1\]\.next: there is no hop "bakend"; did you mean "backend"\?/m)
})

test('a variable that sets nothing is warned of, with the nearest that would', () => {
  const loaded = loadFrom(SMALL, { cwd: '/', environment: { POSTERN_HOSTNMAE: 'x', POSTERN_LISTENERS_MAILIN_NEXT: 'x', POSTERN_ZZZ: 'x', POSTERN_CONFIG: 'x', POSTERNHOSTNAME: 'x', POSTERN_LISTENERS_OUT_NAME: 'x' } })
  assert.ok(loaded.status === 'ok')
  assert.deepEqual(loaded.warnings.slice(0, 3), [
    'environment variable POSTERN_HOSTNMAE: sets no key of this configuration; did you mean POSTERN_HOSTNAME?',
    'environment variable POSTERN_LISTENERS_MAILIN_NEXT: sets no key of this configuration; did you mean POSTERN_LISTENERS_MAIL_IN_NEXT?',
    'environment variable POSTERN_ZZZ: sets no key of this configuration',
  ])
  assert.equal(loaded.warnings.length, 4)
})

test('two names that share their variables are refused', () => {
  assert.match(errors(loadFrom(SMALL.replace('name: out', 'name: MAIL_IN'), { cwd: '/' })).join('\n'),
    /listeners\[1\]: its environment variable POSTERN_LISTENERS_MAIL_IN_ROLE would also be that of listeners\[0\]\.role/)
})

test('all errors are told at once, from the top, each with its line', () => {
  const found = errors(loadFrom(`hostnme: x
hostname: "a b"
limits: { message_bytes: 50 MBs, recipents: 5 }
log: loud
workers:
state: { a: { b: { c: 1 } } }
timeouts: { command: 30 }
message_bytes: 5
policy: { prest: standard }
listeners:
  - name: in
    role: delivery
    listen: ["::1:25"]
    next: bckend
    tls: { mod: implicit }
  - just text
hops:
  backend: { smpt: "x:25" }
  other: { smtp: "x:25", maildir: "/m" }
  third: { smtp: "x:25", users: u }
  4th: { smtp: "x:25" }
domains: [example.org, "*", { domain: a.example, nxt: other }]
domains: []
`, { cwd: '/' }))
  const starts = [
    'test.yaml:1:1: hostnme: unknown key; did you mean "hostname"?; allowed: hostname, state',
    'test.yaml:2:1: hostname: "a b" is not a domain name; allowed: a domain name such as',
    'test.yaml:3:11: limits.message_bytes: found "50 MBs"; allowed: a size such as 50MB, 1GiB or 4096',
    'test.yaml:3:34: limits.recipents: unknown key; did you mean "recipients"?; allowed: message_bytes,',
    'test.yaml:4:1: log: must be a mapping; allowed: level, format',
    'test.yaml:5:1: workers: the key has no value; leave it out for its default; allowed: auto, or',
    'test.yaml:6:1: state: found a mapping; allowed: a path',
    'test.yaml:7:13: timeouts.command: found "30", which has no unit; allowed: a duration such as 500ms, 5s',
    'test.yaml:8:1: message_bytes: unknown key; is limits.message_bytes meant?; allowed:',
    'test.yaml:9:11: policy.prest: unknown key; did you mean "preset"?; allowed:',
    'test.yaml:12:5: listeners[0].role: found "delivery"; allowed: inbound, outbound, submission',
    'test.yaml:13:14: listeners[0].listen[0]: found "::1:25"; an IPv6 address stands in brackets',
    'test.yaml:14:5: listeners[0].next: there is no hop "bckend"; did you mean "backend"?; allowed: backend, other, third, 4th',
    'test.yaml:15:12: listeners[0].tls.mod: unknown key; did you mean "mode"?; allowed: cert, key, mode, more',
    'test.yaml:16:5: listeners[1]: must be a mapping; allowed: name, role',
    'test.yaml:18:3: hops.backend: has none of smtp, lmtp, maildir; did you mean "smtp"?; allowed: exactly one of',
    'test.yaml:19:3: hops.other: has smtp and maildir; allowed: exactly one of smtp, lmtp, maildir',
    'test.yaml:20:26: hops.third.users: unknown key; it is a key of maildir hops, and this is one of smtp; allowed: smtp, user',
    'test.yaml:21:3: hops.4th: not a name for a hop; allowed: a name of letters',
    'test.yaml:22:24: domains[1]: "*" is not a domain name; allowed:',
    'test.yaml:22:50: domains[2].nxt: unknown key; did you mean "next"?; allowed: domain, next',
    'test.yaml:23:1: domains: the key stands twice in the same mapping',
  ]
  for (const [i, start] of starts.entries()) assert.ok(found[i]?.startsWith(start), `${found[i] ?? 'nothing'}\nis not\n${start}`)
  assert.equal(found.length, starts.length, found.join('\n'))
})

test('required keys, and lists that must not be empty', () => {
  assert.deepEqual(errors(loadFrom('', { cwd: '/' })), [
    'test.yaml: hops: the key is missing; allowed: a mapping of names to hops', 'test.yaml: listeners: the key is missing; allowed: a list of listeners',
  ])
  const found = errors(loadFrom('listeners: [{}]\nhops: {}\n', { cwd: '/' })).join('\n')
  for (const key of ['name', 'role', 'listen', 'next']) assert.match(found, new RegExp(`test\\.yaml:1:13: listeners\\[0\\]\\.${key}: the key is missing; allowed: `))
  assert.match(found, /hops: found 0 entries; allowed: 1 to 256 hops/)
  assert.match(errors(loadFrom('listeners: []\nhops: []\n', { cwd: '/' })).join('\n'), /hops: must be a mapping/)
  assert.match(errors(loadFrom('listeners: { a: b }\nhops: 5\n', { cwd: '/' })).join('\n'), /listeners: must be a list/)
})

test('there are bounds on listeners and hops', () => {
  const listeners = Array.from({ length: 65 }, (_, i) => `  - { name: l${i}, role: outbound, listen: "127.0.0.1:${1000 + i}", next: h0 }\n`).join('')
  const hops = Array.from({ length: 257 }, (_, i) => `  h${i}: { smtp: "mail.example:25" }\n`).join('')
  const found = errors(loadFrom(`listeners:\n${listeners}hops:\n${hops}`, { cwd: '/' }))
  assert.deepEqual(found, ['test.yaml:1:1: listeners: found 65 entries; allowed: 1 to 64 listeners', 'test.yaml:67:1: hops: found 257 entries; allowed: 1 to 256 hops'])
})

test('an anchor may be used for what stands twice', () => {
  const { listeners } = settingsFrom(SMALL.replace('next: backend }\n  - { name: out, role: outbound', 'next: backend, trust: { xclient: &t [10.0.0.5] } }\n  - { name: out, trust: { xclient: *t }, role: outbound'), { cwd: '/' })
  assert.deepEqual(listeners.map(({ trust }) => trust.xclient), [['10.0.0.5'], ['10.0.0.5']])
})

test('a machine without a proper name gets on, with a warning', () => {
  const text = SMALL.replace('hostname: mx.example.org', '')
  const loaded = loadFrom(text, { cwd: '/', machine: { hostname: () => 'my_host' } })
  assert.ok(loaded.status === 'ok')
  assert.equal(loaded.settings.hostname, 'localhost')
  assert.match(loaded.warnings.join('\n'), /"my_host" is not a domain name/)
  assert.equal(settingsFrom(text, { cwd: '/', machine: { hostname: () => 'Web1' } }).hostname, 'web1')
})

test('an empty hostname is an error, not the default', () => {
  assert.match(errors(loadFrom(SMALL.replace('mx.example.org', '""'), { cwd: '/' })).join('\n'), /hostname: "" is not a domain name/)
})
