/** `spam` in the configuration: rules, learning, lists for links, engines; what is wrong is told with its place. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../support/process.ts'
import { loadFrom, settingsFrom } from '../../support/settings.ts'

const REST = `domains: [example.org]
listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]
hops: { backend: { smtp: "192.0.2.1:25" } }
`

const cwd = temporaryDirectory('config-spam')
for (const name of ['rules.yaml', 'pw']) writeFileSync(join(cwd, name), '', { mode: 0o600 })
for (const name of ['sa', 'spamassassin']) mkdirSync(join(cwd, name))

const spamOf = (text: string) => settingsFrom(`${text}\n${REST}`, { cwd }).spam

test('without the section: our own rules, nothing of others, nothing learned by itself', () => {
  const { rules, bayes, engines, uriLists } = spamOf('')
  assert.deepEqual(rules, { shipped: true, paths: [], scores: new Map(), spamassassin: [] })
  assert.deepEqual(bayes, { store: { kind: 'embedded' }, minMessages: 200, maxTokens: 1_000_000, expireMs: 365 * 86_400_000, learn: [], autoLearn: undefined })
  assert.deepEqual(engines, [])
  assert.deepEqual(uriLists.zones, [])
})

test('paths are taken from the directory of the file; scores are a map', () => {
  const { rules, bayes } = spamOf(`spam: { rules: rules.yaml, spamassassin: [${cwd}/spamassassin, sa], scores: [A_RULE 0.5, OTHER -1], bayes: { auto_learn: on, learn: [{ folder: "/var/mail/*/.Junk", as: spam }] } }`)
  assert.deepEqual(rules, { shipped: true, paths: [join(cwd, 'rules.yaml')], scores: new Map([['A_RULE', 0.5], ['OTHER', -1]]), spamassassin: [join(cwd, 'spamassassin'), join(cwd, 'sa')] })
  assert.deepEqual([bayes.learn, bayes.autoLearn], [[{ folder: '/var/mail/*/.Junk', as: 'spam' }], { spam: 15, ham: -2 }])
})

test('engines: each kind with its defaults, and what belongs to others is refused', () => {
  const { engines } = spamOf('spam: { engines: [{ kind: rspamd, password_file: pw, weight: 0.5 }, { kind: clamav, address: "unix:clamd.sock", down: tempfail, spam_names: Sanesecurity.Junk 3, too_big: reject }, { kind: spamassassin, user: recipient }] }')
  assert.deepEqual(engines.map(({ kind, name, timeoutMs, down }) => [kind, name, timeoutMs, down]), [['rspamd', 'rspamd', 10_000, 'flow'], ['clamav', 'clamav', 30_000, 'tempfail'], ['spamassassin', 'spamassassin', 20_000, 'flow']])
  const [rspamd, clamav, spamassassin] = engines
  assert.ok(rspamd?.kind === 'rspamd' && clamav?.kind === 'clamav' && spamassassin?.kind === 'spamassassin')
  assert.deepEqual([rspamd.address, rspamd.passwordFile, rspamd.counts.weight, clamav.address, spamassassin.user, clamav.spamNames, clamav.tooBig], [{ host: '127.0.0.1', port: 11333 }, join(cwd, 'pw'), 0.5, { path: join(cwd, 'clamd.sock') }, 'recipient', [{ prefix: 'Sanesecurity.Junk', score: 3 }], 'reject'])
})

test('lists for links: each kind, and a list of hashes without a test point is refused', () => {
  const { uriLists } = spamOf('spam: { uri_lists: [dbl.spamhaus.org, { zone: ebl.example, kind: hash, of: email, algorithm: sha1, encoding: hex, test: { listed: test@example.com } }, { zone: multi.example, kind: address, weight: 1 }] }')
  assert.deepEqual(uriLists.zones.map(({ zone, kind, weight }) => [zone, kind, weight]), [['dbl.spamhaus.org', 'domain', 2], ['ebl.example', 'hash', 2], ['multi.example', 'address', 1]])
})

test('what is wrong is told with key and what is allowed', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['spam: { scores: [A_RULE much] }', 'spam.scores[0]', /found/],
    ['spam: { engines: [{ kind: rspamt }] }', 'spam.engines[0].kind', /rspamt/],
    ['spam: { engines: [{ kind: rspamd, too_big: reject }] }', 'spam.engines[0].too_big', /rspamd has no such key/],
    ['spam: { engines: [{ kind: clamav, user: x }] }', 'spam.engines[0].user', /clamav has no such key/],
    ['spam: { engines: [{ kind: rspamd, tls_name: x }] }', 'spam.engines[0].tls_name', /does nothing without tls/],
    ['spam: { uri_lists: [{ zone: ebl.example, kind: hash, of: email, algorithm: sha1, encoding: hex }] }', 'spam.uri_lists[0]', /test point/],
    ['spam: { uri_lists: [{ zone: dbl.example, ipv6: true }] }', 'spam.uri_lists[0].ipv6', /kind domain has no such key/],
    ['spam: { bayes: { learn: [{ folder: /x, as: junk }] } }', 'spam.bayes.learn[0].as', /junk/],
    ['spam: { rules: [nothing-there.yaml] }', 'spam.rules[0]', /neither file nor folder/],
    ['spam: { engines: [{ kind: rspamd }, { kind: spamassassin, name: rspamd }] }', 'spam.engines[1].name', /two engines/],
    ['spam: { uri_lists: [a.example, a.example] }', 'spam.uri_lists[1]', /stands twice/],
    ['spam: { bayes: { learn: [{ folder: "/var/mail/**/.Junk", as: spam }] } }', 'spam.bayes.learn[0].folder', /found "?\*\*"? in it/],
    ['spam: { bayes: { learn: [{ folder: "/var/mail/*/.Junk*", as: spam }] } }', 'spam.bayes.learn[0].folder', /\.Junk\*/],
    ['policy: { spam: { tag: 5 } }\nspam: { bayes: { auto_learn: on, auto_learn_spam: 4 } }', 'spam.bayes.auto_learn_spam', /below 5/],
    ['spam: { bayes: { auto_learn: on, auto_learn_spam: 3 } }', 'spam.bayes.auto_learn_spam', /below 5/],
    ['policy: { spam: { tag: 5 } }\ndomains: [a.example, { domain: b.example, spam: { tag: 9 } }]\nspam: { bayes: { auto_learn: on, auto_learn_spam: 8 } }', 'spam.bayes.auto_learn_spam', /below 9, from which mail to b\.example/],
    ['spam: { bayes: { auto_learn_ham: 2 } }', 'spam.bayes.auto_learn_ham', /found/],
  ]
  for (const [text, key, problem] of cases) {
    const loaded = loadFrom(`${text}\n${text.includes('domains:') ? REST.replace(/^domains:.*\n/, '') : REST}`, { cwd: '/etc/postern' })
    assert.ok(loaded.status === 'invalid', text)
    const { errors } = loaded
    assert.ok(errors.some((one) => one.key === key && problem.test(one.problem)), `${text}: ${JSON.stringify(errors)}`)
  }
})
