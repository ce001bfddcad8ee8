/** `postern check`: what it prints, and its exit codes. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { runCheck } from '../../../src/cli/check.ts'
import type { Machine } from '../../../src/config/machine.ts'
import type { ReadRulesForCheck } from '../../../src/cli/check-rules.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { run, temporaryDirectory } from '../../support/process.ts'
import { exampleNames, prepareExample, TEST_MACHINE } from '../../support/settings.ts'

interface Output {
  readonly code: number
  readonly out: string
  readonly err: string
}

const countless = (out: string): string => out.replace(/^( {2}rules {6})\d+/m, '$1N')

async function check(cwd: string, options: { config?: string; environment?: Record<string, string>; machine?: Partial<Machine>; readRules?: ReadRulesForCheck } = {}): Promise<Output> {
  const written = { out: '', err: '' }
  const code = await runCheck({ config: options.config }, {
    cwd, environment: options.environment ?? {}, machine: { ...TEST_MACHINE, ...options.machine }, searchPath: ['postern.yaml'], ...(options.readRules !== undefined && { readRules: options.readRules }),
    out: (text) => { written.out += text },
    err: (text) => { written.err += text },
  })
  return { code, ...written }
}

const main = join(import.meta.dirname, '../../../src/main.ts')

test('without a file the embedded default is checked, and is fine before it was ever started', async () => {
  const cwd = temporaryDirectory('check')
  const { code, out, err } = await check(cwd)
  assert.equal(code, 0)
  assert.equal(err, '')
  assert.equal(countless(out), `configuration OK: embedded default
  hostname   mx.test.example
  inbound    inbound: SMTP on 127.0.0.1:2525, no TLS
             to hop local: Maildirs ${cwd}/var/mail/{domain}/{local}, everybody is a user
  domains    localhost
  rules      N are used
`)
})

test('the summary names listeners, roles, hops, clients and domains', async () => {
  const cwd = temporaryDirectory('check')
  prepareExample('standalone.yaml', cwd)
  const { code, out, err } = await check(cwd, { config: 'standalone.yaml', machine: { addresses: () => [] } })
  // Whether /var/mail is there is this machine's affair.
  const expected = `configuration OK: ${cwd}/standalone.yaml
  hostname   mx.example.org
  inbound    inbound: SMTP on 0.0.0.0:25, [::]:25, TLS starttls
             to hop local: Maildirs /var/mail/{domain}/{local}
  submission submissions: SMTP on 0.0.0.0:465, [::]:465, TLS implicit
             to hop smarthost: SMTP mail.relay.example:587, TLS required, as example
             for users of ${cwd}/users
  submission submission: SMTP on 0.0.0.0:587, [::]:587, TLS required
             to hop smarthost: SMTP mail.relay.example:587, TLS required, as example
             for users of ${cwd}/users
  outbound   relay: SMTP on 0.0.0.0:2525, TLS starttls
             to hop smarthost: SMTP mail.relay.example:587, TLS required, as example
             for 127.0.0.0/8, ::1, 192.168.1.0/24
  domains    example.org, example.com
  signing    s2026._domainkey.example.org
  rules      N are used
`
  if (err === '') assert.deepEqual({ code, out: countless(out) }, { code: 0, out: expected })
  else assert.match(err, /^\S+standalone\.yaml: hops\.local\.maildir: \/var\/mail must exist/)
})

test('all errors go to standard error, each on its line, and the exit code is 78', async () => {
  const cwd = temporaryDirectory('check')
  writeFileSync(join(cwd, 'postern.yaml'), 'hostnme: x\nworkers: 99\nlisteners: []\nhops: {}\n')
  const { code, out, err } = await check(cwd, { environment: { POSTERN_LOG_LEVEL: 'loud', POSTERN_WORKRES: '1' } })
  assert.equal(code, 78)
  assert.equal(out, '')
  const lines = err.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^environment variable POSTERN_LOG_LEVEL: log\.level: found "loud"; allowed: debug, info, warn, error$/)
  assert.match(lines[1] ?? '', /postern\.yaml:1:1: hostnme: unknown key; did you mean "hostname"\?/)
  assert.match(lines[2] ?? '', /postern\.yaml:2:1: workers: found "99"; allowed: auto, or an integer from 0 to 64$/)
  assert.match(lines[3] ?? '', /postern\.yaml:3:1: listeners: found 0 entries/)
  assert.match(lines[4] ?? '', /postern\.yaml:4:1: hops: found 0 entries/)
  assert.match(lines[5] ?? '', /^warning: environment variable POSTERN_WORKRES: .* did you mean POSTERN_WORKERS\?$/)
  assert.match(lines[6] ?? '', /^5 errors in .*postern\.yaml$/)
  assert.equal(lines.length, 7)
})

test('a syntax error is an error of the configuration', async () => {
  const cwd = temporaryDirectory('check')
  writeFileSync(join(cwd, 'postern.yaml'), 'listeners: [\n')
  const { code, err } = await check(cwd)
  assert.equal(code, 78)
  assert.match(err, /postern\.yaml:2:1: not valid YAML: .*\n1 error in /)
})

test('rules that come with Postern and cannot be read: 66, and the configuration is not to blame', async () => {
  const cwd = temporaryDirectory('check')
  const unread = (): Promise<never> => Promise.reject(new ShippedRulesUnread('the rules that come with Postern cannot be read: EACCES'))
  assert.deepEqual(await check(cwd, { readRules: unread }), { code: 66, out: '', err: 'the rules that come with Postern cannot be read: EACCES\nno errors in embedded default\n' })
})

test('a file that is not there: 66', async () => {
  const cwd = temporaryDirectory('check')
  const { code, out, err } = await check(cwd, { config: 'none.yaml' })
  assert.deepEqual({ code, out, err }, { code: 66, out: '', err: `${cwd}/none.yaml: there is no such file\n` })
})

const local = (cwd: string, rest: string): void =>
  writeFileSync(join(cwd, 'postern.yaml'), `listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: local }]\nhops: { local: { maildir: "mail/{user}", ${rest} } }\ndomains: [example.org]\n`)

test('what the users and aliases files hold is checked too', async () => {
  const cwd = temporaryDirectory('check')
  mkdirSync(join(cwd, 'mail'))
  local(cwd, 'users: users, aliases: aliases, catch_all: nobody')
  writeFileSync(join(cwd, 'users'), 'anna\n../root\nanna\n')
  writeFileSync(join(cwd, 'aliases'), 'a: "|/bin/sh"\n')
  const { code, err } = await check(cwd)
  assert.equal(code, 78)
  assert.match(err, /users.*2/)
  assert.match(err, /aliases.*1.*not piped into commands/)
  writeFileSync(join(cwd, 'users'), 'anna\n')
  writeFileSync(join(cwd, 'aliases'), 'a: anna\n')
  const again = await check(cwd)
  assert.equal(again.code, 78)
  assert.match(again.err, /postern\.yaml: hops\.local\.catch_all: nobody is neither user nor alias\n1 error in/)
  local(cwd, 'users: users, aliases: aliases, catch_all: anna')
  assert.deepEqual(await check(cwd).then(({ code: fine, err: text }) => ({ fine, text })), { fine: 0, text: '' })
})

test('the place of the Maildirs must be there', async () => {
  const cwd = temporaryDirectory('check')
  local(cwd, 'suffix: "+"')
  const { code, err } = await check(cwd)
  assert.equal(code, 78)
  assert.match(err, /postern\.yaml: hops\.local\.maildir: \S+\/mail must exist/)
})

test('a check may be made by another user than Postern runs as', async () => {
  const cwd = temporaryDirectory('check')
  mkdirSync(join(cwd, 'mail'))
  local(cwd, 'owner: vmail')
  const { code, err } = await check(cwd, { machine: { uid: () => 1000 } })
  assert.equal(code, 0)
  assert.match(err, /^warning: .*hops\.local\.owner: only root can give files to another user/)
})

test('the command itself: examples pass, a world-wide client list does not', async () => {
  for (const name of exampleNames().filter((one) => one !== 'standalone.yaml')) {
    const cwd = temporaryDirectory('check')
    prepareExample(name, cwd)
    const { code, output } = await run([process.execPath, main, 'check', '--config', name], { cwd })
    assert.equal(code, 0, output)
    assert.match(output, /^configuration OK: /m)
  }
  const cwd = temporaryDirectory('check')
  writeFileSync(join(cwd, 'open.yaml'), 'listeners: [{ name: out, role: outbound, listen: "0.0.0.0:25", clients: ["0.0.0.0/0"], next: b }]\nhops: { b: { smtp: "mail.example:25" } }\n')
  const { code, output } = await run([process.execPath, main, 'check', '--config', 'open.yaml'], { cwd })
  assert.equal(code, 78)
  assert.doesNotMatch(output, /OK/)
  assert.match(output, /open\.yaml:1:\d+: listeners\[0\]\.clients\[0\]: "0\.0\.0\.0\/0" is refused/)
})
