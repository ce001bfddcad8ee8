/** `postern import`: what it writes is a configuration that `postern check` takes, and says what is different. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runImport } from '../../../src/cli/import.ts'
import { loadConfiguration } from '../../../src/config/load.ts'
import { describeError } from '../../../src/config/problem.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { writeKey } from '../../support/signature-check.ts'

const directory = temporaryDirectory('import')
const key = writeKey(join(directory, 'private.key')).file

interface Ran {
  readonly code: number
  readonly yaml: string
  readonly warnings: string
}

function imported(from: 'dkimproxy' | 'opendkim', files: Readonly<Record<string, string>>): Ran {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  let yaml = ''
  let warnings = ''
  const code = runImport({ from, files: Object.keys(files) }, { cwd: directory, out: (text) => (yaml += text), err: (text) => (warnings += text) })
  return { code, yaml, warnings }
}

/** The configuration that it comes to; with a state directory that may be written. */
function loaded({ yaml }: Ran): Extract<ReturnType<typeof loadConfiguration>, { status: 'ok' }>['settings'] {
  mkdirSync(join(directory, 'state'), { recursive: true })
  const file = join(directory, 'postern.yaml')
  writeFileSync(file, yaml.replace('/var/lib/postern', join(directory, 'state')))
  const read = loadConfiguration({ file, environment: {}, cwd: directory })
  if (read.status !== 'ok') assert.fail(`${yaml}\n${read.status === 'invalid' ? read.errors.map(describeError).join('\n') : read.cause}`)
  return read.settings
}

const OUT = `listen 127.0.0.1:10027\nrelay [::1]:10028\ndomain example.com\nsignature dkim(c=relaxed/relaxed,a=rsa-sha256)\nkeyfile ${key}\nselector sel\n`

