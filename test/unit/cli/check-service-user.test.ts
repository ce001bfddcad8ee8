/** `postern check` as root: what the user could not use whom the gateway runs as. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCheck } from '../../../src/cli/check.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { TEST_MACHINE } from '../../support/settings.ts'

const UID = 4711
const USERS = `root:x:0:0:root:/root:/bin/sh\npostern:x:${UID}:${UID}:Postern:/var/lib/postern:/usr/sbin/nologin\n`
const root = process.geteuid?.() === 0 ? false : 'only root can look as somebody else'

function desk(users = USERS) {
  const cwd = temporaryDirectory('check-service-user')
  chmodSync(cwd, 0o755)
  const put = (name: string, text: string, { uid = 0, mode = 0o600 } = {}): string => {
    const path = join(cwd, name)
    writeFileSync(path, text, { mode })
    chmodSync(path, mode)
    chownSync(path, uid, uid)
    return path
  }
  put('cert.pem', CERTIFICATE, { mode: 0o644 })
  put('key.pem', PRIVATE_KEY, { uid: UID })
  put('hop.pw', 'secret', { uid: UID })
  put('aliases', '', { mode: 0o644 })
  put('postern.yaml', `hostname: mx.test.example
state: ${cwd}/state
listeners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend, tls: { cert: cert.pem, key: key.pem } }]
hops: { backend: { smtp: "192.0.2.1:25", tls: required, user: postern, password_file: hop.pw } }
domains: [b.example]
spam: { shipped_rules: false }
`, { mode: 0o644 })
  const check = async (): Promise<{ readonly code: number; readonly warnings: readonly string[] }> => {
    let err = ''
    const code = await runCheck({}, { cwd, environment: {}, machine: { ...TEST_MACHINE, nowMs: () => Date.UTC(2026, 10, 22), userDatabase: (kind) => (kind === 'passwd' ? users : '') }, searchPath: ['postern.yaml'], terminal: false, out: () => undefined, err: (text) => void (err += text) })
    assert.equal(process.geteuid?.(), 0)
    return { code, warnings: err.split('\n').filter((line) => line.startsWith('warning: ') && !line.includes('certificate in')) }
  }
  const state = (uid: number): void => {
    mkdirSync(join(cwd, 'state'), { mode: 0o750 })
    chownSync(join(cwd, 'state'), uid, uid)
  }
  return { cwd, put, check, state }
}

test('where the owner of the state directory can use everything, nothing is said', { skip: root }, async () => {
  const { check, state } = desk()
  state(UID)
  assert.deepEqual(await check(), { code: 0, warnings: [] })
})

test('each file that he cannot read is named, with its key and whose user he is', { skip: root }, async () => {
  const { cwd, put, check, state } = desk()
  state(UID)
  put('key.pem', PRIVATE_KEY)
  put('hop.pw', 'secret')
  const { code, warnings } = await check()
  assert.equal(code, 0)
  assert.deepEqual(warnings.map((line) => line.replaceAll(cwd, '')), [
    'warning: user postern (4711), to whom /state belongs, could not use this: /postern.yaml:3:104: listeners[0].tls.key: no permission to read "/key.pem"',
    'warning: user postern (4711), to whom /state belongs, could not use this: /postern.yaml:4:72: hops.backend.password_file: no permission to read "/hop.pw"',
  ])
})

test('a configuration that he cannot read, and a folder that he may not enter', { skip: root }, async () => {
  const { cwd, put, check, state } = desk('')
  state(UID)
  put('postern.yaml', 'hostname: mx.test.example\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: b }]\nhops: { b: { smtp: "192.0.2.1:25" } }\ndomains: [b.example]\nstate: state\nspam: { shipped_rules: false }\n')
  assert.deepEqual((await check()).warnings, [`warning: user 4711, to whom ${cwd}/state belongs, could not use this: ${cwd}/postern.yaml: no permission to read it`])
})

test('what lies in the state directory and belongs to somebody else', { skip: root }, async () => {
  const { cwd, put, check, state } = desk()
  state(UID)
  for (const name of ['postern.db', 'bayes.model', 'lost+found']) put(`state/${name}`, '')
  put('state/rates.db', '', { uid: UID })
  assert.deepEqual((await check()).warnings, [`warning: ${cwd}/state belongs to user postern (4711), and this in it to somebody else, so that the gateway may not be able to write it: bayes.model, postern.db`])
})

test('before the first start it is the user of the systemd unit; where there is none, nobody', { skip: root }, async () => {
  const { cwd, put, check } = desk()
  put('key.pem', PRIVATE_KEY)
  assert.deepEqual((await check()).warnings.map((line) => line.replaceAll(cwd, '')), ['warning: user postern (4711), as whom packaging/postern.service runs it, could not use this: /postern.yaml:3:104: listeners[0].tls.key: no permission to read "/key.pem"'])
  const nobody = desk('')
  nobody.put('key.pem', PRIVATE_KEY)
  assert.deepEqual((await nobody.check()).warnings, [])
  nobody.state(0)
  assert.deepEqual((await nobody.check()).warnings, [])
})
