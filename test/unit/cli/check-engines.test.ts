/** `postern check`, of other engines: whether they answer, which is never an error. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkEngines } from '../../../src/cli/check-engines.ts'
import { clamav, rspamd, spamassassin, spamscanner } from '../../support/spam-engines.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { settingsFrom } from '../../support/settings.ts'
import { fakeEngine } from '../spam/engines/fake-engine.ts'
import type { EngineSettings } from '../../../src/spam/engines/settings.ts'
import type { Settings } from '../../../src/config/settings.ts'

function settings(engines: readonly EngineSettings[], role = 'inbound'): Settings {
  const listener = role === 'inbound' ? 'role: inbound' : 'role: outbound'
  const made = settingsFrom(`hostname: mx.example\nlisteners: [{ name: in, ${listener}, listen: ["127.0.0.1:2525"], next: sink }]\nhops: { sink: { smtp: "127.0.0.1:2526" } }\ndomains: [example.org]`, { cwd: temporaryDirectory('check-engines') })
  return { ...made, spam: { ...made.spam, engines } }
}

test('one that answers is in the summary, one that does not is a warning that says what becomes of mail', async (t) => {
  const spamd = await fakeEngine(t, async ({ until, say }) => {
    await until((received) => received.startsWith('PING '))
    await say('SPAMD/1.5 0 PONG\r\n')
  })
  const silent = await fakeEngine(t, () => undefined)
  const gone = await fakeEngine(t, () => undefined)
  await gone.stop()
  const { warnings, lines } = await checkEngines(settings([
    spamassassin({ name: 'sa', address: spamd.address }), rspamd({ address: silent.address, timeoutMs: 50 }), clamav({ address: gone.address, down: 'tempfail' }),
  ]))
  const at = ({ port }: { readonly port: number }): string => `127.0.0.1:${port}`
  assert.deepEqual(lines.map((line) => line.replace(/connect /, '')), [`  engines    sa at ${at(spamd.address)} answers`, `             rspamd at ${at(silent.address)}: no answer in 50 ms`, `             clamav at ${at(gone.address)}: ECONNREFUSED ${at(gone.address)}`])
  assert.deepEqual(warnings.map((warning) => warning.replace(/connect /, '')), [
    `spam.engines: rspamd at ${at(silent.address)} is of no use now: no answer in 50 ms; mail flows without it until it is`,
    `spam.engines: clamav at ${at(gone.address)} is of no use now: ECONNREFUSED ${at(gone.address)}; mail that it is to judge gets 451 until it is (down: tempfail)`,
  ])
})

test('spamscanner is looked for and not started', async () => {
  const folder = temporaryDirectory('check-engines')
  const sentence = `the package spamscanner is not installed: npm install spamscanner in ${folder}, or name the folder that has it`
  assert.deepEqual(await checkEngines(settings([spamscanner({ folder })])), {
    warnings: [`spam.engines: spamscanner is of no use now: ${sentence}; mail flows without it until it is`],
    lines: [`  engines    spamscanner: ${sentence}`],
  })
  const place = join(folder, 'node_modules', 'spamscanner')
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), '{"name":"spamscanner","version":"6.1.5","exports":"./index.js"}')
  writeFileSync(join(place, 'index.js'), 'process.exit(3)')
  assert.deepEqual(await checkEngines(settings([spamscanner({ folder })])), { warnings: [], lines: ['  engines    spamscanner 6.1.5 is installed'] })
})

test('nobody is asked where nothing is judged', async (t) => {
  const fake = await fakeEngine(t, () => undefined)
  assert.deepEqual(await checkEngines(settings([rspamd({ address: fake.address })], 'outbound')), { warnings: [], lines: [] })
  assert.equal(fake.connections.length, 0)
})

test('a socket that is not there', async () => {
  const path = `${temporaryDirectory('check-engines')}/clamd.ctl`
  const { warnings, lines } = await checkEngines(settings([clamav({ address: { path } })]))
  assert.deepEqual(lines, [`  engines    clamav at unix:${path}: connect ENOENT ${path}`])
  assert.match(warnings[0] ?? '', /clamd\.ctl is of no use now: connect ENOENT /)
})

test('one that answers wrongly, and one that is not asked for want of its password', async (t) => {
  const wrong = await fakeEngine(t, async ({ until, say }) => {
    await until((received) => received.includes('PING'))
    await say('ERROR\u001b[2J\0')
  })
  const unasked = await fakeEngine(t, () => undefined)
  const passwordFile = `${temporaryDirectory('check-engines')}/none`
  const { warnings, lines } = await checkEngines(settings([clamav({ address: wrong.address }), rspamd({ address: unasked.address, passwordFile })]))
  assert.match(lines[0] ?? '', /^ {2}engines {4}clamav at 127\.0\.0\.1:\d+: it answers PING with "ERROR[^\u001b]*"$/)
  assert.match(lines[1] ?? '', /^ {13}rspamd at 127\.0\.0\.1:\d+: the password file of Rspamd is not used: /)
  assert.match(warnings[1] ?? '', /rspamd at \S+ is of no use now: the password file of Rspamd is not used: .*; mail flows without it until it is$/)
  assert.equal(unasked.connections.length, 0)
})
