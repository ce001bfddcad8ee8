/** The command line: what is called with which options, and what wrong usage gets. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runProgram, type Commands } from '../../../src/cli/program.ts'

async function call(...argv: string[]): Promise<{ code: number; out: string; err: string; calls: unknown[] }> {
  let out = ''
  let err = ''
  const calls: unknown[] = []
  const command = (name: string) => (options?: unknown): Promise<number> => {
    calls.push([name, options])
    return Promise.resolve(name === 'check' ? 78 : 0)
  }
  const commands: Commands = { run: command('run'), check: command('check'), demo: command('demo'), deliver: command('deliver'), health: command('health'), quarantine: command('quarantine'), allow: command('allow'), why: command('why'), scan: command('scan'), dkim: command('dkim'), train: command('train'), user: command('user'), importFrom: command('import') }
  const code = await runProgram(argv, commands, { version: '1.2.3', out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err, calls }
}

describe('commands', () => {
  test('are called with their options, and their exit code is the program’s', async () => {
    assert.deepEqual((await call('run')).calls, [['run', {}]])
    assert.deepEqual((await call('run', '--config', 'a.yaml')).calls, [['run', { config: 'a.yaml' }]])
    assert.deepEqual((await call('run', '-c', 'a.yaml')).calls, [['run', { config: 'a.yaml' }]])
    const check = await call('check', '--config=b.yaml')
    assert.deepEqual(check.calls, [['check', { config: 'b.yaml' }]])
    assert.equal(check.code, 78)
    assert.deepEqual((await call('check', '--dns')).calls, [['check', { dns: true }]])
    assert.deepEqual((await call('health')).calls, [['health', {}]])
    assert.deepEqual((await call('demo')).calls, [['demo', undefined]])
    assert.deepEqual((await call('deliver', '--listen', 'unix:/run/x', '--hop', 'local')).calls, [['deliver', { listen: 'unix:/run/x', hop: 'local', mode: '0660' }]])
  })

  test('allow has commands of its own', async () => {
    assert.deepEqual((await call('allow', 'list', '--json')).calls, [['allow', { action: 'list', json: true }]])
    assert.deepEqual((await call('allow', 'remove', 'a', 'b')).calls, [['allow', { action: 'remove', ids: ['a', 'b'] }]])
    const added = await call('allow', 'add', '--address', '192.0.2.1', '2001:db8::1', '--reason', 'why', '--checks', 'rdns')
    assert.deepEqual(added.calls, [['allow', { action: 'add', address: ['192.0.2.1', '2001:db8::1'], reason: 'why', checks: 'rdns', expires: '90d' }]])
  })

  test('import has a command for each program', async () => {
    assert.deepEqual((await call('import', 'dkimproxy', 'a.conf', 'b.conf')).calls, [['import', { from: 'dkimproxy', files: ['a.conf', 'b.conf'] }]])
    assert.deepEqual((await call('import', 'opendkim', 'a.conf')).calls, [['import', { from: 'opendkim', files: ['a.conf'] }]])
    assert.equal((await call('import', 'opendkim')).code, 64)
  })

  test('quarantine has commands of its own', async () => {
    assert.deepEqual((await call('quarantine', 'list', '--json', '--since', '1d')).calls, [['quarantine', { action: 'list', json: true, since: '1d', limit: '100' }]])
    assert.deepEqual((await call('quarantine', 'show', 'ABCD', '--raw')).calls, [['quarantine', { action: 'show', id: 'ABCD', raw: true }]])
    assert.deepEqual((await call('quarantine', 'release', 'ABCD', '--to', 'a@b.example')).calls, [['quarantine', { action: 'release', id: 'ABCD', to: 'a@b.example' }]])
    assert.deepEqual((await call('quarantine', 'delete', 'A', 'B', '-c', 'x')).calls, [['quarantine', { action: 'delete', ids: ['A', 'B'], config: 'x' }]])
  })
})

test('why: with an ID, or with what it differs in', async () => {
  assert.deepEqual((await call('why', 'ABCD', '--json')).calls, [['why', { id: 'ABCD', json: true }]])
  assert.deepEqual((await call('why', '--since', '2d', '--limit=3', '-c', 'x')).calls, [['why', { id: undefined, since: '2d', limit: '3', diff: true, config: 'x' }]])
})

test('scan: a file or standard input, and what a message in a file does not tell', async () => {
  assert.deepEqual((await call('scan', 'm.eml', '--ip', '192.0.2.7', '--rcpt', 'a@b.example', '--rcpt', 'c@b.example', '--exit-code')).calls,
    [['scan', { file: 'm.eml', ip: '192.0.2.7', rcpt: ['a@b.example', 'c@b.example'], exitCode: true }]])
  assert.deepEqual((await call('scan', 'm.eml')).calls, [['scan', { file: 'm.eml' }]])
  assert.deepEqual((await call('scan', '--ip', '::1', '--helo', 'x', '--from', '', '--json')).calls, [['scan', { file: undefined, ip: '::1', helo: 'x', from: '', json: true }]])
})

test('user has commands of its own, and none takes a password as an argument', async () => {
  assert.deepEqual((await call('user', 'add', 'anna')).calls, [['user', { action: 'add', name: 'anna', scheme: 'argon2id' }]])
  assert.deepEqual((await call('user', 'passwd', 'anna@a.example', '--users', 'u', '--scheme', 'scrypt', '--password-file', '-')).calls, [['user', { action: 'passwd', name: 'anna@a.example', users: 'u', scheme: 'scrypt', passwordFile: '-' }]])
  assert.deepEqual((await call('user', 'remove', 'anna', 'bert')).calls, [['user', { action: 'remove', names: ['anna', 'bert'] }]])
  assert.deepEqual((await call('user', 'list', '--json', '-c', 'x')).calls, [['user', { action: 'list', json: true, config: 'x' }]])
  for (const wrong of [['user', 'add'], ['user', 'add', 'anna', 'secret'], ['user', 'add', 'anna', '--password', 'secret'], ['user', 'add', 'anna', '--scheme', 'rot13']]) assert.equal((await call(...wrong)).code, 64, wrong.join(' '))
})

test('dkim has commands of its own', async () => {
  assert.deepEqual((await call('dkim', 'keygen', 'a.example', '-t', 'ed25519', '--out', '/k')).calls, [['dkim', { action: 'keygen', domain: 'a.example', type: 'ed25519', bits: '2048', out: '/k', format: 'zone' }]])
  assert.deepEqual((await call('dkim', 'record', '--format', 'web')).calls, [['dkim', { action: 'record', of: undefined, format: 'web' }]])
  assert.deepEqual((await call('dkim', 'sign', 'm.eml', '-d', 'a.example', '-s', 'x', '-k', 'x.pem', '-s', 'y', '-k', 'y.pem')).calls,
    [['dkim', { action: 'sign', file: 'm.eml', domain: 'a.example', selector: ['x', 'y'], key: ['x.pem', 'y.pem'] }]])
  assert.deepEqual((await call('dkim', 'verify', '--dns', '192.0.2.53', '--json', '-c', 'x')).calls, [['dkim', { action: 'verify', file: undefined, dns: '192.0.2.53', json: true, config: 'x' }]])
  assert.deepEqual((await call('dkim', 'rotate', 'a.example', '--wait', '2h')).calls, [['dkim', { action: 'rotate', domain: 'a.example', wait: '2h', format: 'zone' }]])
})

describe('wrong usage is 64, says why on standard error, and calls nothing', () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['runn'], /unknown command 'runn'\n\(Did you mean run\?\)/],
    [['run', '--confg', 'x'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['run', '--config'], /argument missing/],
    [['run', 'extra'], /too many arguments/],
    [['demo', 'extra'], /too many arguments/],
    [['deliver'], /required option '-l, --listen <address>' not specified/],
    [['--config', 'x'], /unknown option '--config'/],
    [[], /Usage: postern/],
    [['help', 'nothing'], /Usage: postern/],
    [['quarantine'], /Usage: postern quarantine/],
    [['scan', '--ip'], /option '--ip <address>' argument missing/],
    [['quarantine', 'show'], /missing required argument 'id'/],
    [['quarantine', 'show', 'A', '--raw', '--headers'], /cannot be used with/],
  ]
  for (const [argv, pattern] of cases) {
    test(`postern ${argv.join(' ')}`, async () => {
      const { code, out, err, calls } = await call(...argv)
      assert.equal(code, 64)
      assert.match(err, pattern)
      assert.equal(out, '')
      assert.deepEqual(calls, [])
    })
  }
})

test('help and version are no errors', async () => {
  assert.deepEqual(await call('--version'), { code: 0, out: '1.2.3\n', err: '', calls: [] })
  const help = await call('--help')
  assert.equal(help.code, 0)
  for (const command of ['run', 'check', 'demo', 'deliver', 'health', 'quarantine', 'allow', 'why', 'scan']) assert.match(help.out, new RegExp(`^  ${command} `, 'm'))
  const run = await call('help', 'run')
  assert.equal(run.code, 0)
  assert.match(run.out, /--config <file>/)
})
