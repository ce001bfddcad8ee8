/** `dns`, `policy` and what goes with them: presets and what changes them, lists, exceptions, shadow, allow list; and what is refused. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { evaluate } from '../../../src/policy/condition.ts'
import { CHECKS, PRESET_ACTIONS, PRESET_THRESHOLDS, PRESETS } from '../../../src/policy/policy.ts'
import { networkMatcher } from '../../../src/config/networks.ts'
import { describeError } from '../../../src/config/problem.ts'
import { policyToDecideBy } from '../../../src/policy/written.ts'
import { temporaryDirectory } from '../../support/process.ts'
import * as support from '../../support/settings.ts'

const directory = temporaryDirectory('policy')

function loadFrom(text: string): ReturnType<typeof support.loadFrom> {
  return support.loadFrom(text, { cwd: directory })
}

function settingsFrom(text: string, environment = {}): ReturnType<typeof support.settingsFrom> {
  return support.settingsFrom(text, { cwd: directory, environment })
}

const REST = `
domains: [example.org]
listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]
hops: { backend: { smtp: "192.0.2.1:25" } }
`

function problems(text: string): string[] {
  const loaded = loadFrom(text + REST)
  return loaded.status === 'invalid' ? loaded.errors.map(describeError) : []
}

function warnings(text: string): readonly string[] {
  const loaded = loadFrom(text + REST)
  assert.equal(loaded.status, 'ok')
  return loaded.warnings
}

test('without a policy it is the preset standard, for everybody but this machine', () => {
  const { policy, dns } = settingsFrom(REST)
  assert.equal(policy.preset, 'standard')
  assert.deepEqual(policy.exempt, ['127.0.0.0/8', '::1', 'unix'])
  for (const check of CHECKS) assert.equal(policy.policy.checks[check].action, PRESET_ACTIONS.standard[check])
  assert.deepEqual([policy.greylist, policy.shadow, policy.allow, policy.dnsLists], [undefined, undefined, undefined, []])
  assert.deepEqual(dns, { servers: undefined, timeoutMs: undefined, tries: undefined, cacheEntries: 20_000 })
})

test('each preset, and each key that changes it', () => {
  for (const preset of PRESETS) {
    const { policy } = settingsFrom(`policy: { preset: ${preset} }${REST}`)
    for (const check of CHECKS) assert.equal(policy.policy.checks[check].action, PRESET_ACTIONS[preset][check])
    assert.deepEqual(policy.policy.spam, PRESET_THRESHOLDS[preset])
    assert.equal(policy.greylist !== undefined, preset === 'strict')
  }
  for (const check of CHECKS) {
    const key = check === 'dnsbl' ? 'dnsbl: { action: off }' : check === 'rate' ? 'rate: { action: off }' : `${check}: off`
    const { policy } = settingsFrom(`policy: { preset: strict, ${key} }${REST}`)
    for (const other of CHECKS) assert.equal(policy.policy.checks[other].action, other === check ? 'off' : PRESET_ACTIONS.strict[other])
  }
  const { policy } = settingsFrom(`policy: { preset: strict, spam: { tag: 4.5, quarantine: never }, weights: { spf: 7 }, greylist: { action: off }, dns_down: tempfail }${REST}`)
  assert.deepEqual(policy.policy.spam, { tag: 4.5, quarantine: undefined, reject: 15 })
  assert.equal(policy.policy.checks.spf.weight, 7)
  assert.equal(policy.greylist, undefined)
  assert.equal(policy.policy.dnsDown, 'tempfail')
})

test('thresholds of a domain: what it leaves out is as the policy says, not as the preset does; never is never', () => {
  const path = join(directory, 'shadow-thresholds.yaml')
  writeFileSync(path, 'policy: { preset: strict, spam: { tag: 3, quarantine: 8, reject: 11 } }\n')
  const { domains } = settingsFrom(`policy: { preset: strict, shadow: ${path}, spam: { quarantine: 9, reject: never } }${REST.replace('domains: [example.org]', 'domains: [example.org, { domain: a.example, spam: { tag: 4 } }, { domain: b.example, spam: { quarantine: never, reject: 20 } }]')}`)
  const found = (name: string) => [...domains].find(([domain]) => domain === name)?.[1]
  assert.deepEqual([found('example.org')?.spam, found('example.org')?.shadowSpam], [undefined, undefined])
  assert.deepEqual([found('a.example')?.spam, found('a.example')?.shadowSpam], [{ tag: 4, quarantine: 9, reject: undefined }, { tag: 4, quarantine: 8, reject: 11 }])
  assert.deepEqual([found('b.example')?.spam, found('b.example')?.shadowSpam], [{ tag: 5, quarantine: undefined, reject: 20 }, { tag: 3, quarantine: undefined, reject: 20 }])
})

test('resolvers, lists, rates', () => {
  const settings = settingsFrom(`dns: { servers: [127.0.0.1, "[::1]:5353"], timeout: 2s, tries: 1 }
policy:
  dnsbl:
    action: reject
    lists:
      - zen.spamhaus.org
      - { zone: List.DNSWL.org, kind: allow, weight: 1.5, ipv6: false, codes: ["127.0.[2..20].[1..3]", { code: 127.0.0.9, weight: 4, label: high }] }
  rate: { connections_per_network: 60/1m, messages_per_sender: 1000/d, sessions_per_address: 5 }
  exempt: [192.0.2.0/24, unix]
${REST}`)
  assert.deepEqual(settings.dns, { servers: [{ host: '127.0.0.1', port: 53 }, { host: '::1', port: 5353 }], timeoutMs: 2000, tries: 1, cacheEntries: 20_000 })
  assert.deepEqual(settings.policy.dnsLists, [
    { zone: 'zen.spamhaus.org', kind: 'block', weight: 2, ipv6: true },
    { zone: 'list.dnswl.org', kind: 'allow', weight: 1.5, ipv4: true, ipv6: false, codes: [{ code: '127.0.[2..20].[1..3]' }, { code: '127.0.0.9', weight: 4, label: 'high' }] },
  ])
  assert.deepEqual(settings.policy.rates, {
    connections: { network: { most: 60, windowMs: 60_000 } }, messages: { sender: { most: 1000, windowMs: 86_400_000 } }, recipients: {}, sessions: { address: 5 },
  })
  assert.deepEqual(settings.policy.exempt, ['192.0.2.0/24', 'unix'])
  const fromEnvironment = settingsFrom(REST, { POSTERN_POLICY_DNSBL_LISTS: 'zen.spamhaus.org, psbl.surriel.com', POSTERN_POLICY_PRESET: 'observe' })
  assert.deepEqual(fromEnvironment.policy.dnsLists.map(({ zone }) => zone), ['zen.spamhaus.org', 'psbl.surriel.com'])
  assert.equal(fromEnvironment.policy.preset, 'observe')
})

test('an exception becomes a condition over facts', () => {
  const { policy } = settingsFrom(`policy:
  exceptions:
    - checks: [rdns, fcrdns]
      when: { spf: pass, spf_domain: [.partner.example], not: { client: [192.0.2.0/24] } }
      reason: their relay has no name
${REST}`)
  const [exception] = policyToDecideBy(policy.policy, networkMatcher).exceptions
  assert.ok(exception !== undefined)
  assert.deepEqual([exception.checks, exception.reason], [['rdns', 'fcrdns'], 'their relay has no name'])
  const truth = (client: string) => evaluate(exception.when, (name) => ({ status: 'known', values: { spf: ['pass'], spf_domain: ['mail.partner.example'], client: [client] }[name as string] ?? [] }))
  assert.deepEqual([truth('198.51.100.1'), truth('192.0.2.9')], ['true', 'false'])
})

test('settings are plain data: workers are sent them, exceptions of every kind among them', () => {
  writeFileSync(join(directory, 'shadow.yaml'), 'policy: { exceptions: [{ checks: [dnsbl], when: { dnsbl: listed }, reason: x }] }\n')
  const settings = settingsFrom(`policy:
  shadow: shadow.yaml
  dnsbl: { lists: [{ zone: a.example, codes: ["127.0.0.[2..8]", "&0.0.0.4"] }] }
  exceptions:
    - { checks: [rdns], when: { spf: pass, spf_domain: [.partner.example], not: { client: [192.0.2.0/24] } }, reason: x }
    - { checks: [content], when: { any: [{ sender: a@b.example }, { recipient: "@b.example" }] }, reason: y }
spam: { engines: [{ kind: clamav, spam_names: [Junk 3] }], bayes: { learn: [{ folder: "/var/mail/*/.Junk", as: spam }] } }
${REST}`)
  assert.deepEqual(structuredClone(settings), settings)
})

test('what is wrong is told with its place and what is allowed', () => {
  const found = problems(`dns: { servers: [localhost] }
