/** `postern scan` of what holds several messages, or none: taken apart as `postern train` takes it apart. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { runScan } from '../../../src/cli/scan.ts'
import type { ScanRequest } from '../../../src/cli/scan-command.ts'
import { GOOD } from '../../support/judged-zone.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { TEST_MACHINE } from '../../support/settings.ts'
import { zoneMap } from '../../support/zone-map.ts'

const FROM = 'From anna@sender.example Sat Nov 21 10:00:00 2026\n'
const letter = (subject: string, body = 'text\n'): string => `Return-Path: <anna@sender.example>\nFrom: anna@sender.example\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nSubject: ${subject}\n\n${body}`
const RULES = 'rules: [{ id: PILLS, score: 9, why: The subject offers pills, when: { subject: /pills/ }, hits: [{ subject: pills }], misses: [{ subject: hills }] }]\n'

interface Called {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Json {
  readonly file?: string
  readonly number?: number
  readonly action: string
  readonly transaction: { readonly from: string; readonly size: number }
}

function desk(files: Readonly<Record<string, string>>): { readonly cwd: string; readonly call: (request: Partial<ScanRequest>, input?: string) => Promise<Called>; readonly ask: (file: string) => Promise<readonly Json[]> } {
  const cwd = temporaryDirectory('scan-several')
  writeFileSync(join(cwd, 'rules.yaml'), RULES)
  writeFileSync(join(cwd, 'postern.yaml'), `hostname: mx.test.example\nstate: ${cwd}/state\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]\nhops: { backend: { smtp: "192.0.2.1:25" } }\ndomains: [hop.example]\npolicy: { preset: observe, spam: { reject: 8 } }\nspam: { shipped_rules: false, rules: [rules.yaml] }\nlimits: { message_bytes: 64KiB }\n`)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
  async function* stdin(text: string): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.from(text))
  }
  const call = async (request: Partial<ScanRequest>, input = ''): Promise<Called> => {
    const written = { out: '', err: '' }
    try {
      const code = await runScan({ file: undefined, ...request }, {
        cwd, environment: {}, machine: TEST_MACHINE, searchPath: ['postern.yaml'], terminal: false, now: () => 0, resolver: zoneMap(GOOD), stdin: stdin(input),
        out: (text) => void (written.out += text), err: (text) => void (written.err += text),
      })
      return { code, ...written }
    } catch (error) {
      if (!(error instanceof ExitError)) throw error
      return { code: error.exitCode, out: written.out, err: `${written.err}${error.message}` }
    }
  }
  const ask = async (file: string): Promise<readonly Json[]> => (await call({ file, json: true })).out.trimEnd().split('\n').map((line) => JSON.parse(line) as Json)
  return { cwd, call, ask }
}

const BOX = `${FROM}${letter('one')}\n${FROM}${letter('cheap pills', '>From the start\n')}\n${FROM}${letter('three')}`

test('an mbox: each message by itself, with its number, and the worst of them in the exit code', async () => {
  const { call, ask } = desk({ 'box': BOX })
  const { code, out, err } = await call({ file: 'box', exitCode: true })
  assert.equal(code, 5)
  assert.deepEqual(out.match(/^box, message \d$/gm), ['box, message 1', 'box, message 2', 'box, message 3'])
  assert.match(out, /^box, message 1\naccepted[^]*\n\nbox, message 2\nrefused, by its score[^]*PILLS/m)
  assert.equal(err, '3 messages: 2 accepted, 1 refused\n')
  assert.deepEqual((await ask('box')).map(({ file, number, action, transaction: { from } }) => [file, number, action, from]), [['box', 1, 'accept', 'anna@sender.example'], ['box', 2, 'reject', 'anna@sender.example'], ['box', 3, 'accept', 'anna@sender.example']])
})

test('standard input is one message: a From line on top is taken off, others are text, quoted ones as they are', async () => {
  const { call } = desk({})
  const text = letter('one', `x\n\n${FROM}cheap\n\n${FROM}${letter('two')}>From me\n`)
  for (const file of [undefined, '-']) {
    for (const input of [text, FROM + text]) {
      const { transaction } = JSON.parse((await call({ file, json: true }, input)).out) as Json
      assert.equal(transaction.size, Buffer.byteLength(text.replaceAll('\n', '\r\n')))
    }
  }
  assert.equal((await call({ exitCode: true }, FROM + letter('cheap pills', `x\n\n${FROM}\n${FROM}y\n`))).code, 5)
})

test('a file with a From line on top: text below another one is judged with the message', async () => {
  const { call } = desk({ box: `${FROM}${letter('cheap pills', `x\n\n${FROM}no field\n`)}` })
  const { code, err } = await call({ file: 'box', exitCode: true })
  assert.deepEqual([code, err], [5, ''])
})

test('--exit-code never says accepted where something could not be read', async () => {
  const { call } = desk({ 'one/a': letter('a'), 'one/junk': 'junk', 'two/a': letter('cheap pills'), 'two/junk': 'junk', 'box': `${FROM}${letter('a')}\n${FROM}${letter('large', 'x'.repeat(99_000))}` })
  const codes = await Promise.all(['one', 'two', 'box'].map(async (file) => (await call({ file, exitCode: true })).code))
  assert.deepEqual(codes, [65, 5, 65])
  assert.equal((await call({ file: 'one' })).code, 0)
})

test('an mbox with one message is that message: as it would come in, and nothing is numbered', async () => {
  const { call, ask } = desk({ box: FROM + letter('one', '>From here\n\n'), plain: letter('one', 'From here\n') })
  const [boxed, ...others] = await ask('box')
  assert.deepEqual(others, [])
  const [plain] = await ask('plain')
  assert.deepEqual([boxed?.transaction, boxed?.file, boxed?.number], [plain?.transaction, undefined, undefined])
  assert.doesNotMatch((await call({ file: 'box' })).out, /message 1/)
  assert.equal((await call({ file: 'box' })).err, '')
})

test('a Maildir and a folder: what train would read, what is no message is told', async () => {
  const { call, ask } = desk({ 'Maildir/new/1': letter('one'), 'Maildir/cur/2:2,S': letter('cheap pills'), 'Maildir/tmp/3': letter('three'), 'Maildir/dovecot-uidlist': 'no mail', 'folder/a': letter('a'), 'folder/b/c': BOX, 'folder/junk.jpg': '\xff\xd8 no message', 'folder/.hidden': letter('h'), 'folder/empty': '' })
  assert.deepEqual((await ask('Maildir')).map(({ file, number, action }) => [file, number, action]), [['Maildir/cur/2:2,S', undefined, 'reject'], ['Maildir/new/1', undefined, 'accept']])
  assert.deepEqual((await ask('folder')).map(({ file, number }) => [file, number]), [['folder/a', undefined], ['folder/b/c', 1], ['folder/b/c', 2], ['folder/b/c', 3]])
  const { code, err } = await call({ file: 'folder' })
  assert.equal(code, 0)
  assert.equal(err, 'postern: folder/junk.jpg: it does not begin with a header field\n4 messages: 3 accepted, 1 refused; 1 could not be read\n')
})

test('what holds no message is an error that says so', async () => {
  const { cwd, call } = desk({ empty: '', box: `${FROM}\n`, 'folder/junk': 'junk', large: `${FROM}${letter('large', 'x'.repeat(99_000))}` })
  mkdirSync(join(cwd, 'nothing'))
  for (const [request, said] of [
    [{ file: 'empty' }, 'empty: it is empty; a message was expected'], [{}, 'standard input: it is empty; a message was expected'], [{ file: 'box' }, 'box: there is no message in it'],
    [{ file: 'nothing' }, 'nothing: there is no message in it'], [{ file: 'folder' }, 'postern: folder/junk: it does not begin with a header field\nfolder: there is no message in it'],
    [{ file: 'large' }, /^postern: large: it has 99\.\d kB; at most 65\.\d kB are read \(limits\.message_bytes\)\nlarge: there is no message in it$/],
  ] as const) {
    const { code, out, err } = await call(request)
    assert.deepEqual([code, out], [65, ''])
    if (typeof said === 'string') assert.equal(err, said)
    else assert.match(err, said)
  }
  assert.deepEqual(await call({ file: 'none' }), { code: 66, out: '', err: 'none: there is no such file' })
})
