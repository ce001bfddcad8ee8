/** `postern train`: what it reads, what it learns, what it says, and how it ends. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import type { TrainRequest } from '../../../src/cli/train-command.ts'
import { looksLikeMbox, MboxReader, type MboxMessage } from '../../../src/cli/train-mbox.ts'
import { Progress } from '../../../src/cli/train-progress.ts'
import { runTrain, type TrainIo } from '../../../src/cli/train.ts'
import { MODEL_FILE, readModel } from '../../../src/spam/bayes/model-file.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { letter } from '../spam/bayes/bayes-fixture.ts'

const SEPARATOR = 'From anna@example.org Sat Nov 21 10:00:00 2026\n'

function stage() {
  const directory = temporaryDirectory('train')
  mkdirSync(join(directory, 'state'))
  writeFileSync(join(directory, 'postern.yaml'), JSON.stringify({ hostname: 'mx.example.net', state: join(directory, 'state'), domains: ['example.net'], listeners: [{ name: 'in', role: 'inbound', listen: ['127.0.0.1:2525'], next: 'local' }], hops: { local: { maildir: join(directory, 'mail/{local}') } }, limits: { message_bytes: '1MB' } }))
  const run = async (request: TrainRequest, more: Partial<TrainIo> & { readonly text?: string } = {}): Promise<{ code: number; out: string; err: string }> => {
    let out = ''
    let err = ''
    const { text, ...io } = more
    async function* input(): AsyncGenerator<Buffer> {
      for (const byte of text ?? '') yield await Promise.resolve(Buffer.from(byte))
    }
    const code = await runTrain(request, { environment: {}, cwd: directory, out: (one) => (out += one), err: (one) => (err += one), input: input(), terminal: undefined, ...io })
    return { code, out, err }
  }
  const write = (path: string, text: string): string => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
    return path
  }
  return { directory, run, write }
}

function split(text: string, step: number, maxBytes = 10_000): string[] {
  const reader = new MboxReader(maxBytes)
  const found: MboxMessage[] = []
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += step) found.push(...reader.write(bytes.subarray(at, at + step)))
  found.push(...reader.end())
  return found.map((one) => (one.status === 'read' ? one.bytes.toString('latin1') : `too large: ${one.size}`))
}

test('an mbox is taken apart the same in pieces of any size, with both quotings', () => {
  const text = `${SEPARATOR}Subject: one\n\nFrom me to you\n>From here 10:00\n>>From there\n\n${SEPARATOR}Subject: two\r\n\r\nx\r\n\r\nFrom nobody at any time\n\n\n${SEPARATOR}\n${SEPARATOR}Subject: three\n\nno end`
  const expected = ['Subject: one\n\nFrom me to you\nFrom here 10:00\n>From there\n', `Subject: two\r\n\r\nx\r\n\r\nFrom nobody at any time\n\n\n${SEPARATOR}`, 'Subject: three\n\nno end']
  for (let step = 1; step <= text.length; step++) assert.deepEqual(split(text, step), expected, `in pieces of ${step}`)
})

test('a line like a separator without a field below it is text of the message before, at its end too', () => {
  const text = `${SEPARATOR}Subject: one\n\nx\n\n${SEPARATOR}text\n\n${SEPARATOR}A b: c\n\n${SEPARATOR}\n${SEPARATOR}Subject: two\n\ny\n\n${SEPARATOR}`
  const expected = [`Subject: one\n\nx\n\n${SEPARATOR}text\n\n${SEPARATOR}A b: c\n\n${SEPARATOR}`, `Subject: two\n\ny\n\n${SEPARATOR}`]
  for (let step = 1; step <= text.length; step++) assert.deepEqual(split(text, step), expected, `in pieces of ${step}`)
  assert.deepEqual(split(`${SEPARATOR}no field\n`, 7), ['no field\n'])
})

test('a message of an mbox that is too large is counted, and those around it are read', () => {
  const text = `${SEPARATOR}A: 1\n\nx\n\n${SEPARATOR}B: 2\n\n${'y'.repeat(300_000)}\n${'z\n'.repeat(1000)}\n${SEPARATOR}C: 3\n\nx\n`
  for (const step of [1000, 70_000, text.length]) assert.deepEqual(split(text, step), ['A: 1\n\nx\n', 'too large: 302008', 'C: 3\n\nx\n'])
})

test('a message of empty lines is kept in little more than its bytes', () => {
  const reader = new MboxReader(100_000_000)
  reader.write(Buffer.from(`${SEPARATOR}Subject: x\n\n`))
  const chunk = Buffer.alloc(65_536, '\n')
  const before = process.memoryUsage()
  for (let at = 0; at < 64; at++) reader.write(chunk)
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  assert.ok(heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers < 60_000_000, `${heapUsed - before.heapUsed} and ${arrayBuffers - before.arrayBuffers}`)
  const [found] = reader.end()
  assert.ok(found?.status === 'read')
  assert.equal(found.bytes.length, 'Subject: x\n\n'.length + 64 * 65_536 - 1)
})

test('what is no mbox has no messages', () => {
  assert.deepEqual(split('Subject: one\n\nFrom x 10:00\n', 5), [])
  assert.ok(looksLikeMbox(Buffer.from(SEPARATOR)))
  for (const other of ['From: anna@example.org\n', 'From anna\n', '', 'Subject: x\nFrom a 10:00']) assert.ok(!looksLikeMbox(Buffer.from(other)), other)
})

test('files, folders, Maildirs, mboxes and standard input; twice is once', async () => {
  const { run, write, directory } = stage()
  write('one.eml', letter('a single message'))
  write('folder/a', letter('in a folder'))
  write('folder/deeper/b', letter('deeper in a folder'))
  write('folder/.hidden', letter('not this one'))
  write('folder/Maildir/cur/1:2,S', letter('read in a Maildir'))
  write('folder/Maildir/new/2', letter('new in a Maildir'))
  write('folder/Maildir/tmp/3', letter('not there yet'))
  write('folder/Maildir/.Sent/cur/4', letter('another folder of mail'))
  write('box', `${SEPARATOR}${letter('first of a box')}\n${SEPARATOR}${letter('second of a box')}`)
  const paths = ['one.eml', 'folder', 'box', '-']
  const text = letter('from standard input')
  assert.deepEqual(await run({ action: 'spam', paths }, { text }), {
    code: 0, err: 'adding up …\n',
    out: '8 learned as spam, 0 known already, 0 moved from ham, 0 unreadable\nThe classifier knows 0 wanted and 8 unwanted messages, 84 tokens.\nIt has no say before it knows 200 of each: 200 wanted and 192 unwanted to go.\n'.replace(/84/, String(modelOf(directory).tokens)),
  })
  assert.match((await run({ action: 'spam', paths }, { text })).out, /^0 learned as spam, 8 known already, 0 moved/)
  assert.match((await run({ action: 'ham', paths: ['box'] })).out, /^0 learned as ham, 0 known already, 2 moved from spam, 0 unreadable\nThe classifier knows 2 wanted and 6 unwanted/)
  assert.match((await run({ action: 'forget', paths: ['box', 'folder/.hidden'] })).out, /^2 forgotten, 1 were never learnt, 0 unreadable\nThe classifier knows 0 wanted and 6 unwanted/)
  assert.deepEqual(JSON.parse((await run({ action: 'status', json: true })).out), { ham: 0, spam: 6, tokens: modelOf(directory).tokens, waiting: 0, trained: false, needed: 200, remembered: { ham: 0, spam: 6 }, doubtful: 0, trust: 0 })
  assert.match((await run({ action: 'status' })).out, /^The classifier knows 0 wanted and 6 unwanted/)
})

function modelOf(directory: string): { readonly tokens: number; readonly spam: number } {
  const reading = readModel(join(directory, 'state', MODEL_FILE))
  assert.equal(reading.status, 'read')
  return reading.model
}

test('the message that came in is the message that lies in the mailbox', async () => {
  const { run, write } = stage()
  write('in', letter('the same words'))
  write('kept', `Return-Path: <a@example.org>\r\nReceived: from a by mx.example.net; Sat, 21 Nov 2026 10:00:00 +0000\r\n${letter('the same words').replace(/\n/g, '\r\n')}`)
  await run({ action: 'spam', paths: ['in'] })
  assert.match((await run({ action: 'spam', paths: ['kept'] })).out, /^0 learned as spam, 1 known already/)
})

test('what is no message, too large, or not there is told, and the rest is learnt', async () => {
  const { run, write } = stage()
  write('folder/good', letter('words'))
  write('folder/picture', '\x89PNG\r\n\x1a\n')
  write('folder/empty', '')
  write('folder/large', letter('x'.repeat(1_100_000)))
  const { code, out, err } = await run({ action: 'ham', paths: ['nowhere', 'folder'] })
  assert.equal(code, 66)
  assert.match(out, /^1 learned as ham, 0 known already, 0 moved from spam, 2 unreadable\n/)
  assert.match(err, /postern: nowhere: there is no such file\n/)
  assert.match(err, /folder\/picture: it does not begin with a header field\n/)
  assert.match(err, /folder\/large: it has [\d.,]+ \S+; at most [\d.,]+ \S+ are read \(limits\.message_bytes\)\n/)
  assert.equal((await run({ action: 'ham', paths: ['folder/picture'] })).code, 65)
})

test('many that are unreadable are named up to ten', async () => {
  const { run, write } = stage()
  for (let at = 0; at < 30; at++) write(`folder/${at}`, 'no message at all')
  const { out, err } = await run({ action: 'spam', paths: ['folder'] })
  assert.match(out, /30 unreadable/)
  assert.equal(err.split('header field').length - 1, 10)
  assert.match(err, /only counted/)
})

test('cut short, it keeps what it learnt and goes on the next time', async () => {
  const { run, write } = stage()
  let box = ''
  for (let at = 0; at < 50; at++) box += `${SEPARATOR}${letter(`message number ${at}`)}\n`
  write('box', box)
  const controller = new AbortController()
  const err: string[] = []
  let looks = 0
  const signal = Object.create(controller.signal, { aborted: { get: () => ++looks > 20 } }) as AbortSignal
  const cut = await run({ action: 'spam', paths: ['box'] }, { signal, err: (text) => err.push(text) })
  assert.equal(cut.code, 75)
  assert.match(cut.out, /^\d+ learned as spam/)
  assert.match(err.join(''), /cut short; what was learnt is kept/)
  const learned = Number(/^\d+/.exec(cut.out)?.[0])
  assert.ok(learned > 0 && learned < 50)
  assert.match((await run({ action: 'spam', paths: ['box'] })).out, new RegExp(`^${50 - learned} learned as spam, ${learned} known already`))
})

test('a configuration that is not there or wrong is told', async () => {
  const { run, write } = stage()
  assert.equal((await run({ action: 'status', config: 'none.yaml' })).code, 66)
  assert.equal((await run({ action: 'status', config: write('bad.yaml', 'hostnam: x') })).code, 78)
})

test('root makes no state directory, which nobody else could use', async () => {
  const { run, write, directory } = stage()
  rmdirSync(join(directory, 'state'))
  write('one', letter('words'))
  for (const request of [{ action: 'spam', paths: ['one'] }, { action: 'status' }] as const) {
    await assert.rejects(run(request, { root: true }), (error: unknown) => error instanceof ExitError && error.exitCode === 66 && /start the service once, or create it/.test(error.message))
  }
  assert.ok(!existsSync(join(directory, 'state')))
  assert.equal((await run({ action: 'spam', paths: ['one'] }, { root: false })).code, 0)
})

test('a database that somebody else keeps busy is worth another try', async () => {
  const { run, directory, write } = stage()
  write('one', letter('words'))
  await run({ action: 'spam', paths: ['one'] })
  const other = new DatabaseSync(join(directory, 'state/bayes.db'))
  other.exec('BEGIN IMMEDIATE')
  write('two', letter('other words'))
  await assert.rejects(run({ action: 'spam', paths: ['two'] }), (error: unknown) => error instanceof ExitError && error.exitCode === 75)
  other.close()
})

test('a database that is damaged, or of another Postern, is told with its file and what to do', async () => {
  const { directory, run, write } = stage()
  const path = join(directory, 'state', 'bayes.db')
  write('ham/1', letter('hello friend'))
  await run({ action: 'ham', paths: ['ham'] })
  const database = new DatabaseSync(path)
  database.exec("UPDATE numbers SET value = 1 WHERE name = 'tokens_version'")
  database.close()
  const refused = (exitCode: number, message: RegExp) => (error: unknown) => error instanceof ExitError && error.exitCode === exitCode && message.test(error.message)
  for (const request of [{ action: 'status' }, { action: 'ham', paths: ['ham'] }] as const) {
    await assert.rejects(run(request), refused(65, /^bayes\.db has tokens of version 1, this Postern makes \d+: remove it and train the classifier again \(it is in .*state;/))
  }
  for (const name of ['bayes.db', 'bayes.db-wal', 'bayes.db-shm']) rmSync(join(directory, 'state', name), { force: true })
  writeFileSync(path, 'no database at all, but of some length. '.repeat(100))
  await assert.rejects(run({ action: 'status' }), refused(65, /state\/bayes\.db is damaged \(file is not a database\): put back a copy/))
  rmSync(path)
  mkdirSync(path)
  await assert.rejects(run({ action: 'status' }), refused(77, /state\/bayes\.db cannot be opened for writing/))
})

test('a terminal has a bar that is drawn over, others have lines', () => {
  let now = 0
  const shown: string[] = []
  const place = (terminal: boolean) => ({ err: (text: string) => void shown.push(text), terminal, columns: 60, now: () => now })
  const bar = new Progress(1000, place(true))
  for (let at = 0; at < 10; at++) {
    now += 60
    bar.add(100)
  }
  bar.clear()
  assert.deepEqual(shown, [2, 4, 6, 8, 10].map((done) => `\r\x1b[K[${'#'.repeat(Math.round(done * 2.4)).padEnd(24, '.')}] ${done * 10} %, ${done} messages, 17/s`).concat('\r\x1b[K'))
  shown.length = 0
  now = 0
  const lines = new Progress(0, place(false))
  now = 6000
  lines.add(5000)
  lines.clear()
  assert.equal(shown.length, 1)
  assert.match(shown[0] ?? '', /^4\.9 KiB, 1 messages, 0\/s\n$|^5(?:\.0)? kB, 1 messages, 0\/s\n$/)
})
