/** What systemd is told, in which order, and that it harms nothing where it cannot be told. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { createNotifier, type NotifierParts } from '../../../src/observe/sd-notify.ts'
import { FakeClock, fakeLog } from '../supervisor/fakes.ts'

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

test('the watchdog is fed at half its time, until the end', async () => {
  const { parts: given, sent, clock } = parts({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '20000000', WATCHDOG_PID: '42' })
  const notifier = createNotifier(given)
  clock.advance(9999)
  await notifier.status('x')
  assert.deepEqual(sent, [['STATUS=x']])
  clock.advance(1)
  clock.advance(10_000)
  await notifier.status('y')
  assert.deepEqual(sent.slice(1), [['WATCHDOG=1'], ['WATCHDOG=1'], ['STATUS=y']])
  notifier.close()
  clock.advance(60_000)
  await notifier.status('z')
  assert.deepEqual(sent.slice(4), [['STATUS=z']])
})

test('the watchdog of another process, and none, are not fed', async () => {
  for (const environment of [{ WATCHDOG_USEC: '1000', WATCHDOG_PID: '41' }, { WATCHDOG_USEC: 'x' }, { WATCHDOG_USEC: '0' }, {}]) {
    const { parts: given, sent, clock } = parts({ NOTIFY_SOCKET: '/run/x', ...environment })
    const notifier = createNotifier(given)
    clock.advance(60_000)
    await notifier.status('x')
    assert.deepEqual(sent, [['STATUS=x']])
  }
})

test('a failure is logged once and rejects nothing', async () => {
  const { parts: given, lines } = parts({ NOTIFY_SOCKET: '/run/x' }, { send: () => Promise.reject(new Error('no such program')) })
  const notifier = createNotifier(given)
  await notifier.ready('a')
  await notifier.status('b')
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
