/**
 * spamscanner itself is not installed for tests (224 MB, another licence). What
 * stands here in its place has the interface that its documentation tells of:
 * a class by default export, `scan(source, options)`, results as versions 5 to 7
 * have them. It is loaded by the real child process.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineClock } from '../../../../src/spam/engines/engine.ts'
import { parseSpamscannerResult, trimmedResult } from '../../../../src/spam/engines/spamscanner-answer.ts'
import { FrameReader, frameOf, MAX_FRAME_BYTES } from '../../../../src/spam/engines/spamscanner-frames.ts'
import { start, until } from '../../../support/process.ts'
import { engineFor, engineMessage, ground, HAM, longMessage, spamscanner } from '../../../support/spam-engines.ts'
import { fileMessage } from '../../../support/stored-message.ts'

const STAND_IN = `
import { writeFileSync } from 'node:fs'
export default class SpamScanner {
  constructor(options) { this.options = options; console.log('it prints'); console.error('and complains') }
  async scan(source, options) {
    if (!Buffer.isBuffer(source)) throw new Error('no buffer')
    const text = source.toString('latin1')
    if (/HANG|WAIT/.test(text)) writeFileSync(this.options.marker, String(process.pid))
    if (text.includes('HANG')) for (;;);
    if (text.includes('WAIT')) await new Promise(() => setInterval(() => {}, 1000))
    if (text.includes('EXIT')) process.exit(3)
    if (text.includes('THROW')) throw new Error('cannot\\nscan')
    if (text.includes('FLOOD')) return { isSpam: true, score: 9, tests: Array.from({ length: 100000 }, (_, i) => ({ name: 'T' + i, score: 1, description: 'x'.repeat(1000) })), mail: { text } }
    if (text.includes('STRANGE')) return 'ham'
    if (text.includes('EVIL')) return { is_spam: true, results: { viruses: [{ filename: 'a.exe', virus: ['Evil-1', 'Evil-2'], type: 'virus' }] } }
    return {
      isSpam: text.includes('watches'), score: 6.5, threshold: 5, rejectThreshold: 15, action: 'tag', message: 'Spam',
      tests: [{ name: 'BAYES_999', score: 6.25, description: 'spam probability 99.9%' }, { name: 'SIZE', score: 0.25, description: source.length + ' bytes, ' + JSON.stringify(options) + JSON.stringify(this.options) + Object.keys(process.env).join() }],
      results: {}, links: [], tokens: ['a'], mail: {}, metrics: {},
    }
  }
}
`

function installed(t: { after(action: () => void): void }, source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-spamscanner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const place = join(folder, 'node_modules', 'spamscanner')
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), '{"name":"spamscanner","version":"7.0.0","type":"module","exports":"./index.js"}')
  writeFileSync(join(place, 'index.js'), source)
  return folder
}

test('a message goes to a process of its own, with the facts of the session, and comes back as a score', async (t) => {
  const engine = engineFor(t, spamscanner({ folder: installed(t, STAND_IN), options: { phishing: { cloudflare: false } }, scans: 9 }), ground())
  assert.equal(await engine.ping(), undefined)
  const prefix = Buffer.from('Received: from a by b\r\n', 'latin1')
  const found = await engine.scan(engineMessage(HAM, { prefix, recipients: [] }))
  assert.ok(found.status === 'scored', JSON.stringify(found))
  assert.deepEqual([found.score, found.threshold, found.action, found.symbols.map(({ name, score }) => [name, score])], [6.5, 5, 'tag', [['BAYES_999', 6.25], ['SIZE', 0.25]]])
  assert.ok(found.symbols[1]?.description?.startsWith(`${prefix.length + HAM.length} bytes, {"session":{"remoteAddress":"192.0.2.7","resolvedClientHostname":"host.example.net","helo":"client.example",`), found.symbols[1]?.description)
})

test('many messages, one after the other, and one of 1 MB out of a file', async (t) => {
  const engine = engineFor(t, spamscanner({ folder: installed(t, STAND_IN), waiting: 40 }), ground())
  const body = await fileMessage(t, longMessage(900_000))
  const all = await Promise.all([...Array.from({ length: 20 }, () => engine.scan(engineMessage(HAM))), engine.scan(engineMessage(body))])
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set(['scored']))
  const last = all.at(-1)
  assert.ok(last?.status === 'scored' && last.symbols[1]?.description?.startsWith(`${body.size} bytes`))
})

test('what it does not understand, or cannot, is answered; a virus is one', async (t) => {
  const engine = engineFor(t, spamscanner({ folder: installed(t, STAND_IN) }), ground())
  assert.deepEqual(await engine.scan(engineMessage('THROW')), { status: 'temperror', cause: 'spamscanner says "cannot scan"' })
  assert.deepEqual(await engine.scan(engineMessage('STRANGE')), { status: 'temperror', cause: 'this version of spamscanner has no result that is known here' })
  assert.deepEqual(await engine.scan(engineMessage('EVIL')), { status: 'virus', name: 'Evil-1' })
  const flood = await engine.scan(engineMessage('FLOOD'))
  assert.ok(flood.status === 'scored' && flood.symbols.length === 100)
  assert.equal(engine.health().failures, 0)
})

/** A clock whose time is over when the test says so. */
function handClock() {
  const due = new Set<() => void>()
  const clock: EngineClock = {
    nowMs: () => performance.now(),
    after(_, action) {
      due.add(action)
      return () => due.delete(action)
    },
  }
  return { clock, expire: () => due.forEach((action) => action()) }
}

