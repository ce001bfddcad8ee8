/** A file that gives rights, and is emptied: they end when it has settled, or at once on demand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFileSource, type FileSource, type WhenEmpty } from '../../../src/delivery/watched-file.ts'
import { rememberedLog } from './local-fixture.ts'
import { SimulatedDisk } from './simulated-disk.ts'

function made(whenEmpty?: WhenEmpty) {
  const disk = new SimulatedDisk(['/etc'])
  const log = rememberedLog()
  const time = { nowMs: 0, stamp: 1 }
  const write = (text: string): void => disk.put('/etc/users', text, time.stamp++)
  write('anna\n')
  const source: FileSource<string> = createFileSource({ path: '/etc/users', parse: (text) => ({ status: 'ok', value: text.trim(), warnings: [] }), facts: {}, ...(whenEmpty === undefined ? {} : { whenEmpty }) }, { files: disk, log, monotonicMs: () => time.nowMs })
  const seen = async (): Promise<string> => {
    const found = await source.current()
    return found.status === 'ok' ? found.value : found.cause
  }
  return { source, write, time, log, seen }
}

test('an emptied file means nobody when it still is empty two seconds later', async () => {
  for (const empty of ['', '# nobody\n', '\n \n']) {
    const { write, time, log, seen } = made()
    assert.equal(await seen(), 'anna')
    time.nowMs += 5000
    write(empty)
    assert.equal(await seen(), 'anna')
    time.nowMs += 1500
    assert.equal(await seen(), 'anna')
    time.nowMs += 1500
    assert.equal(await seen(), empty.trim())
    assert.ok(log.has('warn', '/etc/users: is empty, and was not before: nobody stands in it any more'))
    assert.ok(!log.has('error', ''))
    time.nowMs += 5000
    assert.equal(await seen(), empty.trim())
    assert.equal(log.lines.length, 1)
  }
})

test('one that was being written is not', async () => {
  const { write, time, log, seen } = made()
  await seen()
  time.nowMs += 5000
  write('')
  assert.equal(await seen(), 'anna')
  write('bob\n')
  time.nowMs += 1500
  assert.equal(await seen(), 'bob')
  time.nowMs += 5000
  assert.equal(await seen(), 'bob')
  assert.deepEqual(log.lines, [])
})

test('on demand it is believed at once, and never where that was asked for', async () => {
  const { source, write, time, seen } = made()
  await seen()
  time.nowMs += 5000
  write('')
  assert.deepEqual(await source.reload(), { errors: [], warnings: ['/etc/users: is empty, and was not before: nobody stands in it any more'] })
  assert.equal(await seen(), '')
  const kept = made('keep')
  await kept.seen()
  kept.write('')
  assert.match((await kept.source.reload()).errors.join(), /is empty, and was not before; the last content stays/)
  kept.time.nowMs += 60_000
  assert.equal(await kept.seen(), 'anna')
})