policy:
  preset: stric
  rdns: honour
  dmarc: reject
  exempt: [all]
  spam: { tag: 0 }
  rate: { connections_per_address: 60 }
  trusted_sealers: ["[192.0.2.1]"]
  dnsbl: { lists: [{ zone: a.example, wight: 3, codes: ["10.0.0.1"] }, { weight: 2 }, b.example, b.example] }
  exceptions: [{ checks: [rnds], when: { spff: pass } }, { checks: [rdns], when: { spf: passed }, reason: x }]
`)
  const starts = [
    'test.yaml:1:18: dns.servers[0]: found "localhost"; allowed: an IP address',
    'test.yaml:3:3: policy.preset: found "stric"; did you mean "strict"?; allowed: observe, standard, strict',
    'test.yaml:4:3: policy.rdns: found "honour"; allowed: off, note, warn',
    'test.yaml:5:3: policy.dmarc: found "reject"; allowed: off, note, warn, score, honour',
    'test.yaml:6:12: policy.exempt[0]: "all" is not a network',
    'test.yaml:7:11: policy.spam.tag: found "0"; allowed: more than 0 points; or never',
    'test.yaml:8:11: policy.rate.connections_per_address: found "60"; allowed: a number in a time, such as 60/1m',
    'test.yaml:9:21: policy.trusted_sealers[0]: "[192.0.2.1]" is not a domain name',
  ]
  for (const [i, start] of starts.entries()) assert.ok(found[i]?.startsWith(start), `${found[i] ?? 'nothing'}\nis not\n${start}`)
  const rest = found.slice(starts.length).join('\n')
  for (const part of [
    'policy.dnsbl.lists[0].wight: unknown key; did you mean "weight"?', 'policy.dnsbl.lists[0].codes[0]: "10.0.0.1": return codes are in 127.0.0.0/8', 'policy.dnsbl.lists[1]: has no zone',
    'policy.exceptions[0].checks[0]: found "rnds"; did you mean "rdns"?', 'policy.exceptions[0]: has no reason', 'policy.exceptions[0].when.spff: there is no fact "spff"', 'policy.exceptions[1].when.spf: found "passed"',
  ]) assert.ok(rest.includes(part), `${part}\nis not in\n${rest}`)
  assert.match(problems('policy: { dnsbl: { lists: [b.example, { zone: B.example, kind: allow }] } }').join(), /lists\[1\]: the list b\.example stands twice/)
})

test('a zone with a key in it needs a name, which is told without the key', () => {
  const key = 'abcdefgh1jklmnopqrstuvwxyz'
  for (const list of [`${key}.zen.dq.example`, `{ zone: ${key}.zen.dq.example }`, `{ zone: dq.example, name: ${key} }`]) {
    for (const found of [problems(`policy: { dnsbl: { lists: ['${'x'.repeat(8)}.example', ${list}] } }`), problems(`spam: { uri_lists: [${list}] }`)]) {
      assert.equal(found.length, 1, list)
      assert.match(found[0] ?? '', /lists\[[01]\]: the (?:zone|name) has what looks like a customer's key in it/)
      assert.doesNotMatch(found[0] ?? '', /abcdef/)
    }
  }
  const { policy } = settingsFrom(`policy: { dnsbl: { lists: [{ zone: ${key}.zen.dq.example, name: zen }, all.spamrats.com, 0123456789.example] } }\n${REST}`)
  assert.deepEqual(policy.dnsLists.map(({ zone, name }) => [zone, name]), [[`${key}.zen.dq.example`, 'zen'], ['all.spamrats.com', undefined], ['0123456789.example', undefined]])
})

test('a prefix of the Subject with a blank behind it is refused, and the reason is said', () => {
  assert.match(problems('policy: { subject_prefix: "[SPAM] " }').join(), /policy\.subject_prefix: found "\[SPAM\] "; allowed: .*without blanks at its ends: one is put behind it$/)
  assert.deepEqual(problems('policy: { subject_prefix: "[SPAM]" }'), [])
})

test('what does nothing, or nothing good, is warned of', () => {
  assert.match(warnings('policy: { spam: { tag: 5, quarantine: 10, reject: 8 } }').join('\n'), /policy\.spam\.quarantine: is never reached/)
  // what the preset says counts, and what holds for one domain only
  assert.match(warnings('policy: { preset: strict, spam: { reject: 8 } }').join('\n'), /policy\.spam\.quarantine: is never reached \(10 points, by the preset strict\): from 8 points on/)
  assert.deepEqual(warnings('policy: { preset: strict, spam: { reject: 8, quarantine: never } }'), [])
  const domain = loadFrom(REST.replace('[example.org]', '[{ domain: example.org, spam: { tag: 20 } }]'))
  assert.match(domain.status === 'ok' ? domain.warnings.join('\n') : domain.status, /domains\[0\]\.spam\.tag: is never reached: from 15 points on/)
  assert.match(warnings('policy: { exempt: ["0.0.0.0/0"] }').join('\n'), /policy\.exempt: 0\.0\.0\.0\/0 is everybody/)
  assert.match(warnings('policy: { allow: /nonexistent/allow.yaml }').join('\n'), /nobody is on the list/)
  const loaded = loadFrom('policy: { preset: strict }\nlisteners: [{ name: out, role: outbound, listen: "127.0.0.1:2526", next: b }]\nhops: { b: { smtp: "192.0.2.1:25" } }\n')
  assert.match(loaded.status === 'ok' ? loaded.warnings.join('\n') : loaded.status, /policy: no listener has the role inbound/)
})

test('a shadow policy is read from its own file, and its errors are told there', () => {
  const path = join(directory, 'shadow.yaml')
  writeFileSync(path, 'policy:\n  preset: strict\n  spf: warn\n')
  const { policy } = settingsFrom(`policy: { shadow: ${path} }${REST}`)
  assert.equal(policy.shadow?.checks.dnsbl.action, 'reject')
  assert.equal(policy.shadow.checks.spf.action, 'warn')
  assert.equal(policy.policy.checks.dnsbl.action, 'warn')
  writeFileSync(path, 'policy:\n  exempt: [unix]\n  spf: wrn\nhops: {}\n')
  const found = problems(`policy: { shadow: ${path} }`)
  assert.deepEqual(found.map((one) => one.slice(0, one.indexOf(';'))).sort(), [
    `${path}:2:3: policy.exempt: unknown key`, `${path}:3:3: policy.spf: found "wrn"`, `${path}:4:1: hops: a shadow policy has no such key`,
  ])
  assert.match(problems('policy: { shadow: /nonexistent/shadow.yaml }').join(), /policy\.shadow: \/nonexistent\/shadow\.yaml: there is no such file/)
})

test('an allow list with errors is an error of the configuration', () => {
  const path = join(directory, 'allow.yaml')
  writeFileSync(path, 'entries:\n  - { id: a, match: { domain: partner.example }, scope: { checks: [rdns, greylist] }, reason: r, author: eve, expires: never }\n')
  assert.equal(settingsFrom(`policy: { allow: ${path} }${REST}`).policy.allow, path)
  assert.match(warnings(`policy: { allow: ${path} }`).join('\n'), /"a" can only be decided by the message/)
  writeFileSync(path, 'entries:\n  - { id: a, match: { domain: partner.example }, scope: { checks: [rnds] }, reason: r, author: eve, expires: never }\n')
  assert.match(problems(`policy: { allow: ${path} }`).join(), /allow\.yaml:2:\d+: .*rnds/)
})