test('one that hangs is killed with its process, and the next message has another', async (t) => {
  const folder = installed(t, STAND_IN)
  const { clock, expire } = handClock()
  const engine = engineFor(t, spamscanner({ folder, options: { marker: join(folder, 'marker') } }), { ...ground(), clock })
  for (const text of ['HANG', 'WAIT']) {
    const scanning = engine.scan(engineMessage(text))
    const pid = await marked(folder)
    expire()
    assert.deepEqual(await scanning, { status: 'temperror', cause: 'no answer in 30000 ms' })
    await until('its process ends', () => !lives(pid))
    assert.equal((await engine.scan(engineMessage(HAM))).status, 'scored')
  }
  assert.deepEqual(await engine.scan(engineMessage('EXIT')), { status: 'temperror', cause: 'its process has ended (3): and complains' })
  assert.equal(engine.health().failures, 1)
  assert.equal((await engine.scan(engineMessage(HAM))).status, 'scored')
})

test('time that is over while it loads leaves it loading', async (t) => {
  const folder = installed(t, `await new Promise((resolve) => setTimeout(resolve, 300))\n${STAND_IN}`)
  const { clock, expire } = handClock()
  const engine = engineFor(t, spamscanner({ folder }), { ...ground(), clock })
  const hasty = engine.scan(engineMessage(HAM))
  await new Promise((resolve) => setImmediate(resolve))
  expire()
  assert.equal((await hasty).status, 'temperror')
  assert.equal((await engine.scan(engineMessage(HAM))).status, 'scored')
})

test('it does not outlive a gateway that is killed, not even lost in a message', async (t) => {
  const folder = installed(t, STAND_IN)
  const settings = JSON.stringify(spamscanner({ folder, options: { marker: join(folder, 'marker') } }))
  const script = join(folder, 'gateway.ts')
  writeFileSync(script, [
    `import { engineMessage, ground } from '${import.meta.resolve('../../../support/spam-engines.ts')}'`,
    `import { createEngine } from '${import.meta.resolve('../../../../src/spam/engines/create-engines.ts')}'`,
    `await createEngine(${settings}, ground()).scan(engineMessage('HANG'))`,
  ].join('\n'))
  const gateway = start([process.execPath, script])
  t.after(() => gateway.stop())
  const pid = await marked(folder, () => gateway.output())
  assert.ok(lives(pid))
  process.kill(gateway.pid, 'SIGKILL')
  await until('its process ends', () => !lives(pid))
})

/** The process that has taken the message that hangs. */
async function marked(folder: string, detail: () => string = () => ''): Promise<number> {
  const file = join(folder, 'marker')
  await until('the message is being scanned', () => existsSync(file) && readFileSync(file, 'latin1') !== '', { detail })
  const pid = Number(readFileSync(file, 'latin1'))
  rmSync(file)
  return pid
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // Ended, and not yet taken notice of by who started it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

test('where it is not installed, or does not run, that is said', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-none-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const absent = engineFor(t, spamscanner({ folder }), ground())
  const sentence = `the package spamscanner is not installed: npm install spamscanner in ${folder}, or name the folder that has it`
  assert.equal(await absent.ping(), sentence)
  assert.deepEqual(await absent.scan(engineMessage(HAM)), { status: 'temperror', cause: sentence })
  assert.equal(absent.health().failures, 1)
  const cases = [['throw new Error("no binding\\nfor this machine")', /^spamscanner does not run: no binding for this machine$/], ['export default 5', /exports no class/], ['export default class { constructor() { throw new Error("no model") } }', /no model/], ['process.exit(9)', /its process has ended \(9\)/], ['export defualt', /does not run/]] as const
  for (const [source, cause] of cases) {
    const engine = engineFor(t, spamscanner({ folder: installed(t, source) }), ground())
    assert.match(await engine.ping() ?? '', cause)
  }
})

test('an older CommonJS package, whose class is one level deeper', async (t) => {
  const folder = installed(t, '')
  const place = join(folder, 'node_modules', 'spamscanner')
  writeFileSync(join(place, 'package.json'), '{"name":"spamscanner","version":"6.1.5","main":"./index.js"}')
  writeFileSync(join(place, 'index.js'), 'exports.__esModule = true; exports.default = class { async scan(source) { return { isSpam: true, message: "Spam", results: { classification: { category: "spam", probability: 0.97 }, phishing: [{ type: "phishing", url: "http://x.example", description: "Looks like a bank" }], arbitrary: ["GTUBE"] } } } }')
  const engine = engineFor(t, spamscanner({ folder }), ground())
  assert.deepEqual(await engine.scan(engineMessage(HAM)), {
    status: 'scored', score: 5, threshold: 5, symbols: [
      { name: 'CLASSIFIED_SPAM', score: 0, description: 'the classifier says spam 97 %' }, { name: 'PHISHING', score: 0, description: 'Looks like a bank' }, { name: 'ARBITRARY', score: 0, description: 'GTUBE' },
    ],
  })
})

