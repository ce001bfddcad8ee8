/** What administrators write: configuration, users, aliases, paths. Any text gives a table or errors that can be read, soon. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseNetwork, networkMatcher, formatNetwork, networkProblem, trustedNetwork } from '../../src/config/networks.ts'
import { describeError } from '../../src/config/problem.ts'
import { parseAliases } from '../../src/delivery/aliases.ts'
import { checkAddressBook, resolveAddress } from '../../src/delivery/address-book.ts'
import { mailboxPath, parseMailboxTemplate } from '../../src/delivery/mailbox-path.ts'
import { parseUsers } from '../../src/delivery/users.ts'
import { parseDomain } from '../../src/smtp/address.ts'
import { fuzz } from '../support/fuzzing.ts'
import { temporaryDirectory } from '../support/process.ts'
import { exampleNames, loadFrom, prepareExample } from '../support/settings.ts'

const directory = temporaryDirectory('fuzz')
const EXAMPLES: readonly string[] = exampleNames().map((name) => readFileSync(prepareExample(name, directory), 'utf8'))
const YAML = ['\n', '\n  ', ': ', '- ', '{', '}', '[', ']', '"', "'", '#', '&a ', '*a', '!!binary ', '|\n', '? ', '---\n', '...\n', '\t', 'null', 'true', '0x10', '1e9', '-1', '99999999999999999999', '50MB', '5m', '0.0.0.0/0', '::/0', 'unix', 'unix:/tmp/x',
  'listeners', 'hops', 'domains', 'clients', 'trust', 'limits', 'timeouts', 'hostname', 'next', 'name', 'maildir', 'smtp', '__proto__', 'constructor', 'toString', '\0', '\xff', '\u2028', 'é', '127.0.0.1:25', '[::1]:25', 'example.org']
const ENVIRONMENT = ['POSTERN_HOSTNAME', 'POSTERN_LIMITS_RECIPIENTS', 'POSTERN_LISTENERS_INBOUND_LISTEN', 'POSTERN_DOMAINS', 'POSTERN_WORKERS', 'POSTERN_NO_SUCH_KEY', 'POSTERN_LISTENERS_RELAY_CLIENTS']

fuzz('configuration', 1500, (random) => {
  const text = random.chance(0.8) ? random.spoil(random.spoil(random.pick(EXAMPLES), YAML), YAML) : random.soup(YAML, 40)
  const environment = random.chance(0.2) ? { [random.pick(ENVIRONMENT)]: random.soup(YAML, 3) } : {}
  const loaded = loadFrom(text, { cwd: directory, environment })
  if (loaded.status === 'invalid') {
    assert.ok(loaded.errors.length > 0, 'invalid, and nobody says why')
    // One line each on a terminal, whatever the file holds.
    for (const error of loaded.errors) assert.match(describeError(error), /^[^\x00-\x09\x0b-\x1f\x7f]+$/)
    return
  }
  assert.ok(loaded.status === 'ok')
  const { settings } = loaded
  assert.ok(settings.listeners.length > 0)
  for (const [domain, { next }] of settings.domains) {
    assert.equal(parseDomain(domain), domain)
    assert.ok(next === undefined || settings.hops.has(next))
  }
  for (const listener of settings.listeners) {
    assert.ok(settings.hops.has(listener.next))
    // Whatever was spoiled: a stranger may not use what sends anywhere.
    const mayUse = networkMatcher(listener.clients)
    if (listener.role === 'outbound') for (const stranger of ['8.8.8.8', '2a00:1450::1', '::ffff:8.8.8.8', undefined]) assert.ok(stranger === undefined || !mayUse(stranger), `${listener.clients.join()} lets ${stranger} in`)
    for (const list of Object.values(listener.trust)) assert.ok(!networkMatcher(list as readonly string[])('8.8.8.8'))
  }
  for (const value of Object.values<number>({ ...settings.limits, ...settings.timeouts })) assert.ok(Number.isSafeInteger(value) && value >= 1)
})

fuzz('networks', 30_000, (random) => {
  const words = ['0', '1', '10', '127', '192.0.2.', '255', '256', '.', ':', '::', '/', '/0', '/8', '/16', '/24', '/32', '/64', '/128', '/129', 'ffff:', '2001:db8:', '64:ff9b::', '2002:', 'unix', ' ', '%eth0', '-1', 'f']
  const text = random.chance(0.5) ? random.soup(words, 6) : random.spoil(random.pick(['192.0.2.0/24', '::ffff:192.0.2.0/120', '2001:db8::/32', '64:ff9b::/96', '2002:c000:0200::/40']), words)
  const parsed = parseNetwork(text)
  if (parsed.status === 'refused') return assert.match(parsed.problem, /\S/)
  const { network } = parsed
  assert.ok(network.first <= network.last)
  const again = parseNetwork(formatNetwork(network))
  assert.ok(again.status === 'network')
  assert.deepEqual(again.network, network)
  // Nothing that is allowed takes in the world.
  if (networkProblem(network) === undefined && trustedNetwork.read(text).status === 'read') {
    for (const stranger of [['8.8.8.8', '1.1.1.1'], ['2a00:1450::1', '2606:4700::1']] as const) assert.ok(!stranger.every((one) => networkMatcher([text])(one)), text)
  }
})

const NAMES = ['bob', 'anna', 'info', '@', 'hop.example', 'other.example', ':', ',', ' ', '\n', '\r\n', '\n ', '"', '\\', '#', '|', '/', '..', '.', '\0', '\t', '5000', '-1', 'ü', '\u202e', '+', ':include:', '/bin/sh', 'postmaster', '{local}']
const DOMAINS = new Set(['hop.example', 'other.example'].map((name) => {
  const domain = parseDomain(name)
  assert.ok(domain !== null)
  return domain
}))

fuzz('users and aliases', 20_000, (random) => {
  const users = parseUsers(random.chance(0.5) ? random.soup(NAMES, 30) : random.spoil('bob:x:5000:5001::/home/bob:\nanna@hop.example\n# comment\ninfo\n', NAMES))
  const aliases = parseAliases(random.chance(0.5) ? random.soup(NAMES, 30) : random.spoil('postmaster: bob, anna\ninfo: postmaster\n  , bob@hop.example\n"a b"@hop.example: anna\n@other.example: info\n', NAMES), DOMAINS)
  for (const result of [users, aliases]) {
    if (result.status === 'ok') continue
    assert.ok(result.problems.length > 0 && result.problems.length <= 21)
    for (const { line, what } of result.problems) assert.ok(line >= 0 && what.length > 5)
  }
  if (users.status !== 'ok' || aliases.status !== 'ok') return
  const book = { users: users.value, aliases: aliases.value, domains: DOMAINS, suffix: '+-', catchAll: undefined }
  checkAddressBook(book)
  for (const domain of DOMAINS) {
    const resolution = resolveAddress(book, { local: random.pick(['bob', 'info', 'postmaster', 'bob+x', 'nobody', 'a b']), domain })
    if (resolution.status === 'mailboxes') {
      for (const { local, domain: of } of resolution.mailboxes) {
        // RFC 5321 §4.5.1: postmaster has a mailbox in any case.
        assert.ok(users.value.find(local, of) !== undefined || local === 'postmaster', `${local} is no user`)
      }
    }
  }
})

fuzz('paths of mailboxes', 30_000, (random) => {
  const words = ['..', '.', '/', '\0', '\n', 'bob', '{local}', '{domain}', '{user}', '{', '}', 'ü', 'x'.repeat(200), ' ', '\x7f', '\\']
  const { status } = parseMailboxTemplate(random.soup(words, 6))
  assert.ok(['ok', 'malformed'].includes(status))
  const template = parseMailboxTemplate(random.pick(['/var/mail/{domain}/{local}', './{user}', '/mail/x-{local}.d/{domain}']))
  assert.ok(template.status === 'ok')
  const made = mailboxPath(template.template, { local: random.soup(words, 3), domain: random.soup(['hop.example', '..', '/', '[192.0.2.1]'], 2), user: random.soup(words, 3) })
  if (made.status === 'unsafe') return assert.match(made.why, /\S/)
  const { path, fixed, names } = made.path
  for (const name of names) {
    assert.ok(!name.includes('/') && !/[\x00-\x1f]/.test(name) && Buffer.byteLength(name) <= 255, JSON.stringify(name))
  }
  assert.equal(names.length, template.template.names.length)
  assert.equal(join(fixed, ...names), join(path), 'nobody gets out of the folder')
})
