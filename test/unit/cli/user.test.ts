/** `postern user`: who may log in comes and goes, what else stands in the file stays, and no password is seen anywhere. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { askPassword } from '../../../src/cli/ask-password.ts'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import type { UserRequest } from '../../../src/cli/user-command.ts'
import { runUser } from '../../../src/cli/user.ts'
import { parsePasswords } from '../../../src/submission/password-file.ts'
import { createPasswordWork } from '../../../src/submission/password-work.ts'
import { WRITTEN_SCHEMES } from '../../../src/submission/written-schemes.ts'
import { domains } from '../delivery/local-fixture.ts'
import { temporaryDirectory } from '../../support/process.ts'

function stage() {
  const directory = temporaryDirectory('user')
  const file = join(directory, 'users')
  const run = async (request: UserRequest, input = 'a good one\n'): Promise<{ code: number; out: string; err: string }> => {
    let out = ''
    let err = ''
    const code = await runUser({ users: 'users', ...request }, { environment: {}, cwd: directory, out: (text) => (out += text), err: (text) => (err += text), input: Readable.from([Buffer.from(input)]) })
    return { code, out, err }
  }
  return { directory, file, run, text: () => readFileSync(file, 'utf8') }
}

const ADD = { action: 'add', scheme: 'scrypt' } as const
const PASSWD = { action: 'passwd', scheme: 'scram-sha-256' } as const

async function matches(file: string, name: string, password: string): Promise<string> {
  const parsed = parsePasswords(readFileSync(file, 'utf8'), domains('example.org'))
  const work = createPasswordWork({ onTrouble: (cause) => assert.fail(cause) })
  try {
    const hash = parsed.status === 'ok' ? parsed.value.find(name)?.hash : undefined
    return hash === undefined ? 'no password' : await work.verify(hash, password)
  } finally {
    await work.close()
  }
}

test('a user comes into a file that was not there, gets another password, and goes', async () => {
  const { run, file, text } = stage()
  assert.deepEqual(await run({ ...ADD, name: 'Anna' }), { code: 0, out: 'added anna\n', err: '' })
  assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.match(text(), /^anna:\{SCRYPT\}\$scrypt\$ln=16,r=8,p=1\$[^\n]+\n$/)
  assert.equal(await matches(file, 'anna', 'a good one'), 'match')
  await run({ ...ADD, name: 'bert@Example.org' }, 'pässwort\r\nmore\n')
  assert.equal(await matches(file, 'bert@example.org', 'pässwort'), 'match')
  assert.equal((await run({ ...PASSWD, name: 'anna' }, 'another')).out, 'anna has a new password\n')
  assert.equal(await matches(file, 'anna', 'another'), 'match')
  assert.equal(await matches(file, 'anna', 'a good one'), 'mismatch')
  assert.equal((await run({ action: 'list' })).out, 'anna: scram-sha-256\nbert@example.org: scrypt\n')
  assert.equal((await run({ action: 'remove', names: ['anna', 'BERT@example.org'] })).out, 'removed anna\nremoved bert@example.org\n')
  assert.equal(text(), '')
  assert.match((await run({ action: 'list' })).out, /has no users/)
})

test('every scheme that can be asked for is one that is verified', async () => {
  const { run, file } = stage()
  for (const scheme of WRITTEN_SCHEMES) {
    await run({ action: 'add', name: `u-${scheme}`, scheme })
    assert.equal(await matches(file, `u-${scheme}`, 'a good one'), 'match', scheme)
    assert.equal(await matches(file, `u-${scheme}`, 'a bad one'), 'mismatch', scheme)
  }
  const listed = (await run({ action: 'list', json: true })).out.trim().split('\n').map((line) => JSON.parse(line) as { scheme: string })
  assert.deepEqual(listed.map(({ scheme }) => scheme), [...WRITTEN_SCHEMES])
})

test('comments, order, other fields, line ends and mode stay', async () => {
  const { run, file, text } = stage()
  const before = '# ours\r\nanna:{PLAIN}old:1000:1001:Anna A.:/home/anna::allow_nets=192.0.2.0/24\r\n\r\n#bert:gone\r\ncarl::1002:1002\r\ndora:x'
  writeFileSync(file, before)
  chmodSync(file, 0o600)
  await run({ ...PASSWD, name: 'anna' })
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(text().replace(/\{SCRAM-SHA-256\}[^:]+/, '{PLAIN}old'), before)
  // Mail is delivered for carl already: he gets a password, and keeps his line.
  assert.equal((await run({ ...ADD, name: 'carl' })).out, 'added carl\n')
  assert.match(text(), /\r\ncarl:\{SCRYPT\}[^:\r\n]+:1002:1002\r\ndora:x$/)
  await run({ ...ADD, name: 'emil' })
  assert.match(text(), /\r\ndora:x\r\nemil:\{SCRYPT\}[^\r\n]+\r\n$/)
  await run({ action: 'remove', names: ['carl'] })
  assert.match(text(), /#bert:gone\r\ndora:x\r\n/)
})

async function refusal(run: () => Promise<{ code: number; err: string }>): Promise<string> {
  try {
    const { code, err } = await run()
    return `${code} ${err}`
  } catch (error) {
    if (error instanceof ExitError) return `${error.exitCode} ${error.message}`
    throw error
  }
}

test('what cannot be done is said, and changes nothing', async () => {
  const { directory, run, file, text } = stage()
  assert.match(await refusal(() => run({ ...PASSWD, name: 'anna' })), /^66 .*users is not there/)
  assert.match(await refusal(() => run({ action: 'list' })), /^66 /)
  assert.ok(!existsSync(file))
  writeFileSync(file, 'anna:{PLAIN}old\n')
  for (const [request, input, expected] of [
    [{ ...ADD, name: 'anna' }, 'x', /^65 anna is there already \(line 1/],
    [{ ...PASSWD, name: 'bert' }, 'x', /^66 there is no user bert/],
    [{ action: 'remove', names: ['anna', 'bert'] }, '', /^66 there is no user bert .* nothing was changed/],
    [{ ...ADD, name: 'a b' }, 'x', /^64 white space/],
    [{ ...ADD, name: '../etc' }, 'x', /^64 /],
    [{ ...ADD, name: 'a:b' }, 'x', /^64 .*no colon/],
    [{ ...ADD, name: '#a' }, 'x', /^64 /],
    [{ ...ADD, name: 'carl@' }, 'x', /^64 /],
    [{ ...ADD, name: 'carl' }, '', /^65 this cannot be a password: it is empty/],
    [{ ...ADD, name: 'carl' }, 'a\tb', /^65 .*control characters/],
    [{ ...ADD, name: 'carl', scheme: 'bcrypt' }, 'x'.repeat(73), /^65 .*72 bytes/],
    [{ ...ADD, name: 'carl', passwordFile: 'none' }, '', /^66 /],
  ] as const) assert.match(await refusal(() => run(request, input)), expected)
  assert.equal(text(), 'anna:{PLAIN}old\n')
  writeFileSync(file, 'anna:\nanna:\n')
  assert.match(await refusal(() => run({ ...ADD, name: 'carl' })), /^65 .*users:2: user anna stands already in line 1/)
  writeFileSync(join(directory, 'secret'), 'from a file\nsecond line\n')
  writeFileSync(file, '')
  await run({ ...ADD, name: 'carl', passwordFile: 'secret' }, 'not this')
  assert.equal(await matches(file, 'carl', 'from a file'), 'match')
  await run({ ...PASSWD, name: 'carl', passwordFile: '-' }, 'from a pipe')
  assert.equal(await matches(file, 'carl', 'from a pipe'), 'match')
})

test('without --users it is the file of the submission listener', async () => {
  const { directory, run, text } = stage()
  const config = join(directory, 'postern.yaml')
  const listener = (name: string, users: string): string => `{ name: ${name}, role: submission, listen: "127.0.0.1:2525", tls: { cert: c.pem, key: k.pem, mode: implicit }, users: ${users}, next: b }`
  const write = (...listeners: string[]): void => writeFileSync(config, `state: ./state\ndomains: [example.org]\nlisteners: [${listeners.join(', ')}]\nhops: { b: { smtp: "192.0.2.1:25" } }\n`)
  write(listener('a', 'users'))
  const request = { ...ADD, name: 'anna', config, users: undefined } as unknown as UserRequest
  // What the listener needs is not there yet, its users file among it.
  assert.deepEqual(await run(request), { code: 0, out: 'added anna\n', err: '' })
  assert.match(text(), /^anna:/)
  write('{ name: in, role: inbound, listen: "127.0.0.1:2526", next: b }')
  assert.match(await refusal(() => run(request)), /^78 no submission listener/)
})

function terminal(): { input: PassThrough & { isTTY: boolean; setRawMode(raw: boolean): void }; modes: boolean[] } {
  const modes: boolean[] = []
  return { modes, input: Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => void modes.push(raw) }) }
}

test('on a terminal it is asked for twice, without an echo', async () => {
  const ask = async (...keys: string[]): Promise<{ answer: string; shown: string; modes: boolean[] }> => {
    const { input, modes } = terminal()
    let shown = ''
    const asked = askPassword('anna', { input, err: (text) => (shown += text) }).catch((error: unknown) => (error instanceof ExitError ? `! ${error.message}` : Promise.reject(new Error('unexpected', { cause: error }))))
    for (const key of keys) {
      input.write(key)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { answer: await asked, shown, modes }
  }
  assert.deepEqual(await ask('sec', 'ret\r', 'secret\r'), { answer: 'secret', shown: 'Password of anna: \nAgain: \n', modes: [true, false, true, false] })
  assert.equal((await ask('sü\x7f\x7fä\r', 'ä\n')).answer, 'ä')
  assert.equal((await ask('wrong\x15right\r', 'right\r')).answer, 'right')
  assert.match((await ask('one\r', 'two\r')).answer, /^! the two passwords differ/)
  const given = await ask('sec\x03')
  assert.match(given.answer, /^! no password was given/)
  assert.deepEqual(given.modes, [true, false])
})
