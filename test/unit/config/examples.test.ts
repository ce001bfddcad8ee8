/** The examples of config/: each is valid as it stands, and uses nothing that is not documented. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { describeError } from '../../../src/config/problem.ts'
import { parseSource } from '../../../src/config/source.ts'
import type { Located } from '../../../src/config/source.ts'
import { parseAliases } from '../../../src/delivery/aliases.ts'
import { parseUsers } from '../../../src/delivery/users.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { exampleNames, loadExample } from '../../support/settings.ts'

const root = join(import.meta.dirname, '../../..')
const reference = readFileSync(join(root, 'docs/configuration.md'), 'utf8')

test('there is an example for each of the three uses', () => {
  assert.deepEqual(exampleNames().toSorted(), ['dkimproxy-replacement.yaml', 'front-of-mta.yaml', 'standalone.yaml'])
})

/** Keys as the reference names them: `listeners[].tls.cert`, `hops.<name>.smtp`. */
function keysOf(node: Located, at = ''): readonly string[] {
  switch (node.kind) {
    case 'scalar': return [at]
    case 'list': return node.items.flatMap((item) => keysOf(item, item.kind === 'map' ? `${at}[]` : at))
    case 'map': return Array.from(node.entries).flatMap(([name, { value }]) => keysOf(value, at === '' ? name : at === 'hops' ? 'hops.<name>' : `${at}.${name}`))
  }
}

for (const name of exampleNames()) {
  test(`${name} is valid, without a warning`, () => {
    const loaded = loadExample(name, temporaryDirectory('config'))
    assert.equal(loaded.status === 'invalid' ? loaded.errors.map(describeError).join('\n') : '', '')
    assert.ok(loaded.status === 'ok')
    assert.deepEqual(loaded.warnings, [])
  })

  test(`${name}: every key is in the reference`, () => {
    const parsed = parseSource(readFileSync(join(root, 'config', name), 'utf8'))
    assert.ok(parsed.root !== undefined)
    const keys = new Set(keysOf(parsed.root))
    assert.ok(keys.size > 8)
    for (const key of keys) assert.ok(reference.includes(`\`${key}\``), `${key} is not documented`)
  })
}

test('the commented variants of the examples are valid too', () => {
  const directory = temporaryDirectory('config')
  const loaded = loadExample('front-of-mta.yaml', directory, (text) => text
    .replace('# dovecot:', 'dovecot:').replace(/#( {3}lmtp: )/, '$1').replace('next: backend', 'next: dovecot').replace('# trust:', 'trust:')
    .replace('# - { domain: lists.example.org, next: mailman }', '- { domain: lists.example.org, next: backend }'))
  assert.equal(loaded.status === 'invalid' ? loaded.errors.map(describeError).join('\n') : '', '')
  assert.ok(loaded.status === 'ok')
  assert.deepEqual(loaded.warnings, [])
  assert.equal(loaded.settings.hops.get('dovecot')?.kind, 'lmtp')
  assert.deepEqual(loaded.settings.listeners[0]?.trust.proxy, ['10.0.0.5'])
  assert.equal(loaded.settings.domains.size, 3)
})

test('the users and aliases beside them are valid for the domains of the example', () => {
  const loaded = loadExample('standalone.yaml', temporaryDirectory('config'))
  assert.ok(loaded.status === 'ok')
  const users = parseUsers(readFileSync(join(root, 'config/users.example'), 'utf8'))
  assert.ok(users.status === 'ok')
  assert.deepEqual(users.warnings, [])
  assert.ok(users.value.knows('postmaster'))
  const aliases = parseAliases(readFileSync(join(root, 'config/aliases.example'), 'utf8'), new Set(loaded.settings.domains.keys()))
  assert.ok(aliases.status === 'ok', JSON.stringify(aliases))
  assert.deepEqual(aliases.warnings, [])
})

test('the replacement of DKIMproxy is transparent, and signs', () => {
  const loaded = loadExample('dkimproxy-replacement.yaml', temporaryDirectory('examples'))
  assert.ok(loaded.status === 'ok')
  assert.deepEqual(loaded.settings.listeners.map(({ role, transparent }) => [role, transparent]), [['outbound', true]])
  assert.equal(loaded.settings.signing.keys.length, 1)
})
