/** What systemd is told, in which order, and that it harms nothing where it cannot be told. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { createNotifier, type NotifierParts } from '../../../src/observe/sd-notify.ts'
import { FakeClock, fakeLog, settle } from '../supervisor/fakes.ts'

function parts(environment: NodeJS.ProcessEnv, more: Partial<NotifierParts> = {}): { parts: NotifierParts; sent: string[][]; clock: FakeClock; lines: { text: string }[] } {
  const sent: string[][] = []
  const clock = new FakeClock()
  const { log, lines } = fakeLog()
  const send = (assignments: readonly string[]): Promise<void> => {
    sent.push([...assignments])
    return Promise.resolve()
  }
  return { parts: { environment, pid: 42, log, clock, send, ...more }, sent, clock, lines }
}

test('without NOTIFY_SOCKET nothing is sent', async () => {
  const { parts: given, sent, clock } = parts({ WATCHDOG_USEC: '1000000' })
  const notifier = createNotifier(given)
  await notifier.ready('up')
  await notifier.stopping('down')
  clock.advance(10_000)
  assert.deepEqual(sent, [])
})

test('the life of a service, in order', async () => {
  const { parts: given, sent } = parts({ NOTIFY_SOCKET: '/run/x' })
  const notifier = createNotifier(given)
  void notifier.ready('2 workers,\nport 25')
  void notifier.reloading()
  void notifier.ready('again')
  await notifier.stopping('bye')
  assert.deepEqual(sent[0], ['READY=1', 'STATUS=2 workers, port 25'])
  assert.equal(sent[1]?.[0], 'RELOADING=1')
  assert.match(sent[1][1] ?? '', /^MONOTONIC_USEC=\d+$/)
  assert.deepEqual(sent.slice(2), [['READY=1', 'STATUS=again'], ['STOPPING=1', 'STATUS=bye']])
})

const WATCHED = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '20000000', WATCHDOG_PID: '42' }

test('the watchdog is fed at a quarter of its time, until the end', async () => {
  const { parts: given, sent, clock } = parts(WATCHED)
  const notifier = createNotifier(given)
  notifier.watch(() => true)
  clock.advance(4999)
  await settle()
  assert.deepEqual(sent, [])
  clock.advance(1)
  clock.advance(5000)
  await settle()
  assert.deepEqual(sent, [['WATCHDOG=1'], ['WATCHDOG=1']])
  notifier.close()
  clock.advance(60_000)
  await settle()
  assert.equal(sent.length, 2)
})

test('it is not fed while a process does not answer, and again when it does', async () => {
  const { parts: given, sent, clock, lines } = parts(WATCHED)
  let answers = false
  createNotifier(given).watch(() => answers)
  clock.advance(15_000)
  await settle()
  assert.deepEqual(sent, [])
  assert.deepEqual(lines.map(({ text }) => text), ['a process does not answer: the systemd watchdog is not fed until it does or is replaced'])
  answers = true
  clock.advance(5000)
  await settle()
  assert.deepEqual(sent, [['WATCHDOG=1']])
  answers = false
  clock.advance(5000)
  assert.equal(lines.length, 2)
})

test('the watchdog of another process, and none, are not fed', async () => {
  for (const environment of [{ WATCHDOG_USEC: '1000', WATCHDOG_PID: '41' }, { WATCHDOG_USEC: 'x' }, { WATCHDOG_USEC: '0' }, {}]) {
    const { parts: given, sent, clock } = parts({ NOTIFY_SOCKET: '/run/x', ...environment })
    createNotifier(given).watch(() => true)
    clock.advance(60_000)
    await settle()
    assert.deepEqual(sent, [])
  }
})

test('a failure is logged once and rejects nothing', async () => {
  const { parts: given, lines } = parts({ NOTIFY_SOCKET: '/run/x' }, { send: () => Promise.reject(new Error('no such program')) })
  const notifier = createNotifier(given)
  await notifier.ready('a')
  await notifier.stopping('b')
  assert.equal(lines.length, 1)
  assert.match(lines[0]?.text ?? '', /systemd cannot be told/)
})

test('the program is systemd-notify, called with the assignments as its arguments', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-notify-'))
  const path = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = path
    rmSync(directory, { recursive: true, force: true })
  })
  const out = join(directory, 'out')
  writeFileSync(join(directory, 'systemd-notify'), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${out}'\n`)
  chmodSync(join(directory, 'systemd-notify'), 0o755)
  process.env['PATH'] = directory + delimiter + (path ?? '')
  const { environment, pid, log, clock } = parts({ NOTIFY_SOCKET: '/run/x' }).parts
  await createNotifier({ environment, pid, log, clock }).ready('one worker; $(true)')
  assert.equal(readFileSync(out, 'utf8'), 'READY=1\nSTATUS=one worker; $(true)\n')
})
