/** The demonstration runs, is as it says, and leaves nothing behind; and its judge sees what is not so. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runDemo } from '../../../src/cli/demo.ts'
import { compare } from '../../../src/cli/demo/judge.ts'
import { SAMPLES } from '../../../src/cli/demo/samples.ts'

async function demo(terminal: boolean, environment: NodeJS.ProcessEnv = {}): Promise<{ code: number; out: string }> {
  let out = ''
  const code = await runDemo({ terminal, environment, out: (text) => (out += text) })
  return { code, out }
}

describe('postern demo', () => {
  test('shows every sample with its reply, where it landed and what changed', async () => {
    const { code, out } = await demo(false, { POSTERN_HOSTNAME: 'not a name' })
    assert.equal(code, 0, out)
    assert.match(out, /All 7 as expected/)
    for (const { title, to } of SAMPLES) assert.ok(out.includes(title) && out.includes(to), title)
    assert.equal(out.match(/ {3}250 2\.0\.0 /g)?.length, 5)
    assert.equal(out.match(/added on top: Return-Path, Delivered-To, Received/g)?.length, 5)
    assert.match(out, /10 bare line ends made whole, 1 NUL taken out; nothing else changed/)
    assert.match(out, /550 5\.1\.1 /)
    assert.match(out, /550 5\.7\.1 /)
    assert.match(out, /mail of this machine itself is not checked \(policy\.exempt\), so the forgery and the virus were delivered unjudged/)
    assert.match(out, /postern scan FILE --ip ADDRESS/)
    assert.doesNotMatch(out, /\x1b|NOT AS EXPECTED|logged/)
    const directory = /Maildirs in (\S+)/.exec(out)?.[1]
    assert.ok(directory !== undefined && !existsSync(directory))
  })

  test('has colour on a terminal unless NO_COLOR asks for none', async () => {
    assert.match((await demo(true)).out, /\x1b\[32m250 2\.0\.0/)
    assert.doesNotMatch((await demo(true, { NO_COLOR: '1' })).out, /\x1b/)
  })
})

describe('postern demo that is ended early', () => {
  for (const [when, said] of [['at once', ''], ['behind its first line', 'Postern demo'], ['in the middle', '3. ']] as const) {
    test(`${when} ends with the code it is given, and leaves nothing behind`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'postern-demo-test-'))
      const before = process.env['TMPDIR']
      process.env['TMPDIR'] = directory
      t.after(() => {
        if (before === undefined) delete process.env['TMPDIR']
        else process.env['TMPDIR'] = before
        rmSync(directory, { recursive: true, force: true })
      })
      let out = ''
      let forgotten = 0
      let end: (exitCode: number) => void = () => undefined
      const code = await runDemo({
        terminal: false, environment: {},
        out: (text) => {
          out += text
          if (out.includes(said)) end(130)
        },
        onEnd: (ender) => {
          end = ender
          if (said === '') end(130)
          return () => { forgotten++ }
        },
      })
      assert.equal(code, 130)
      assert.equal(forgotten, 1)
      assert.doesNotMatch(out, /as expected/)
      assert.deepEqual(readdirSync(directory), [])
    })
  }
})

describe('the comparison', () => {
  const sent = 'Subject: x\r\n\r\na\nb\rc\0d\r\n'
  test('finds what was added and what was mended', () => {
    assert.deepEqual(compare(sent, 'Return-Path: <>\nReceived: from a\n\tby b\nSubject: x\n\na\nb\ncd\n'), {
      status: 'same', findings: { added: ['Return-Path', 'Received'], bareLineEnds: 2, nuls: 1 },
    })
  })
  test('finds every other change', () => {
    for (const stored of ['', 'Subject: x\n\na\nb\ncd', 'Subject: x\n\na\nb\nc\0d\n', 'Subject: X\n\na\nb\ncd\n', 'not a field\nSubject: x\n\na\nb\ncd\n', 'A: b\n\nSubject: x\n\na\nb\ncd\n', ' continued\nSubject: x\n\na\nb\ncd\n']) {
      assert.equal(compare(sent, stored).status, 'different', stored)
    }
  })
})