describe('dkimproxy', () => {
  test('the configuration of set-up A', () => {
    const ran = imported('dkimproxy', { 'dkimproxy_out.conf': OUT })
    assert.equal(ran.code, 0)
    assert.match(ran.yaml, /# mail from example\.com and below; DKIMproxy signs all mail/)
    const settings = loaded(ran)
    const [listener] = settings.listeners
    assert.deepEqual([listener?.role, listener?.transparent, listener?.listen], ['outbound', true, [{ kind: 'tcp', host: '127.0.0.1', port: 10027 }]])
    assert.match(ran.yaml, /smtp: "\[::1\]:10028"/)
    assert.match(ran.yaml, /on_error: unsigned/)
  })

  test('domains, maps, access, and both files at once', () => {
    const ran = imported('dkimproxy', {
      'out.conf': `${OUT}domain example.com,example.org\nsender_map senders\nlistid_map lists\ncidr_allow 10.0.0.0/8 192.0.2.0/24\nallow x\nuser nobody\nreject_error 1\nlog_file Sys::Syslog\n`,
      'in.conf': 'listen 127.0.0.1:10025\nrelay 127.0.0.1:10026\nhostname mx.example.org\nreject_fail 1\n',
    })
    assert.equal(ran.code, 0)
    for (const text of ['sender_map|senders cannot be read', 'user has no counterpart', 'allow has no counterpart', 'log_file has no counterpart']) assert.match(ran.warnings, new RegExp(text))
    assert.match(ran.yaml, /CHANGE THIS: whom mail is accepted for/)
    const settings = loaded(ran)
    assert.deepEqual(settings.listeners.map(({ name, role, clients }) => [name, role, clients]).slice(0, 1), [['sign', 'outbound', ['10.0.0.0/8', '192.0.2.0/24']]])
    assert.equal(settings.hostname, 'mx.example.org')
    assert.match(ran.yaml, /on_error: tempfail/)
  })

  test('maps become keys with senders and lists; what cannot be said is warned of with its line', () => {
    writeFileSync(join(directory, 'senders'), `anna@example.net dkim(s=anna,d=$keydomain)\nexample.net dkim(s=net), domainkeys\nother.example dkim(d=example.net,s=other)\n. dkim\nx.example dkim(d=$senderdomain)\n`)
    writeFileSync(join(directory, 'lists'), 'news.example.org dkim(s=list)\n')
    const ran = imported('dkimproxy', { 'out.conf': `${OUT}sender_map senders\nlistid_map lists\n` })
    assert.match(ran.yaml, /domain: example\.net, selector: anna, [^\n]*senders: \["anna@example\.net"\]/)
    assert.match(ran.yaml, /domain: example\.net, selector: net, [^\n]*subdomains: true/)
    assert.match(ran.yaml, /only other\.example itself[^]*domain: example\.net, selector: other, [^\n]*senders: \["@other\.example"\]/)
    assert.match(ran.yaml, /selector: list, [^\n]*list_ids: \[news\.example\.org, "\.news\.example\.org"\]/)
    assert.match(ran.warnings, /senders:2: DomainKeys has no counterpart[^]*senders:4: "\."[^]*senders:5: "x\.example"/)
    loaded(ran)
  })

  test('files that are not there, or wrong', () => {
    assert.equal(runImport({ from: 'dkimproxy', files: ['nowhere'] }, { cwd: directory, out: () => undefined, err: () => undefined }), 66)
    const wrong = imported('dkimproxy', { 'bad.conf': 'listen nothing\nrelay x\nchroot /x\n' })
    assert.deepEqual([wrong.code, wrong.yaml], [65, ''])
    assert.match(wrong.warnings, /bad\.conf:3: chroot/)
  })
})

describe('opendkim', () => {
  test('one key for domains', () => {
    writeFileSync(join(directory, 'hosts'), '# trusted\n127.0.0.1\n10.1.0.0/16\n*.example.com\n')
    const ran = imported('opendkim', { 'opendkim.conf': `Domain example.com, *.example.net # two\nSelector 2020\nKeyFile ${key}\nCanonicalization relaxed/simple\nMode sv\nSocket inet:8891@localhost\nInternalHosts ${join(directory, 'hosts')}\nOversignHeaders From\nSignatureTTL 604800\nRequiredHeaders yes\nSignHeaders *,+x-y\nUserID opendkim\n` })
    assert.equal(ran.code, 0)
    for (const text of ['RequiredHeaders has no counterpart', 'Mode sv', 'InternalHosts names "\\*.example.com"', 'SignHeaders changes a list']) assert.match(ran.warnings, new RegExp(text))
    const settings = loaded(ran)
    assert.deepEqual(settings.listeners[0]?.clients, ['127.0.0.0/8', '::1', '10.1.0.0/16'])
    assert.match(ran.yaml, /domain: example\.net, selector: "2020", [^\n]*subdomains: true/)
    assert.match(ran.yaml, /canonicalization: relaxed\/simple[^]*oversign: \[from\][^]*expire: 604800s/)
  })

  test('tables', () => {
    writeFileSync(join(directory, 'KeyTable'), `k example.com:s:${key}\n`)
    writeFileSync(join(directory, 'SigningTable'), '*@example.com k\n')
    const ran = imported('opendkim', { 'opendkim.conf': `KeyTable file:${join(directory, 'KeyTable')}\nSigningTable refile:${join(directory, 'SigningTable')}\nMultipleSignatures yes\nMode s\nSignatureTTL 60\n` })
    assert.match(ran.yaml, /multiple_signatures: true/)
    assert.match(ran.yaml, /canonicalization: simple\/simple {2}# OpenDKIM's default/)
    assert.match(ran.warnings, /SignatureTTL is 60 seconds/)
    loaded(ran)
  })

  test('what is no opendkim.conf', () => {
    assert.equal(imported('opendkim', { empty: '# nothing\n' }).code, 65)
    assert.match(imported('opendkim', { few: 'Mode s\n' }).warnings, /do not make a key together/)
  })
})
