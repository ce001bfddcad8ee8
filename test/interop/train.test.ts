/**
 * `postern train` as a process: many messages from mboxes and Maildirs, two at
 * once on one database, Control-C in the middle, and a model at the end that
 * workers can read. Needs no other program.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
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