// As published in version 6.1.5: what `require` names is not in the package.
test('a package whose part for require is missing is there all the same', async (t) => {
  const folder = installed(t, STAND_IN)
  writeFileSync(join(folder, 'node_modules', 'spamscanner', 'package.json'), '{"name":"spamscanner","version":"6.1.5","type":"module","exports":{".":{"import":"./index.js","require":"./dist/cjs/index.js"}}}')
  const engine = engineFor(t, spamscanner({ folder }), ground())
  assert.equal(await engine.ping(), undefined)
  const found = await engine.scan(engineMessage(HAM))
  assert.equal(found.status, 'scored', JSON.stringify(found))
})

// Version 6 finds a path in each link.
test('what is in any mail is no reason to call it spam, beside another it is named', () => {
  const scoreFor = (results: unknown): unknown => {
    const found = parseSpamscannerResult(JSON.parse(JSON.stringify(trimmedResult({ isSpam: true, results }))))
    return found?.status === 'scored' ? [found.score, found.symbols.map(({ name }) => name).join()] : found
  }
  const path = [{ type: 'file_path', path: '//example.org/', description: 'Suspicious file path detected' }]
  assert.deepEqual(scoreFor({ patterns: path, classification: { category: 'ham', probability: 0.5 }, idnHomographAttack: { detected: false } }), [0, 'CLASSIFIED_HAM,PATTERNS'])
  assert.deepEqual(scoreFor({ patterns: path, arbitrary: ['GTUBE'] }), [5, 'ARBITRARY,PATTERNS'])
  assert.deepEqual(scoreFor({ patterns: path, classification: { category: 'spam', probability: 0.9 } }), [5, 'CLASSIFIED_SPAM,PATTERNS'])
  assert.deepEqual(scoreFor({ patterns: path, idnHomographAttack: { detected: true } }), [5, 'HOMOGRAPH,PATTERNS'])
  assert.deepEqual(scoreFor({ patterns: path, reputation: { isDenylisted: true, denylistValue: 'sender.example' } }), [5, 'DENYLISTED,PATTERNS'])
  assert.deepEqual(scoreFor({ patterns: path, reputation: { isDenylisted: false, isAllowlisted: true } }), [0, 'PATTERNS'])
  assert.deepEqual(scoreFor({}), [5, ''])
  const listed = parseSpamscannerResult(trimmedResult({ isSpam: true, results: { reputation: { isDenylisted: true, denylistValue: 'sender.example' } } }))
  assert.deepEqual(listed?.status === 'scored' && listed.symbols, [{ name: 'DENYLISTED', score: 0, description: 'the sender is on a deny list: sender.example' }])
  const many = parseSpamscannerResult(trimmedResult({ isSpam: false, results: { patterns: [...path, ...path, ...path] } }))
  assert.deepEqual(many?.status === 'scored' && many.symbols, [{ name: 'PATTERNS', score: 0, description: 'Suspicious file path detected and 2 more' }])
})

test('results of no known shape are none, and are cut down to a bounded size', () => {
  for (const result of [undefined, null, 5, 'ham', [], {}, { isSpam: 'yes' }]) assert.equal(parseSpamscannerResult(trimmedResult(result)), undefined)
  assert.deepEqual(parseSpamscannerResult(trimmedResult({ is_spam: false })), { status: 'scored', score: 0, threshold: 5, symbols: [] })
  const huge = trimmedResult({ isSpam: true, mail: { text: 'x'.repeat(10_000_000) }, results: { phishing: Array.from({ length: 10_000 }, () => ({ message: 'y'.repeat(10_000) })), viruses: [{}], reputation: { isDenylisted: true, denylistValue: 'z'.repeat(1_000_000) } } })
  assert.ok(JSON.stringify(huge).length < 200_000)
  assert.deepEqual(parseSpamscannerResult(huge), { status: 'virus', name: 'unnamed' })
})

test('frames are read alike wherever they are cut', () => {
  const frames = [Buffer.from('{"id":1}'), Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(0)]
  const bytes = Buffer.concat(frames.flatMap((frame) => frameOf(frame)))
  for (let i = 0; i <= bytes.length; i++) {
    for (let j = i; j <= bytes.length; j++) {
      const reader = new FrameReader()
      const read = [bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)].flatMap((piece) => {
        const found = reader.push(piece)
        assert.ok(found !== 'too long')
        return found
      })
      assert.deepEqual(read, frames)
    }
  }
  const long = Buffer.alloc(4)
  long.writeUInt32BE(MAX_FRAME_BYTES + 1)
  assert.equal(new FrameReader().push(long), 'too long')
})
