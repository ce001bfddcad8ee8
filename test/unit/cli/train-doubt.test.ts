/** `postern train ham`: which of what it has read looks like spam. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTrain } from '../../../src/cli/train.ts'
import type { TrainRequest } from '../../../src/cli/train-command.ts'
import { temporaryDirectory } from '../../support/process.ts'

const WORDS = { ham: 'garden meeting tomorrow recipe children school train dinner birthday holiday lake bicycle', spam: 'lottery winner million casino pills cheap offer guaranteed urgent transfer bonus jackpot' }

/** Each has some of its kind's words, and others than the one before it. */
function message(kind: keyof typeof WORDS, n: number): string {
  const words = WORDS[kind].split(' ')
  return `From: a${n}@${kind}.example\nMessage-ID: <${kind}-${n}@x.example>\nSubject: ${words[n % 12]} ${words[(n + 5) % 12]}\n\n${Array.from({ length: 8 }, (_, at) => words[(n * 7 + at * 5) % 12]).join(' ')}\n`
}

function stage() {
  const directory = temporaryDirectory('train-doubt')
  mkdirSync(join(directory, 'state'))
  writeFileSync(join(directory, 'postern.yaml'), JSON.stringify({
    hostname: 'mx.example.net', state: join(directory, 'state'), domains: ['example.net'], spam: { bayes: { min_messages: 40 } },
    listeners: [{ name: 'in', role: 'inbound', listen: ['127.0.0.1:2525'], next: 'local' }], hops: { local: { maildir: join(directory, 'mail/{local}') } },
  }))
  const folder = (name: string, kind: keyof typeof WORDS, [from, to]: readonly [number, number]): void => {
    mkdirSync(join(directory, name), { recursive: true })
    for (let n = from; n < to; n++) writeFileSync(join(directory, name, String(n)), message(kind, n))
  }
  async function* nothing(): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.alloc(0))
  }
  const run = async (request: TrainRequest): Promise<string> => {
    let out = ''
    assert.equal(await runTrain(request, { environment: {}, cwd: directory, out: (one) => (out += one), err: () => undefined, input: nothing(), terminal: undefined }), 0)
    return out
  }
  return { directory, folder, run }
}

test('spam among what is taught as wanted is named, with its file and Message-ID', async () => {
  const { directory, folder, run } = stage()
  folder('ham', 'ham', [0, 60])
  folder('spam', 'spam', [0, 60])
  await run({ action: 'spam', paths: ['spam'] })
  assert.doesNotMatch(await run({ action: 'ham', paths: ['ham'] }), /looks? like/)
  folder('more', 'spam', [100, 102])
  writeFileSync(join(directory, 'box'), `From a@b.example Sat Nov 21 10:00:00 2026\n${message('ham', 90)}\nFrom a@b.example Sat Nov 21 10:00:00 2026\n${message('spam', 103).replace('spam-103@', '\x1b[2Jid@')}`)
  const named = (out: string): readonly string[] => out.slice(out.indexOf('these look most like it')).split('\n').slice(1, -1).sort()
  const expected = [`  ${directory}/box (<\\x1b[2Jid@x.example>)`, `  ${directory}/more/100 (<spam-100@x.example>)`, `  ${directory}/more/101 (<spam-101@x.example>)`]
  const out = await run({ action: 'ham', paths: ['more', 'box'] })
  assert.match(out, /Wanted mail was learned that looks like spam: \d messages\..*\nOf what was read just now, these look most like it:\n/)
  assert.deepEqual(named(out), expected)
  // Whoever asks again later is told again.
  assert.deepEqual(named(await run({ action: 'ham', paths: ['ham', 'more', 'box'] })), expected)
  assert.match(await run({ action: 'status' }), /Look whether spam was learned as ham: postern train ham, once more of the same, names what looks most like it; postern train spam moves it\.\n$/)
  // What is moved is in doubt no more.
  assert.doesNotMatch(await run({ action: 'spam', paths: ['more', 'box'] }), /looks? like/)
})

test('the first ten are named, and the others counted', async () => {
  const { folder, run } = stage()
  folder('ham', 'ham', [0, 300])
  folder('spam', 'spam', [0, 300])
  folder('more', 'spam', [400, 412])
  await run({ action: 'spam', paths: ['spam'] })
  const out = await run({ action: 'ham', paths: ['ham', 'more'] })
  assert.equal(out.match(/^ {2}\/.*\/more\/\d+ \(<.*>\)$/gm)?.length, 10)
  assert.match(out, /\n {2}and 2 more\n$/)
})
