/**
 * A command reads those files of a configuration that it needs. Keys and
 * passwords are for the service's user; who asks why a message was refused need
 * not be able to read them, and a key that is being replaced is none of his.
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { runAllow } from '../../../src/cli/allow.ts'
import { runCheck } from '../../../src/cli/check.ts'
import { runDkim } from '../../../src/cli/dkim.ts'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { runHealth } from '../../../src/cli/health.ts'
import { runQuarantine } from '../../../src/cli/quarantine.ts'
import { runScan } from '../../../src/cli/scan.ts'
import { runTrain } from '../../../src/cli/train.ts'
import { runUser } from '../../../src/cli/user.ts'
import { runWhy } from '../../../src/cli/why.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { GOOD, LETTER } from '../../support/judged-zone.ts'
import { freePort } from '../../support/ports.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { TEST_MACHINE } from '../../support/settings.ts'
import { zoneMap } from '../../support/zone-map.ts'

async function desk() {
  const cwd = temporaryDirectory('commands-files')
  const [inbound, submission] = [await freePort(), await freePort()]
  writeFileSync(join(cwd, 'postern.yaml'), `hostname: mx.test.example
state: ${cwd}/state
listeners:
  - { name: in, role: inbound, listen: "127.0.0.1:${inbound}", next: backend, tls: { cert: tls/cert.pem, key: tls/key.pem } }
  - { name: users, role: submission, listen: "127.0.0.1:${submission}", next: out, users: users, senders: senders, tls: { cert: tls/cert.pem, key: tls/key.pem, mode: implicit } }
hops:
  backend: { smtp: "192.0.2.1:25", tls: required, tls_ca: tls/ca.pem }
  out: { smtp: "192.0.2.2:587", user: postern, password_file: hop.pw }
domains: [hop.example]
policy: { preset: observe, allow: allow.yaml }
signing: { keys: [{ domain: hop.example, selector: s1, key: dkim/s1.pem }] }
redis: { address: "127.0.0.1:6379", password_file: redis.pw }
spam: { shipped_rules: false, engines: [{ name: rspamd, kind: rspamd, address: "127.0.0.1:11334", password_file: rspamd.pw }] }
`)
  writeFileSync(join(cwd, 'message'), LETTER.join('\r\n'))
  const written = { out: '', err: '' }
  const io = {
    cwd, environment: {}, machine: TEST_MACHINE, searchPath: ['postern.yaml'], terminal: false as const, resolver: zoneMap(GOOD), timeoutMs: 500,
    out: (text: string) => void (written.out += text), err: (text: string) => void (written.err += text), input: nothing(),
  }
  const said = async (run: () => number | Promise<number>): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => {
    Object.assign(written, { out: '', err: '' })
    try {
      return { code: await run(), ...written }
    } catch (error) {
      if (!(error instanceof ExitError)) throw error
      return { code: error.exitCode, out: written.out, err: written.err + error.message }
    }
  }
  return { cwd, io, said }
}

async function* nothing(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from('secret word\n'))
}

test('commands that need no key, no password and no users do not ask for them', async () => {
  const { cwd, io, said } = await desk()
  const plain = { cwd, environment: io.environment, machine: io.machine, searchPath: io.searchPath, out: io.out, err: io.err, input: io.input }
  openDatabase(join(cwd, 'state')).close()
  const checked = await said(() => runCheck({}, io))
  assert.equal(checked.code, 78)
  for (const file of ['tls/cert.pem', 'tls/key.pem', 'tls/ca.pem', 'hop.pw', 'redis.pw', 'rspamd.pw', 'dkim/s1.pem', 'users', 'senders']) assert.match(checked.err, new RegExp(`/${file.replace('.', '\\.')}`), file)
  const why = await said(() => runWhy({ id: 'ABCD234567' }, io))
  assert.deepEqual([why.code, /^there is no decision ABCD234567/.test(why.err)], [66, true], why.err)
  assert.equal((await said(() => runQuarantine({ action: 'list' }, io))).code, 0)
  const status = await said(() => runTrain({ action: 'status' }, { ...plain, root: false }))
  assert.deepEqual([status.code, /^The classifier knows 0 wanted/.test(status.out)], [0, true], status.err)
  assert.equal((await said(() => runAllow({ action: 'list' }, io))).code, 0)
  const scanned = await said(() => runScan({ file: 'message', ip: '192.0.2.7' }, io))
  assert.equal(scanned.code, 0, scanned.err)
  const health = await said(() => runHealth({}, io))
  assert.equal(health.code, 75, health.err)
  assert.match(health.err, /ECONNREFUSED|refused/)
  const user = await said(() => runUser({ action: 'add', name: 'anna', passwordFile: '-', scheme: 'scram-sha-256' }, { ...plain, input: Readable.from(['secret word\n']) }))
  assert.equal(user.code, 0, user.err)
  assert.ok(existsSync(join(cwd, 'users')))
})

test('a state directory that may not be entered is told, and is not an empty one', { skip: process.geteuid?.() === 0 ? false : 'only root can look as somebody else' }, async () => {
  const { cwd, io, said } = await desk()
  openDatabase(join(cwd, 'state')).close()
  chmodSync(cwd, 0o755)
  chmodSync(join(cwd, 'postern.yaml'), 0o644)
  chmodSync(join(cwd, 'state'), 0o700)
  process.seteuid?.(65_534)
  try {
    for (const run of [() => runWhy({ id: 'ABCD234567' }, io), () => runQuarantine({ action: 'list' }, io), () => runAllow({ action: 'list' }, io)]) {
      const { code, out, err } = await said(run)
      assert.deepEqual([code, out.replace(/^nobody is on the list .*\n/, ''), err.replace(/^postern: /, '').trimEnd()], [77, '', `${cwd}/state/postern.db may not be read by this user: ask as root, or as the user that the gateway runs as`])
    }
  } finally {
    process.seteuid?.(0)
  }
})

test('what a command does need is still asked for, and nothing else is', async () => {
  const { io, said } = await desk()
  const record = await said(() => runDkim({ action: 'record', of: undefined, format: 'zone' }, io))
  assert.notEqual(record.code, 0)
  assert.match(record.err, /s1\.pem/)
  assert.doesNotMatch(record.err, /tls|\.pw/)
})
