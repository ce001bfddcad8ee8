/**
 * `postern train` as a process: many messages from mboxes and Maildirs, two at
 * once on one database, Control-C in the middle, and a model at the end that
 * workers can read. Needs no other program.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readModel } from '../../src/spam/bayes/model-file.ts'
import { run, start, temporaryDirectory, until } from '../support/process.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')
const WORDS = 'meeting garden letter tuesday winter project drawing music river paper window summer kitchen travel order invoice'.split(' ')

function text(kind: string, number: number): string {
  const words = Array.from({ length: 60 }, (_, at) => `${WORDS[(number * 7 + at * at) % WORDS.length] ?? ''}${at % 3 === 0 ? kind : ''}`)
  return `From: anna@example.org\nTo: bert@example.net\nMessage-ID: <${kind}.${number}@example.org>\nSubject: ${kind} ${number}\n\n${words.join(' ')}\n`
}

function stage() {
  const directory = temporaryDirectory('train')
  const config = join(directory, 'postern.yaml')
  const state = join(directory, 'state')
  mkdirSync(state)
  writeFileSync(config, JSON.stringify({ hostname: 'mx.example.net', state, domains: ['example.net'], listeners: [{ name: 'in', role: 'inbound', listen: ['127.0.0.1:2525'], next: 'local' }], hops: { local: { maildir: join(directory, 'mail/{local}') } } }))
  const box = join(directory, 'box')
  writeFileSync(box, Array.from({ length: 3000 }, (_, at) => `From anna@example.org Sat Nov 21 10:00:00 2026\n${text('cheap', at)}\n`).join(''))
  const maildir = join(directory, 'Maildir')
  for (const folder of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, folder), { recursive: true })
  for (let at = 0; at < 600; at++) writeFileSync(join(maildir, at % 3 === 0 ? 'new' : 'cur', `${at}.M1.host${at % 3 === 0 ? '' : ':2,S'}`), text('friendly', at))
  const command = (...words: readonly string[]): string[] => [process.execPath, MAIN, 'train', ...words, '--config', config]
  return { directory, state, box, maildir, command }
}

test('two that train at once, and the model that both make', async () => {
  const { state, box, maildir, command } = stage()
  const [spam, ham] = await Promise.all([run(command('spam', box), { timeoutMs: 120_000 }), run(command('ham', maildir), { timeoutMs: 120_000 })])
  assert.equal(spam.code, 0, spam.output)
  assert.equal(ham.code, 0, ham.output)
  assert.match(spam.output, /3000 learned as spam, 0 known already/)
  assert.match(ham.output, /600 learned as ham, 0 known already/)
  // Whoever was last may have found the other at it: then the next one takes it in.
  const status = await run(command('ham', maildir))
  assert.match(status.output, /0 learned as ham, 600 known already[^]*knows 600 wanted and 3000 unwanted messages, \d+ tokens\.\n/)
  const reading = readModel(join(state, 'bayes.model'))
  assert.equal(reading.status, 'read')
  assert.deepEqual([reading.model.ham, reading.model.spam], [600, 3000])
  assert.deepEqual(readdirSync(state).filter((name) => name.includes('tmp')), [])
})

test('Control-C ends it between two messages, and the same command goes on', async (t) => {
  const { state, box, command } = stage()
  const running = start(command('spam', box))
  t.after(() => running.stop())
  await until('the database', () => {
    try {
      return readdirSync(state).includes('bayes.db')
    } catch {
      return false
    }
  }, { detail: () => running.output() })
  running.signal('SIGINT')
  await running.ended
  const learned = Number(/(\d+) learned as spam/.exec(running.output())?.[1])
  // On a quick machine it may have come to its end.
  if (learned < 3000) assert.match(running.output(), /cut short; what was learnt is kept/)
  const again = await run(command('spam', box), { timeoutMs: 120_000 })
  assert.equal(again.code, 0, again.output)
  assert.match(again.output, new RegExp(`${3000 - learned} learned as spam, ${learned} known already[^]*knows 0 wanted and 3000 unwanted`))
})

/** Whose the gateway's state is, and whose the mail: neither is root. */
const GATEWAY = { uid: 65_534, gid: 65_534 }
const BOB = { uid: 54_321, gid: 54_321 }

test('root trains on mail that its owner alone may read; the state stays the gateway’s', { skip: process.geteuid?.() === 0 ? false : 'only root may read the mail of others' }, async () => {
  const { directory, state, command } = stage()
  chownSync(state, GATEWAY.uid, GATEWAY.gid)
  const home = join(directory, 'bob')
  const junk = join(home, 'Maildir/.Junk')
  for (const folder of ['cur', 'new', 'tmp']) mkdirSync(join(junk, folder), { recursive: true })
  for (let at = 0; at < 250; at++) writeFileSync(join(junk, at % 3 === 0 ? 'new' : 'cur', `${at}.M1.host`), text('cheap', at), { mode: 0o600 })
  const secret = join(directory, 'secret')
  for (const folder of ['cur', 'new']) mkdirSync(join(secret, folder), { recursive: true, mode: 0o700 })
  for (let at = 0; at < 5; at++) writeFileSync(join(secret, 'cur', `${at}`), text('secret', at), { mode: 0o600 })
  // What Bob may try: root's mail under names of his own, and files that never end.
  symlinkSync(join(secret, 'cur/0'), join(junk, 'cur/link'))
  symlinkSync(join(secret, 'cur'), join(junk, 'cur/folder'))
  symlinkSync('/dev/zero', join(junk, 'new/zero'))
  symlinkSync(secret, join(home, 'Maildir/.Trick'))
  execFileSync('mkfifo', [join(junk, 'cur/pipe')])
  execFileSync('mknod', [join(junk, 'new/device'), 'c', '1', '5'])
  execFileSync('chown', ['-hR', `${BOB.uid}:${BOB.gid}`, home])
  execFileSync('chmod', ['-R', 'go=', home])
  const learnt = await run(command('spam', junk, join(home, 'Maildir/.Trick')), { timeoutMs: 60_000 })
  assert.match(learnt.output, /\.Trick: \.Trick is a symbolic link that is not root's/)
  assert.match(learnt.output, /250 learned as spam, 0 known already, 0 moved from ham, 0 unreadable/)
  assert.equal(learnt.code, 66, learnt.output)
  const again = await run(command('spam', junk, '-'), { input: text('cheap', 9999) })
  assert.equal(again.code, 0, again.output)
  assert.match(again.output, /1 learned as spam, 250 known already/)
  const names = readdirSync(state)
  assert.ok(names.includes('bayes.db') && names.includes('bayes.model'), names.join())
  for (const name of names) assert.deepEqual([lstatSync(join(state, name)).uid, lstatSync(join(state, name)).gid], [GATEWAY.uid, GATEWAY.gid], name)
  // Root's own mail, which he names.
  assert.match((await run(command('ham', secret, join(secret, 'cur/1')))).output, /5 learned as ham, 1 known already/)
})

test('Control-C is for the one that learns, not for the one that reads as root', { skip: process.geteuid?.() === 0 ? false : 'only root has one' }, async (t) => {
  const { box, state, command } = stage()
  chownSync(state, GATEWAY.uid, GATEWAY.gid)
  const running = start(command('spam', box))
  t.after(() => running.stop())
  await until('the database', () => readdirSync(state).includes('bayes.db'), { detail: () => running.output() })
  running.signal('SIGINT')
  await running.ended
  assert.match(running.output(), /\d+ learned as spam/)
  assert.doesNotMatch(running.output(), /came to its end/)
})
