/** How lines leave: batched, urgent, in atomic writes, never waiting for a reader that hangs. */
import assert from 'node:assert/strict'
import { openSync, readFileSync, closeSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { createLineWriter, openSink, streamSink, type Sink } from '../../../src/observe/log-writer.ts'

function fakeSink(): Sink & { writes: string[]; waiting: number } {
  const sink = {
    writes: [] as string[],
    waiting: 0,
    write: (text: string) => void sink.writes.push(text),
    waitingBytes: () => sink.waiting,
    drained: () => Promise.resolve(),
  }
  return sink
}

const dropped = (lines: number): string => `lost ${lines}\n`

test('lines of one turn leave in one write', async () => {
  const sink = fakeSink()
  const writer = createLineWriter(sink, dropped)
  writer.write('a\n', false)
  writer.write('b\n', false)
  assert.deepEqual(sink.writes, [])
  await nextTurn()
  assert.deepEqual(sink.writes, ['a\nb\n'])
  await nextTurn()
  assert.deepEqual(sink.writes, ['a\nb\n'])
})

test('an urgent line leaves at once, with all before it', () => {
  const sink = fakeSink()
  const writer = createLineWriter(sink, dropped)
  writer.write('a\n', false)
  writer.write('error\n', true)
  assert.deepEqual(sink.writes, ['a\nerror\n'])
})

test('a write is whole lines of at most 4096 bytes, unless one line is longer', async () => {
  const sink = fakeSink()
  const writer = createLineWriter(sink, dropped)
  const line = 'ü'.repeat(700) + '\n' // 1401 bytes
  for (let i = 0; i < 6; i++) writer.write(line, false)
  writer.write('x'.repeat(5000) + '\n', false)
  await nextTurn()
  assert.deepEqual(sink.writes.map((text) => Buffer.byteLength(text)), [2802, 2802, 2802, 5001])
  assert.ok(sink.writes.every((text) => text.endsWith('\n')))
})

test('with a reader that hangs, lines are dropped and counted, and the count is told', async () => {
  const sink = fakeSink()
  const writer = createLineWriter(sink, dropped)
  sink.waiting = 2 * 1024 * 1024
  for (let i = 0; i < 3; i++) writer.write('gone\n', i === 2)
  sink.waiting = 0
  writer.write('back\n', false)
  await nextTurn()
  assert.deepEqual(sink.writes, ['lost 3\nback\n'])
})

test('flush writes what was collected and waits no longer than told', async () => {
  const sink = fakeSink()
  sink.waiting = 10
  sink.drained = () => new Promise(() => undefined)
  const writer = createLineWriter(sink, dropped)
  writer.write('a\n', false)
  await writer.flush(1)
  assert.deepEqual(sink.writes, ['a\n'])
})

test('a real socket whose reader is slow blocks nobody and loses nothing that fits', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-log-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'socket')
  const accepted: Socket[] = []
  const server = createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const client = await new Promise<Socket>((resolve) => {
    const socket = connect(path, () => resolve(socket))
  })
  const writer = createLineWriter(streamSink(client), dropped)
  // Half of the bound, far above what the kernel buffers; the reader has not read a byte.
  const line = 'x'.repeat(511) + '\n'
  for (let i = 0; i < 1000; i++) writer.write(line, true)
  assert.ok(client.writableLength > 0)
  client.ref()
  let received = 0
  const reader = await until(() => accepted[0])
  reader.on('data', (chunk) => (received += chunk.length))
  reader.resume()
  await writer.flush(10_000)
  assert.equal(client.writableLength, 0)
  client.end()
  await new Promise((resolve) => reader.once('close', resolve))
  assert.equal(received, 1000 * 512)
  server.close()
})

test('a reader that is gone is no error', async () => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const client = connect(address.port, '127.0.0.1')
  const writer = createLineWriter(streamSink(client), dropped)
  const closed = new Promise((resolve) => client.once('close', resolve))
  client.ref()
  client.resume()
  await closed
  writer.write('a\n', true)
  writer.write('b\n', true)
  await writer.flush(1000)
  server.close()
})

test('a file gets its lines before write returns, if they are urgent', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-log-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'log')
  const fd = openSync(path, 'w')
  const writer = createLineWriter(openSink(fd), dropped)
  writer.write('ä\n', false)
  writer.write('b\n', true)
  assert.equal(readFileSync(path, 'utf8'), 'ä\nb\n')
  closeSync(fd)
})

async function until<T>(get: () => T | undefined): Promise<T> {
  for (;;) {
    const value = get()
    if (value !== undefined) return value
    await nextTurn()
  }
}
